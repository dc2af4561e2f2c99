"""Frames, opcodes, close codes, and the content of CLOSE frames (RFC 6455, 5.2, 5.5.1 and 7.4).

wsframe parses and builds the bytes of frames. Nothing here depends on earlier frames.
"""

from __future__ import annotations

import codecs
import enum
import os
import re
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import wsframe

from .exceptions import PayloadTooBig, ProtocolError
from .typing import BytesLike

if TYPE_CHECKING:
    from .extensions.base import Extension

__all__ = ["Close", "CloseCode", "Frame", "Opcode"]


class Opcode(enum.IntEnum):
    """Kinds of frames."""

    CONT = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


CONT, TEXT, BINARY = Opcode.CONT, Opcode.TEXT, Opcode.BINARY
CLOSE, PING, PONG = Opcode.CLOSE, Opcode.PING, Opcode.PONG

DATA_OPCODES = CONT, TEXT, BINARY
CTRL_OPCODES = CLOSE, PING, PONG


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

#: Codes of connections that ended well.
OK_CLOSE_CODES = {CloseCode.NORMAL_CLOSURE, CloseCode.GOING_AWAY, CloseCode.NO_STATUS_RCVD}

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
        """Return the code, its meaning, and the reason."""
        if 3000 <= self.code < 4000:
            meaning = "registered"
        elif 4000 <= self.code < 5000:
            meaning = "private use"
        else:
            meaning = _MEANINGS.get(self.code, "unknown")
        return f"{int(self.code)} ({meaning}){f' {self.reason}' if self.reason else ''}"

    @classmethod
    def parse(cls, data: BytesLike) -> Close:
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
        """Build the payload of a CLOSE frame.

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


# -- whole frames

LENGTH_NOT_SHORTEST = "length isn't in its shortest form"

_MAX_CONTROL_SIZE = 125  # bytes (RFC 6455, 5.5)

#: The form of a payload in logs, for opcodes whose form does not depend on its content.
_IS_TEXT = {TEXT: True, BINARY: False, CLOSE: True}
#: Characters that are not shown as text, in data frames and in the others.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\xad]")
_NOT_ASCII_TEXT = re.compile(rb"[^\t-\r\x20-\x7e]")
_MAX_CHARACTER_REST = 3  # bytes of a character after its first one


@dataclass
class Frame:
    """A frame: its meaning, not its form on the wire.

    Attributes:
        opcode: its kind.
        data: the payload, neither masked nor encoded by an extension.
        fin: whether it is the last one of its message.
        rsv1: first reserved bit, for extensions.
        rsv2: second one.
        rsv3: third one.
    """

    opcode: Opcode
    data: BytesLike
    fin: bool = True
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False

    #: Characters of a payload that a log shows.
    MAX_LOG_SIZE: ClassVar[int] = int(os.environ.get("WEBSOCKETS_MAX_LOG_SIZE", "75"))

    def __str__(self) -> str:
        """Return the frame in one line, for logs: a long payload is shortened."""
        shown, is_text = self._shown()
        notes = [f"{len(self.data)} byte{'' if len(self.data) == 1 else 's'}"]
        if is_text is not None and is_text is not _IS_TEXT.get(self.opcode):
            notes.insert(0, "text" if is_text else "binary")
        if not self.fin:
            notes.append("continued")
        return f"{self.opcode.name} {shown} [{', '.join(notes)}]"

    def _shown(self) -> tuple[str, bool | None]:
        """Return the payload for logs, and whether it is shown as text; None if it is empty."""
        data = bytes(self.data)
        if not data:
            return "''", None
        if self.opcode is Opcode.CLOSE:
            try:
                return str(Close.parse(data)), True
            except (ProtocolError, UnicodeDecodeError):
                return self._hexadecimal(data), False
        if self._looks_like_text(data):
            return self._shortened(repr(data.decode(errors="replace"))), True
        return self._hexadecimal(data), False

    def _looks_like_text(self, data: bytes) -> bool:
        """Return whether it is readable UTF-8; a fragment may begin and end within a character."""
        if self.opcode in CTRL_OPCODES:
            return not _NOT_ASCII_TEXT.search(data)
        if self.opcode is Opcode.CONT:
            rest = 0
            while rest < min(len(data), _MAX_CHARACTER_REST) and data[rest] & 0xC0 == 0x80:
                rest += 1
            data = data[rest:]
        try:
            text = codecs.getincrementaldecoder("utf-8")().decode(data, final=self.fin)
        except UnicodeDecodeError:
            return False
        return not _CONTROLS.search(text)

    def _shortened(self, text: str) -> str:
        if len(text) <= self.MAX_LOG_SIZE:
            return text
        rest = self.MAX_LOG_SIZE // 3 - 1
        return f"{text[: 2 * rest]}...{text[-rest:]}"

    def _hexadecimal(self, data: bytes) -> str:
        room = self.MAX_LOG_SIZE // 3  # bytes, each of them two digits and a space
        if len(data) <= room:
            return data.hex(" ")
        first = 2 * room // 3
        return f"{data[:first].hex(' ')} ... {data[first - room + 1 :].hex(' ')}"

    @classmethod
    def parse(
        cls,
        read_exact: Callable[[int], Generator[None, None, bytes | bytearray]],
        *,
        mask: bool,
        max_size: int | None = None,
        extensions: Sequence[Extension] | None = None,
    ) -> Generator[None, None, Frame]:
        """Read a frame; a generator that yields while more data is needed.

        Args:
            read_exact: reads a number of bytes, such as `StreamReader.read_exact`.
            mask: whether the frame must be masked: True on a server.
            max_size: bytes that the payload may have; None for no limit.
            extensions: the extensions that decode it, in reversed order.

        Raises:
            EOFError: if the stream ends before the frame does.
            PayloadTooBig: if the payload is too large; that is known from the header.
            ProtocolError: if the frame breaks RFC 6455, 5.2.
        """
        first, second = yield from read_exact(2)
        try:
            opcode = Opcode(first & 0x0F)
        except ValueError as exc:
            raise ProtocolError("invalid opcode") from exc
        if bool(second & 0x80) is not mask:
            raise ProtocolError("incorrect masking")
        size = second & 0x7F
        if size > 125:
            size = int.from_bytes((yield from read_exact(2 if size == 126 else 8)), "big")
        if max_size is not None and size > max_size:
            raise PayloadTooBig(size, max_size)
        if second & 0x7F > 125 and size < (126 if second & 0x7F == 126 else 1 << 16):
            raise ProtocolError(LENGTH_NOT_SHORTEST)
        key = (yield from read_exact(4)) if mask else None
        payload = yield from read_exact(size)
        data = bytes(payload) if key is None else wsframe.apply_mask(payload, key)
        frame = cls(
            opcode,
            data,
            bool(first & 0x80),
            bool(first & 0x40),
            bool(first & 0x20),
            bool(first & 0x10),
        )
        for extension in reversed(extensions or ()):
            frame = extension.decode(frame, max_size=max_size)
        frame.check()
        return frame

    def serialize(self, *, mask: bool, extensions: Sequence[Extension] | None = None) -> bytes:
        """Serialize the frame.

        Args:
            mask: whether it is masked, with a random key: True on a client.
            extensions: the extensions that encode it, in this order.

        Raises:
            ProtocolError: if it breaks the rules that `check` looks at.
        """
        refuse_text(self.data)
        self.check()
        frame = self
        for extension in extensions or ():
            frame = extension.encode(frame)
        rsv = frame.rsv1 << 2 | frame.rsv2 << 1 | frame.rsv3
        return wsframe.build_frame(
            frame.opcode, frame.data, fin=frame.fin, rsv=rsv, mask=mask or None
        )

    def check(self) -> None:
        """Check what extensions have left of the frame (RFC 6455, 5.2 and 5.5).

        Raises:
            ProtocolError: if a reserved bit is set, or a control frame is fragmented or too long.
        """
        if self.rsv1 or self.rsv2 or self.rsv3:
            raise ProtocolError("reserved bits must be 0")
        if self.opcode in CTRL_OPCODES:
            if len(self.data) > _MAX_CONTROL_SIZE:
                raise ProtocolError("control frame too long")
            if not self.fin:
                raise ProtocolError("fragmented control frame")


def refuse_text(data: BytesLike) -> None:
    """Check that a payload is no `str`, which wsframe would encode.

    Args:
        data: the payload.

    Raises:
        TypeError: if it is one.
    """
    if isinstance(data, str):  # type: ignore[unreachable]
        raise TypeError("a bytes-like object is required, not 'str'")
