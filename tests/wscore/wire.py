"""Bytes of RFC 6455 as the tests write and read them: frames, also wrong ones, and HTTP heads.

Independent of the packages under test, so that both cannot be wrong in the same way.
"""

import base64
import hashlib
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA

MASK = bytes.fromhex("37fa213d")
KEY = "dGhlIHNhbXBsZSBub25jZQ=="

REQUEST_HEADERS = (
    ("Host", "localhost"),
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", KEY),
)


@dataclass(frozen=True)
class F:
    """A frame as it goes over the wire, right or wrong.

    Attributes:
        opcode: 0 to 15.
        payload: before masking.
        fin: the first bit.
        rsv: the three reserved bits, 4 for the first.
        length: what stands in place of the length: seven bits, followed by what is given here.
        wrong_mask: masked if the sender must not mask, and the other way round.
    """

    opcode: int
    payload: bytes = b""
    fin: bool = True
    rsv: int = 0
    length: bytes | None = None
    wrong_mask: bool = False

    def wire(self, masked: bool) -> bytes:
        """Return the frame's bytes.

        Args:
            masked: whether its sender is a client.
        """
        masked ^= self.wrong_mask
        first = self.fin << 7 | self.rsv << 4 | self.opcode
        length = self.length or shortest_length(len(self.payload))
        head = bytes([first, length[0] | masked << 7]) + length[1:]
        return head + MASK + mask(self.payload, MASK) if masked else head + self.payload


def shortest_length(size: int) -> bytes:
    """Return the length of a payload as RFC 6455, 5.2 wants it, without the mask bit."""
    if size < 126:
        return bytes([size])
    if size < 65536:
        return b"\x7e" + struct.pack("!H", size)
    return b"\x7f" + struct.pack("!Q", size)


def mask(payload: bytes, key: bytes) -> bytes:
    """Return the payload, masked or unmasked."""
    repeated = (key * (len(payload) // 4 + 1))[: len(payload)]
    number = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return number.to_bytes(len(payload), "big")


def close(code: int, reason: str | bytes = b"") -> F:
    """Return a CLOSE frame with a code."""
    encoded = reason.encode() if isinstance(reason, str) else reason
    return F(CLOSE, struct.pack("!H", code) + encoded)


def accept_for(key: str) -> str:
    """Return what answers a key (RFC 6455, 4.2.2)."""
    digest = hashlib.sha1(key.encode() + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
    return base64.b64encode(digest).decode()


def request(
    *changes: tuple[str, str | None],
    line: str = "GET /chat HTTP/1.1",
    extra: str = "",
) -> bytes:
    """Return the head of a request for an upgrade.

    Args:
        changes: header fields; one that a right request has is replaced, or left out if its value
            is None, any other is added.
        line: the request line.
        extra: further header lines as they are, each with its line end.
    """
    changed = dict(changes)
    fields = [(name, changed.pop(name, value)) for name, value in REQUEST_HEADERS]
    lines = [line, *(f"{name}: {value}" for name, value in [*fields, *changed.items()] if value)]
    return ("\r\n".join(lines) + "\r\n" + extra + "\r\n").encode("latin-1")


def response(
    key: str,
    *changes: tuple[str, str | None],
    line: str = "HTTP/1.1 101 Switching Protocols",
    extra: str = "",
) -> bytes:
    """Return the head of a response with an upgrade; `changes` and `extra` as for `request`."""
    right = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": accept_for(key),
    }
    fields = {**right, **dict(changes)}
    lines = [line, *(f"{name}: {value}" for name, value in fields.items() if value is not None)]
    return ("\r\n".join(lines) + "\r\n" + extra + "\r\n").encode("latin-1")


def header_of(head: bytes, name: str) -> str | None:
    """Return the value of a header field in a head, or None if it has none."""
    for line in head.decode("latin-1").split("\r\n")[1:]:
        found, _, value = line.partition(":")
        if found.lower() == name.lower():
            return value.strip()
    return None


def status_of(head: bytes) -> int:
    """Return the status in the head of a response."""
    return int(head.split(b" ", 2)[1])
