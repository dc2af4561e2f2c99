"""Peers that read slowly, late or not at all, and what they make of the frames when they do."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

from tests.wscore import wire
from tests.wscore.raw_peer import BOUND, RawPeer
from tests.wscore.wire import PING, PONG, F
from wscore import WSMessageReader, WSTransport

SMALL = 4 * 1024  # bytes of a buffer in the system, which makes of it at least what it needs
MANY = 10_000  # pings; their answers are far more than such buffers and the write limits hold


def limit_buffer(below: Any) -> None:
    """Let the system hold little of what is sent.

    The receive buffer of the peer must not be made smaller now: what is on its way already would be
    thrown away, acknowledgements included. It is small while nobody reads it.
    """
    below.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)


@contextlib.contextmanager
def not_reading(peer: RawPeer) -> Iterator[None]:
    """Let the peer read nothing."""
    transport: Any = peer.writer.transport
    transport.pause_reading()
    try:
        yield
    finally:
        if not transport.is_closing():
            transport.resume_reading()


def numbered(number: int) -> bytes:
    """Return the payload of a ping."""
    return b"%06d" % number + bytes(119)


async def send_pings(peer: RawPeer, numbers: range) -> None:
    """Send pings, many at once."""
    for begin in range(0, len(numbers), 1000):
        await peer.send(*(F(PING, numbered(n)) for n in numbers[begin : begin + 1000]))


async def read_pongs(peer: RawPeer, last: int) -> list[int]:
    """Return the numbers of the pongs that come, to the one with the last number."""
    numbers = [-1]
    while numbers[-1] != last:
        frame = await peer.read_frame()
        if frame.opcode == PONG:
            assert frame.payload == numbered(int(frame.payload[:6]))
            numbers.append(int(frame.payload[:6]))
    return numbers[1:]


def check_bounded(numbers: list[int], sent: int) -> None:
    """Check what a peer got that sent many pings and then read: each one, until there was no room.

    Args:
        numbers: of the pongs.
        sent: how many pings were sent.
    """
    assert numbers == sorted(set(numbers))
    assert numbers[:100] == list(range(100))
    assert numbers[-1] == sent - 1
    assert len(numbers) < sent * 3 // 4


class SlowReader:
    """Reads a connection piece by piece, and answers the pings that come.

    Args:
        peer: the connection's end.
    """

    def __init__(self, peer: RawPeer) -> None:
        self.peer = peer
        self.frames: list[tuple[int, int]] = []
        self._data = bytearray()

    async def read(self, size: int) -> None:
        """Read at most so many bytes, at least one."""
        async with asyncio.timeout(BOUND):
            piece = await self.peer.reader.read(size)
        if not piece:
            raise EOFError(f"the connection ended, after the frames {self.frames}")
        self._data += piece
        while (frame := self._take()) is not None:
            opcode, payload = frame
            self.frames.append((opcode, len(payload)))
            if opcode == PING:
                await self.peer.send(F(PONG, payload))

    def _take(self) -> tuple[int, bytes] | None:
        """Return the next frame, with its opcode and unmasked payload, if it is complete."""
        data = self._data
        if len(data) < 14 and len(data) < 2 + (data[1] & 0x7F if len(data) > 1 else 126):
            return None
        size, begin = data[1] & 0x7F, 2
        if size >= 126:
            begin = 4 if size == 126 else 10
            size = int.from_bytes(data[2:begin], "big")
        masked = bool(data[1] & 0x80)
        end = begin + 4 * masked + size
        if len(data) < end:
            return None
        payload = bytes(data[begin + 4 * masked : end])
        if masked:
            payload = wire.mask(payload, bytes(data[begin : begin + 4]))
        opcode = data[0] & 0x0F
        del data[:end]
        return opcode, payload


class Reader(WSMessageReader):
    """The message API, with the parts of a `Recorder` that the tests use."""

    transport: Any

    def __init__(self, high: int = 16) -> None:
        super().__init__(high)
        self._reached = {"connected": asyncio.Event(), "disconnected": asyncio.Event()}

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self._reached["connected"].set()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        super().on_ws_disconnected(transport)
        self._reached["disconnected"].set()

    async def until(self, event: str, count: int = 1) -> None:
        """Wait until something has happened; for a frame, until it is received."""
        async with asyncio.timeout(BOUND):
            if event == "frame":
                await self.recv()
            else:
                await self._reached[event].wait()
