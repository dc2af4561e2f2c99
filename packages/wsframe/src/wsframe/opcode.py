"""The opcodes of WebSocket frames, as an enumeration that distinguishes the two kinds."""

from enum import IntEnum

__all__ = ["Opcode"]


class Opcode(IntEnum):
    """The type of a frame (RFC 6455, section 5.2)."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10

    @property
    def is_control(self) -> bool:
        """Whether this is a control frame: CLOSE, PING or PONG (RFC 6455, section 5.5)."""
        return self >= Opcode.CLOSE
