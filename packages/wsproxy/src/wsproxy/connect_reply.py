"""Reads the head of the reply to an HTTP CONNECT request (RFC 9112, section 4). No I/O.

It must never want a byte that may belong to the tunnel, and never keep more than `MAX_HEAD` bytes,
however long the proxy goes on.
"""

import re
from dataclasses import dataclass

__all__ = ["MAX_HEAD", "ConnectReply", "ReplyReader"]

# Bytes of a reply's head, interim replies included. Real ones have some hundred.
MAX_HEAD = 16 * 1024

_END = b"\r\n\r\n"
_BARE_LF = re.compile(rb"(?<!\r)\n")
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: ([^\x00\r\n]*))?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*?)[ \t]*")


@dataclass(frozen=True, slots=True)
class ConnectReply:
    """A proxy's answer.

    Attributes:
        status: HTTP status code.
        reason: reason phrase as it was sent; may be empty.
        headers: (name, value) pairs in the order in which they came.
    """

    status: int
    reason: str
    headers: tuple[tuple[str, str], ...]

    @property
    def is_open(self) -> bool:
        """Whether the tunnel stands: any status of the 2xx kind says so."""
        return 200 <= self.status < 300

    def values(self, name: str) -> list[str]:
        """Return the values of all fields of a name, in any letter case."""
        return [value for field, value in self.headers if field.lower() == name.lower()]


class ReplyReader:
    """Collects a reply's head from pieces of at most `wanted` bytes."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._seen = 0

    @property
    def wanted(self) -> int:
        """How many more bytes surely belong to the head: 1 to 4.

        What follows the head belongs to the tunnel. The head ends with an empty line, so as many
        bytes may be read as that line's end still lacks.
        """
        for matched in (3, 2, 1):
            if self._head.endswith(_END[:matched]):
                return len(_END) - matched
        return len(_END)

    def feed(self, data: bytes) -> ConnectReply | None:
        """Take the next bytes; return the reply once its head is complete.

        Interim replies (status 1xx) are passed over.

        Raises:
            ValueError: the reply is malformed or too long; the text says how.
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
            raise ValueError("it switched protocols")
        self._head.clear()
        return None

    def _check_so_far(self) -> None:
        if self._seen >= MAX_HEAD:
            raise ValueError(f"its head is longer than {MAX_HEAD} bytes")
        start = b"HTTP/1."
        if not start.startswith(self._head[: len(start)]):
            raise ValueError("it is not HTTP")
        # Of the last bytes only: what came before has been looked at, 4 bytes at a time at most.
        if _BARE_LF.search(self._head[-5:], 1):
            raise ValueError("it has a line that does not end with CR LF")


def _parse(head: bytes) -> ConnectReply:
    status_line, *lines = head.split(b"\r\n")
    match = _STATUS_LINE.fullmatch(status_line)
    if match is None:
        raise ValueError("its status line is malformed")
    headers = []
    for line in lines:
        field = _FIELD.fullmatch(line)
        if field is None:
            raise ValueError("it has a malformed header field")
        headers.append((field[1].decode("ascii"), field[2].decode("latin-1")))
    return ConnectReply(int(match[1]), (match[2] or b"").decode("latin-1"), tuple(headers))
