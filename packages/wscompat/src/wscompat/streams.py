"""A buffer that generators read lines and blocks from; they are resumed when more has come.

It knows nothing of HTTP or WebSocket, and looks at no byte twice for the end of a line.
"""

from __future__ import annotations

from collections.abc import Generator

__all__ = ["StreamReader"]


class StreamReader:
    """The data that was received and not yet read.

    Its reading methods are generators: each yields while more data is needed, and returns the data
    read. Only one may be under way at a time.
    """

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.eof = False

    # -- in

    def feed_data(self, data: bytes | bytearray) -> None:
        """Add received data.

        Args:
            data: the bytes.

        Raises:
            EOFError: if the stream has ended.
        """
        if self.eof:
            raise EOFError("stream ended")
        self.buffer += data

    def feed_eof(self) -> None:
        """End the stream.

        Raises:
            EOFError: if it has ended before.
        """
        if self.eof:
            raise EOFError("stream ended")
        self.eof = True

    def discard(self) -> None:
        """Discard the unread data."""
        self.buffer.clear()

    # -- out

    def read_line(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        """Read up to a line feed, and that too.

        Args:
            m: how many bytes the line may have.
            too_long_exc_type: the exception to raise if it has more.

        Raises:
            EOFError: if the stream ends before.
        """
        scanned = 0
        while True:
            end = self.buffer.find(b"\n", scanned) + 1
            scanned = len(self.buffer)
            _check_size(end or scanned, m, too_long_exc_type)
            if end:
                return self._take(end)
            if self.eof:
                raise EOFError(f"stream ends after {scanned} bytes, before end of line")
            yield

    def read_exact(self, n: int) -> Generator[None, None, bytearray]:
        """Read a number of bytes.

        Args:
            n: how many.

        Raises:
            EOFError: if the stream ends before.
        """
        if n < 0:
            raise ValueError("cannot read a negative number of bytes")
        while len(self.buffer) < n:
            if self.eof:
                raise EOFError(f"stream ends after {len(self.buffer)} bytes, expected {n} bytes")
            yield
        return self._take(n)

    def read_to_eof(
        self, m: int, too_long_exc_type: type[Exception] = RuntimeError
    ) -> Generator[None, None, bytearray]:
        """Read all that comes until the stream ends.

        Args:
            m: how many bytes that may be.
            too_long_exc_type: the exception to raise if there are more.
        """
        while True:
            _check_size(len(self.buffer), m, too_long_exc_type)
            if self.eof:
                return self._take(len(self.buffer))
            yield

    def at_eof(self) -> Generator[None, None, bool]:
        """Return whether the stream has ended and was read to its end; wait until that is known."""
        while not self.buffer:
            if self.eof:
                return True
            yield
        return False

    def _take(self, size: int) -> bytearray:
        taken = self.buffer[:size]
        del self.buffer[:size]
        return taken


def _check_size(size: int, limit: int, kind: type[Exception]) -> None:
    if size > limit:
        raise kind(f"read {size} bytes, expected no more than {limit} bytes")
