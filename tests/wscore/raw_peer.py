"""A peer that is only a socket: it sends any bytes, cut in any way, and reads what comes back."""

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from tests.wscore import wire

# How long anything here may take. Only a failing test waits for it.
BOUND = 5.0


@dataclass(frozen=True)
class ReceivedFrame:
    """A frame that the peer read, unmasked."""

    opcode: int
    payload: bytes
    fin: bool
    rsv: int
    masked: bool

    @property
    def close_code(self) -> int | None:
        """The code of a CLOSE frame."""
        return struct.unpack("!H", self.payload[:2])[0] if self.payload else None


class RawPeer:
    """One side of a connection.

    Args:
        reader: of the connection.
        writer: of the connection.
        masks: whether it plays the client.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, masks: bool
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.masks = masks
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    async def send(self, *parts: bytes | wire.F, each_byte: bool = False) -> None:
        """Send bytes and frames, in one write or byte by byte."""
        data = b"".join(
            part.wire(self.masks) if isinstance(part, wire.F) else part for part in parts
        )
        pieces = [data[i : i + 1] for i in range(len(data))] if each_byte else [data]
        async with asyncio.timeout(BOUND):
            # The other side may have ended the connection by what it has read so far.
            with contextlib.suppress(ConnectionError):
                for piece in pieces:
                    if self.writer.is_closing():
                        return
                    self.writer.write(piece)
                    await self.writer.drain()
                    # The other side, on the same loop, reads what was written before there is more.
                    for _ in range(3 if each_byte else 0):
                        await asyncio.sleep(0)

    async def read_head(self) -> bytes:
        """Return the head of an HTTP message, with the empty line."""
        async with asyncio.timeout(BOUND):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def read_frame(self) -> ReceivedFrame:
        """Return the next frame; asyncio.IncompleteReadError at the end of the connection."""
        async with asyncio.timeout(BOUND):
            first, second = await self.reader.readexactly(2)
            size = second & 0x7F
            if size == 126:
                (size,) = struct.unpack("!H", await self.reader.readexactly(2))
            elif size == 127:
                (size,) = struct.unpack("!Q", await self.reader.readexactly(8))
            key = await self.reader.readexactly(4) if second & 0x80 else None
            payload = await self.reader.readexactly(size)
        return ReceivedFrame(
            opcode=first & 0x0F,
            payload=wire.mask(payload, key) if key else payload,
            fin=bool(first & 0x80),
            rsv=first >> 4 & 7,
            masked=key is not None,
        )

    async def read_to_end(self) -> bytes:
        """All that still comes, to the end of the connection, orderly or not."""
        received = b""
        async with asyncio.timeout(BOUND):
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                while data := await self.reader.read(65536):
                    received += data
        return received

    def end_sending(self) -> None:
        """Close the own direction, if the connection is still there and plain."""
        with contextlib.suppress(OSError, RuntimeError):
            self.writer.write_eof()

    async def close(self) -> None:
        """Close the connection, in both directions."""
        self.writer.close()
        async with asyncio.timeout(BOUND):
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                await self.writer.wait_closed()

    def reset(self) -> None:
        """End the connection the hard way: what was not read yet is lost."""
        if self.writer.is_closing():
            return
        connection = self.writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def sending_on(peer: RawPeer, frame: wire.F) -> AsyncIterator[None]:
    """Have the peer send without end, in a task of its own, and close at the end."""

    async def send_on() -> None:
        while not peer.writer.is_closing():
            await peer.send(frame)
            await asyncio.sleep(0)

    task = asyncio.create_task(send_on())
    try:
        yield
    finally:
        task.cancel()
        await peer.close()


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def connecting(port: int, context: ssl.SSLContext | None = None) -> AsyncIterator[RawPeer]:
    """Connect to a server, as a client that has said nothing yet."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    peer = RawPeer(reader, writer, masks=True)
    try:
        yield peer
    finally:
        await peer.close()


Script = Callable[[RawPeer], Awaitable[None]]


@contextlib.asynccontextmanager
async def accepting(script: Script, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Run the script for each client that connects, and give the port.

    An exception of a script is raised at the end, where the test sees it.
    """
    tasks: list[asyncio.Task[None]] = []

    async def play(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = RawPeer(reader, writer, masks=False)
        try:
            await script(peer)
        finally:
            await peer.close()

    def accepted(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.ensure_future(play(reader, writer)))

    server = await asyncio.start_server(accepted, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
        async with asyncio.timeout(BOUND):
            await asyncio.gather(*tasks)
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
