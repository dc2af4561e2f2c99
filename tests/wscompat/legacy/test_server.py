"""Tests of `wscompat.legacy.server`: the life of a server, like that of websockets' servers."""

import asyncio
import inspect
import socket
from typing import Any

import pytest

from tests.wscompat.legacy.models import MODEL, OURS, Legacy, Record
from tests.wscompat.libraries import BOUND, port_of
from tests.wscompat.raw import REQUEST, raw_client

BOTH = pytest.mark.parametrize("library", [MODEL, OURS], ids=str)


async def echo(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message)


@BOTH
async def test_closing_closes_the_connections(library: Legacy) -> None:
    async with library.server.serve(echo, "127.0.0.1", 0) as server:
        assert server.is_serving()
        assert server.get_loop() is asyncio.get_running_loop()
        websocket = await library.client.connect(f"ws://127.0.0.1:{port_of(server)}")
        assert len(server.websockets) == 1
        server.close()
        server.close()
        with pytest.raises(library.errors.ConnectionClosedOK, match="received 1001"):
            await websocket.recv()
        async with asyncio.timeout(BOUND):
            await server.wait_closed()
    assert not server.is_serving()
    assert not server.sockets
    assert not server.websockets


@BOTH
async def test_closing_may_leave_the_connections(library: Legacy) -> None:
    server = await library.server.serve(echo, "127.0.0.1", 0)
    async with library.client.connect(f"ws://127.0.0.1:{port_of(server)}") as websocket:
        server.close(close_connections=False)
        await websocket.send("x")
        assert await websocket.recv() == "x"
    async with asyncio.timeout(BOUND):
        await server.wait_closed()


@BOTH
async def test_a_request_that_is_decided_after_the_end(library: Legacy) -> None:
    asked, decided = asyncio.Event(), asyncio.Event()

    async def process_request(path: str, headers: Any) -> None:
        asked.set()
        await decided.wait()

    server = await library.server.serve(echo, "127.0.0.1", 0, process_request=process_request)
    async with raw_client(port_of(server), REQUEST + b"\r\n") as peer:
        await asyncio.wait_for(asked.wait(), BOUND)
        server.close()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        decided.set()
        assert (await peer.rest()).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    async with asyncio.timeout(BOUND):
        await server.wait_closed()


@BOTH
async def test_serving_for_ever_until_it_is_cancelled(library: Legacy) -> None:
    server = await library.server.serve(echo, "127.0.0.1", 0, start_serving=False)
    assert not server.is_serving()
    serving = asyncio.ensure_future(server.serve_forever())
    while not server.is_serving():
        await asyncio.sleep(0)
    async with library.client.connect(f"ws://127.0.0.1:{port_of(server)}") as websocket:
        await websocket.send("x")
        assert await websocket.recv() == "x"
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert not server.is_serving()
    server.close()
    async with asyncio.timeout(BOUND):
        await server.wait_closed()


@BOTH
async def test_a_socket_of_the_callers(library: Legacy) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        async with library.server.serve(echo, sock=sock) as server:
            await server.start_serving()
            async with library.client.connect(f"ws://127.0.0.1:{port_of(server)}"):
                pass


async def test_a_handler_that_is_cancelled_from_outside() -> None:
    """The model leaves the connection open."""
    library = OURS
    handlers = Record()

    async def handler(websocket: Any) -> None:
        handlers.note(websocket)
        await websocket.recv()

    async with library.server.serve(handler, "127.0.0.1", 0, close_timeout=0.01) as server:
        websocket = await library.client.connect(f"ws://127.0.0.1:{port_of(server)}")
        while not handlers.events:
            await asyncio.sleep(0)
        handlers.events[0][0].handler_task.cancel()
        with pytest.raises(library.errors.ConnectionClosedError):
            await asyncio.wait_for(websocket.recv(), BOUND)
        await websocket.close()


@BOTH
@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"timeout": 3}, "rename timeout to close_timeout"),
        ({"klass": 0}, "rename klass to create_protocol"),
        ({"loop": 0}, "remove loop argument"),
    ],
)
async def test_former_arguments(library: Legacy, options: dict[str, Any], text: str) -> None:
    if "klass" in options:
        options = {"klass": library.server.WebSocketServerProtocol}
    if "loop" in options:
        options = {"loop": asyncio.get_running_loop()}
    with pytest.warns(DeprecationWarning, match=text):
        async with library.server.serve(echo, "127.0.0.1", 0, **options) as server:
            assert server.is_serving()


@BOTH
async def test_wrong_arguments(library: Legacy) -> None:
    with pytest.raises(ValueError, match="unsupported compression: zip"):
        library.server.serve(echo, compression="zip")
    with pytest.raises(TypeError, match="subprotocols must be a list, not a str"):
        library.server.serve(echo, subprotocols="abc")


async def test_arguments_are_the_same() -> None:
    for name in ("serve", "unix_serve", "WebSocketServerProtocol", "WebSocketServer", "broadcast"):
        model = inspect.signature(getattr(MODEL.server, name)).parameters
        ours = inspect.signature(getattr(OURS.server, name)).parameters
        assert [(key, value.kind) for key, value in model.items()] == [
            (key, value.kind) for key, value in ours.items()
        ]
        for key in model.keys() - {"server_header"}:
            assert model[key].default == ours[key].default, key
