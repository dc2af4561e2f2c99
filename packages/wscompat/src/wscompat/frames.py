"""Opcodes, close codes, and the content of CLOSE frames (RFC 6455, 5.2, 5.5.1 and 7.4)."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from .exceptions import ProtocolError

__all__ = ["Close", "CloseCode", "Opcode"]


class Opcode(enum.IntEnum):
    """Kinds of frames."""

    CONT = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class CloseCode(enum.IntEnum):
    """Registered close codes."""

    NORMAL_CLOSURE = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    NO_STATUS_RCVD = 1005
    ABNORMAL_CLOSURE = 1006
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014
    TLS_HANDSHAKE = 1015


_MEANINGS: dict[int, str] = {
    CloseCode.NORMAL_CLOSURE: "OK",
    CloseCode.GOING_AWAY: "going away",
    CloseCode.PROTOCOL_ERROR: "protocol error",
    CloseCode.UNSUPPORTED_DATA: "unsupported data",
    CloseCode.NO_STATUS_RCVD: "no status received [internal]",
    CloseCode.ABNORMAL_CLOSURE: "abnormal closure [internal]",
    CloseCode.INVALID_DATA: "invalid frame payload data",
    CloseCode.POLICY_VIOLATION: "policy violation",
    CloseCode.MESSAGE_TOO_BIG: "message too big",
    CloseCode.MANDATORY_EXTENSION: "mandatory extension",
    CloseCode.INTERNAL_ERROR: "internal error",
    CloseCode.SERVICE_RESTART: "service restart",
    CloseCode.TRY_AGAIN_LATER: "try again later",
    CloseCode.BAD_GATEWAY: "bad gateway",
    CloseCode.TLS_HANDSHAKE: "TLS handshake failure [internal]",
}

#: Codes that only stand for something inside a program; they never go over the wire.
_INTERNAL = {CloseCode.NO_STATUS_RCVD, CloseCode.ABNORMAL_CLOSURE, CloseCode.TLS_HANDSHAKE}


@dataclass
class Close:
    """The content of a CLOSE frame.

    Attributes:
        code: the close code; 1005 stands for a frame without one.
        reason: the reason, empty if there is none.
    """

    code: CloseCode | int
    reason: str

    def __str__(self) -> str:
        """The code, its meaning, and the reason."""
        if 3000 <= self.code < 4000:
            meaning = "registered"
        elif 4000 <= self.code < 5000:
            meaning = "private use"
        else:
            meaning = _MEANINGS.get(self.code, "unknown")
        return f"{int(self.code)} ({meaning}){' ' if self.reason else ''}{self.reason}"

    @classmethod
    def parse(cls, data: bytes | bytearray | memoryview) -> Close:
        """Read the payload of a CLOSE frame.

        Args:
            data: the payload.

        Raises:
            ProtocolError: if the payload is one byte, or its code may not stand in a frame.
            UnicodeDecodeError: if the reason is not UTF-8.
        """
        data = bytes(data)
        if not data:
            return cls(CloseCode.NO_STATUS_RCVD, "")
        if len(data) < 2:
            raise ProtocolError("close frame too short")
        close = cls(int.from_bytes(data[:2], "big"), data[2:].decode())
        close.check()
        return close

    def serialize(self) -> bytes:
        """The payload of a CLOSE frame.

        Raises:
            ProtocolError: if the code may not stand in a frame.
        """
        self.check()
        return self.code.to_bytes(2, "big") + self.reason.encode()

    def check(self) -> None:
        """Check that the code may stand in a frame.

        Raises:
            ProtocolError: if it may not.
        """
        registered = self.code in _MEANINGS and self.code not in _INTERNAL
        if not (registered or 3000 <= self.code < 5000):
            raise ProtocolError("invalid status code")
