"""Parse the headers of the response to an HTTP CONNECT request (RFC 9112, section 4). No I/O.

It must never request a byte that may belong to the tunnel, and never keep more than `MAX_HEAD`
bytes, however much the proxy sends.
"""

import re
from dataclasses import dataclass

__all__ = ["MAX_HEAD", "ConnectReply", "ReplyReader"]

# Maximum size of the headers, including interim responses. Real ones have some hundred bytes.
MAX_HEAD = 16 * 1024

_END = b"\r\n\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: ([^\x00\r\n]*))?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*?)[ \t]*")


@dataclass(frozen=True, slots=True)
class ConnectReply:
    """A proxy's response.

    Attributes:
        status: HTTP status code.
        reason: reason phrase as received; may be empty.
        headers: (name, value) pairs in the order in which they were received.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]

    @property
    def is_open(self) -> bool:
        """Whether the tunnel is open, which any 2xx status means (RFC 9110, section 9.3.6)."""
        return 200 <= self.status < 300

    def values(self, name: str) -> list[str]:
        """Return the values of all headers of a name, in any letter case."""
        return [value for field, value in self.headers if field.lower() == name.lower()]


class ReplyReader:
    """Collects the headers of a response from pieces of at most `wanted` bytes."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._seen = 0

    @property
    def wanted(self) -> int:
        """How many more bytes certainly belong to the headers: 1 to 4.

        The bytes after the headers belong to the tunnel. The headers end with an empty line, so
        as many bytes may be read as are missing from the CR LF CR LF at its end.
        """
        for matched in (3, 2, 1):
            if self._head.endswith(_END[:matched]):
                return len(_END) - matched
        return len(_END)

    def feed(self, data: bytes) -> ConnectReply | None:
        """Take the next bytes; return the response once its headers are complete.

        Interim responses (status 1xx) are skipped.

        Raises:
            ValueError: the response is malformed or too long; the text gives the reason.
        """
        self._head += data  # at most `wanted` bytes
        self._seen += len(data)
        if not self._head.endswith(_END):
            self._check_so_far()
            return None
        reply = _parse(bytes(self._head[: -len(_END)]))
        if reply.status >= 200:
            return reply
        if reply.status == 101:
            raise ValueError("status 101 instead of 200")
        self._head.clear()
        return None

    def _check_so_far(self) -> None:
        if self._seen >= MAX_HEAD:
            raise ValueError(f"its headers are longer than {MAX_HEAD} bytes")
        start = b"HTTP/1."
        if not start.startswith(self._head[: len(start)]):
            raise ValueError("it is not HTTP")
        # Check only the last bytes: earlier ones have been checked, at most 4 bytes at a time.
        if _BARE_LF.search(self._head[-5:], 1):
            raise ValueError("a line does not end with CR LF")


def _parse(head: bytes) -> ConnectReply:
    status_line, *lines = head.split(b"\r\n")
    match = _STATUS_LINE.fullmatch(status_line)
    if match is None:
        raise ValueError("malformed status line")
    headers = []
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise ValueError("malformed header field")
        headers.append((field[1].decode("ascii"), field[2].decode("latin-1")))
    return ConnectReply(int(match[1]), (match[2] or b"").decode("latin-1"), tuple(headers))
