"""Tests of `wscompat.legacy.engine`: a protocol on transports that others made."""

import asyncio
from typing import Any

import pytest

from tests.support.tls import Tls
from tests.wscompat.legacy.models import MODEL, OURS, Legacy, closing, frame
from tests.wscompat.libraries import BOUND, port_of
from tests.wscompat.raw import ACCEPTED, REQUEST, raw_client, raw_server

LARGE = b"x" * 1_000_000
LARGE_FRAME = b"\x82\xff" + len(LARGE).to_bytes(8, "big") + bytes(4) + LARGE
BOTH = pytest.mark.parametrize("library", [MODEL, OURS], ids=str)


@BOTH
@pytest.mark.parametrize("size", [1, 1000])
async def test_a_transport_of_the_loop(library: Legacy, size: int) -> None:
    """The protocol is driven as asyncio drives any protocol."""
    loop = asyncio.get_running_loop()

    async def echo(websocket: Any) -> None:
        async for message in websocket:
            await websocket.send(message)

    ws_server = library.server.WebSocketServer()
    server = await loop.create_server(
        lambda: library.server.WebSocketServerProtocol(echo, ws_server), "127.0.0.1", 0
    )
    ws_server.wrap(server)
    async with raw_client(port_of(server)) as peer:
        sent = REQUEST + b"\r\n" + frame(1, b"early")
        for begin in range(0, len(sent), size):
            peer.writer.write(sent[begin : begin + size])
            await asyncio.sleep(0)
        await peer.head()
        async with asyncio.timeout(BOUND):
            assert await peer.reader.readexactly(7) == b"\x81\x05early"
        peer.writer.write(closing(1000))
        assert await peer.rest() == b"\x88\x02\x03\xe8"
    ws_server.close()
    async with asyncio.timeout(BOUND):
        await ws_server.wait_closed()


@BOTH
async def test_bytes_that_were_received_before(library: Legacy) -> None:
    """Another protocol has read the request, as HTTP servers do."""
    loop = asyncio.get_running_loop()
    messages: asyncio.Queue[Any] = asyncio.Queue()

    async def handler(websocket: Any) -> None:
        async for message in websocket:
            await messages.put(message)

    ws_server = library.server.WebSocketServer()

    class First(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def data_received(self, data: bytes) -> None:
            protocol = library.server.WebSocketServerProtocol(handler, ws_server)
            protocol.connection_made(self.transport)
            protocol.data_received(data)
            protocol.data_received(frame(1, b"after it") + LARGE_FRAME)  # still in the handshake
            self.transport.set_protocol(protocol)

    server = await loop.create_server(First, "127.0.0.1", 0)
    ws_server.wrap(server)
    request = REQUEST + b"\r\n" + frame(1, b"with it")
    async with raw_client(port_of(server), request) as peer:
        await peer.head()
        async with asyncio.timeout(BOUND):
            for expected in ("with it", "after it"):
                assert await messages.get() == expected
            assert len(await messages.get()) == len(LARGE)
        peer.writer.write(closing(1000))
        await peer.rest()
    ws_server.close()
    async with asyncio.timeout(BOUND):
        await ws_server.wait_closed()


async def test_writing_pauses_on_a_transport_of_the_loop() -> None:
    protocol = OURS.protocol.WebSocketCommonProtocol()
    protocol.pause_writing()
    waiting = asyncio.ensure_future(protocol._drain())
    await asyncio.sleep(0)
    assert not waiting.done()
    protocol.resume_writing()
    await asyncio.wait_for(waiting, BOUND)


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("last", [b"\x88\x02\x03\xe8", b""], ids=["close", "no close"])
async def test_an_end_that_comes_with_the_response(secure: bool, last: bytes, tls: Tls) -> None:
    """Messages sent before it are received, however late the client looks at the response.

    The model does so only if the client is at once; later it raises AssertionError.
    """

    class Client(OURS.client.WebSocketClientProtocol):  # type: ignore[misc,name-defined]
        async def read_http_response(self) -> Any:
            response = await super().read_http_response()
            await asyncio.sleep(0.1)  # the end arrives
            return response

    # More messages than are held for `recv` before reading pauses.
    answer = ACCEPTED + b"\r\n" + b"\x81\x02hi" * 100 + last
    options = {"ssl": tls.client} if secure else {}
    async with (
        asyncio.timeout(BOUND),
        raw_server(answer, tls=tls.server if secure else None) as server,
        OURS.client.connect(server.uri, create_protocol=Client, **options) as websocket,
    ):
        for _ in range(100):
            assert await websocket.recv() == "hi"
        with pytest.raises(OURS.errors.ConnectionClosed):
            await websocket.recv()
        await websocket.wait_closed()
        assert websocket.close_code == (1000 if last else 1006)
