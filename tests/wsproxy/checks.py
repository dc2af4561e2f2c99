"""What every test that opens a tunnel does with it: greet, send much both ways, close."""

import asyncio
import socket

# Seconds for one tunnel and all that is done with it; only a test that fails waits so long.
BOUND = 20.0


async def check_echo(sock: socket.socket) -> None:
    """Check that the tunnel lost nothing of a target that speaks first, then use it both ways."""
    assert sock.gettimeout() == 0
    reader, writer = await asyncio.open_connection(sock=sock)
    try:
        async with asyncio.timeout(BOUND):
            assert await reader.readline() == b"hello\n"
            payload = bytes(range(256)) * 1024
            writer.write(payload)
            assert await reader.readexactly(len(payload)) == payload
    finally:
        writer.close()
        await writer.wait_closed()


class Greeted(asyncio.Protocol):
    """A protocol that is greeted by the target, sends much, gets it back, and leaves."""

    PAYLOAD = bytes(range(256)) * 1024

    def __init__(self) -> None:
        self.data = bytearray()
        self.events: list[str] = []
        self.lost = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.data += data
        if self.data == b"hello\n":
            self.transport.write(self.PAYLOAD)
        if len(self.data) == 6 + len(self.PAYLOAD):
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")
        self.lost.set_result(exc)


async def check_greeted(transport: asyncio.Transport, protocol: Greeted) -> None:
    """Check that the protocol was on its transport from the first byte to the last."""
    assert protocol.transport is transport
    async with asyncio.timeout(BOUND):
        assert await protocol.lost is None
    assert protocol.data == b"hello\n" + protocol.PAYLOAD
    assert protocol.events == ["made", "lost"]
