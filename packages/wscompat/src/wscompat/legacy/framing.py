"""Frames one at a time, read from a stream and written to one (RFC 6455, 5).

It is for programs that build frames by hand; connections do not use it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from .. import frames
from ..extensions.base import Extension
from ..frames import Close, Opcode
from ..frames import Frame as NewFrame
from ..typing import BytesLike, DataLike

__all__ = ["Frame", "encode_data", "parse_close", "prepare_ctrl", "prepare_data", "serialize_close"]


class Frame(NamedTuple):
    """A frame.

    Attributes:
        fin: whether it is the last one of its message.
        opcode: its kind.
        data: the payload, neither masked nor encoded by an extension.
        rsv1: first reserved bit, for extensions.
        rsv2: second one.
        rsv3: third one.
    """

    fin: bool
    opcode: frames.Opcode
    data: BytesLike
    rsv1: bool = False
    rsv2: bool = False
    rsv3: bool = False

    @property
    def new_frame(self) -> NewFrame:
        """The same as a `wscompat.frames.Frame`."""
        return NewFrame(self.opcode, self.data, self.fin, self.rsv1, self.rsv2, self.rsv3)

    def __str__(self) -> str:
        return str(self.new_frame)

    def check(self) -> None:
        """Check that no reserved bit is set, and that a control frame is short and whole.

        Raises:
            ProtocolError: if it is not so.
        """
        self.new_frame.check()

    @classmethod
    async def read(
        cls,
        reader: Callable[[int], Awaitable[bytes]],
        *,
        mask: bool,
        max_size: int | None = None,
        extensions: Sequence[Extension] | None = None,
    ) -> Frame:
        """Read a frame.

        Args:
            reader: reads exactly so many bytes, like `asyncio.StreamReader.readexactly`.
            mask: whether the frame must be masked: True on a server.
            max_size: bytes that the payload may have; None for no limit.
            extensions: the extensions that decode it, in reversed order.

        Raises:
            PayloadTooBig: if the payload is too large; that is known from the header.
            ProtocolError: if the frame breaks RFC 6455, 5.2.
        """
        wanted = 0

        def read_exact(size: int) -> Any:
            nonlocal wanted
            wanted = size
            return (yield)

        steps = NewFrame.parse(read_exact, mask=mask, max_size=max_size, extensions=extensions)
        try:
            next(steps)
            while True:
                steps.send(await reader(wanted))  # type: ignore[arg-type]
        except StopIteration as stop:
            frame: NewFrame = stop.value
        return cls(frame.fin, frame.opcode, frame.data, frame.rsv1, frame.rsv2, frame.rsv3)

    def write(
        self,
        write: Callable[[bytes], Any],
        *,
        mask: bool,
        extensions: Sequence[Extension] | None = None,
    ) -> None:
        """Write the frame.

        Args:
            write: is given the bytes.
            mask: whether it is masked, with a random key: True on a client.
            extensions: the extensions that encode it, in this order.

        Raises:
            ProtocolError: if it breaks the rules that `check` looks at.
        """
        write(self.new_frame.serialize(mask=mask, extensions=extensions))


def prepare_data(data: DataLike) -> tuple[Opcode, BytesLike]:
    """Return the opcode and the payload of the frame for a message.

    Args:
        data: a `str` for a text message, bytes-like for a binary one.

    Raises:
        TypeError: if it is of another type.
    """
    if isinstance(data, str):
        return Opcode.TEXT, data.encode()
    if isinstance(data, BytesLike):
        return Opcode.BINARY, data
    raise TypeError("data must be str or bytes-like")


def prepare_ctrl(data: DataLike) -> bytes:
    """Return the payload of a ping or pong.

    Args:
        data: a `str`, or bytes-like.

    Raises:
        TypeError: if it is of another type.
    """
    return bytes(prepare_data(data)[1])


encode_data = prepare_ctrl


def parse_close(data: bytes) -> tuple[int, str]:
    """Read the payload of a CLOSE frame.

    Args:
        data: the payload.

    Returns:
        Close code and reason.

    Raises:
        ProtocolError: if the payload is one byte, or its code may not stand in a frame.
        UnicodeDecodeError: if the reason is not UTF-8.
    """
    close = Close.parse(data)
    return close.code, close.reason


def serialize_close(code: int, reason: str) -> bytes:
    """Build the payload of a CLOSE frame.

    Args:
        code: the close code.
        reason: the close reason.

    Raises:
        ProtocolError: if the code may not stand in a frame.
    """
    return Close(code, reason).serialize()
