"""Tests of `wscompat.legacy.client`: connecting, redirects, and connecting again."""

import asyncio
import contextlib
import inspect
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.support.leaks import LoopErrors
from tests.support.tls import Tls
from tests.wscompat.legacy.models import MODEL, OURS, Legacy, describe, serving
from tests.wscompat.libraries import BOUND, NO_SUPER_INIT, without_super_init
from tests.wscompat.raw import ACCEPTED, raw_server
from wscompat.exceptions import InvalidMessage, InvalidURI

BOTH = pytest.mark.parametrize("library", [MODEL, OURS], ids=str)


async def echo(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message)


@BOTH
async def test_as_a_context_manager(library: Legacy) -> None:
    async with serving(library, echo) as port:
        async with library.client.connect(f"ws://127.0.0.1:{port}") as websocket:
            await websocket.send("x")
            assert await websocket.recv() == "x"
        assert (websocket.closed, websocket.close_code) == (True, 1000)


@BOTH
async def test_tls(library: Legacy, tls: Tls) -> None:
    async with serving(library, echo, ssl=tls.server) as port:
        uri = f"wss://localhost:{port}"
        async with library.client.connect(uri, ssl=tls.client) as websocket:
            await websocket.send(b"x" * 100_000)
            assert await websocket.recv() == b"x" * 100_000


async def test_context_of_the_wrong_side(tls: Tls) -> None:
    with pytest.raises(ValueError, match="ssl must be a context for a client"):
        await OURS.client.connect("wss://127.0.0.1:1/", ssl=tls.server)
    with pytest.raises(ValueError, match="ssl must be a context for a server"):
        await OURS.server.serve(echo, "127.0.0.1", 0, ssl=tls.client)


@BOTH
async def test_another_place_than_the_uri_names(library: Legacy) -> None:
    async with serving(library, echo) as port:
        connecting = library.client.connect("ws://elsewhere.invalid/", host="127.0.0.1", port=port)
        async with connecting as websocket:
            assert websocket.request_headers["Host"] == "elsewhere.invalid"


@BOTH
async def test_unix_sockets(library: Legacy, tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    async with (
        library.server.unix_serve(echo, path),
        library.client.unix_connect(path) as websocket,
    ):
        await websocket.send("x")
        assert await websocket.recv() == "x"
        assert websocket.request_headers["Host"] == "localhost"


@BOTH
async def test_iterating_connects_again_and_again(library: Legacy) -> None:
    rounds = 0
    async with serving(library, echo) as port:
        connecting = library.client.connect(f"ws://127.0.0.1:{port}")
        connecting.BACKOFF_INITIAL = 0.0
        connections = aiter(connecting)
        async for websocket in connections:
            rounds += 1
            await websocket.send("x")
            assert await websocket.recv() == "x"
            if rounds == 3:
                break
            await websocket.close(1011)
        await connections.aclose()
        assert websocket.closed


@BOTH
async def test_iterating_goes_on_after_a_failure(library: Legacy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    connecting = library.client.connect(f"ws://127.0.0.1:{port}")
    connecting.BACKOFF_INITIAL = connecting.BACKOFF_MIN = 0.01
    connections = aiter(connecting)
    attempt = asyncio.ensure_future(anext(connections))
    await asyncio.sleep(0.02)  # some attempts fail meanwhile, or all come later
    async with library.server.serve(echo, "127.0.0.1", port):
        websocket = await asyncio.wait_for(attempt, BOUND)
        assert websocket.open
        await connections.aclose()


async def redirected(library: Legacy, location: bytes, **options: Any) -> list[Any]:
    """Return the requests of a client that all responses but the second redirect to `location`."""
    requests: list[list[bytes]] = []
    async with contextlib.AsyncExitStack() as stack:
        target = await stack.enter_async_context(raw_server(ACCEPTED + b"\r\n", stays=True))
        found = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n"
        first = await stack.enter_async_context(
            raw_server(found % location.replace(b"PORT", b"%d" % target.port))
        )
        try:
            websocket = await library.client.connect(
                first.uri, compression=None, close_timeout=0.01, **options
            )
            await websocket.close()
            outcome = websocket.path
        except Exception as exc:
            outcome = describe(exc).replace(str(target.port), "PORT")
        for server in (first, target):
            for request in server.requests:
                lines = request.split(b"\r\n")
                private = (b"GET", b"Authorization", b"Cookie", b"Y")
                requests.append([line for line in lines if line.startswith(private)])
    return [outcome, *requests]


@pytest.mark.parametrize(
    "location",
    [
        b"ws://127.0.0.1:PORT/there",
        b"ws://localhost:PORT/there?query",
        b"http://127.0.0.1:PORT/there",
        b"ftp://x",
        b"/again",
    ],
)
async def test_redirects(location: bytes) -> None:
    private = {"Authorization": "a", "Cookie": "c", "Y": "z"}
    model = await redirected(MODEL, location, extra_headers=private)
    assert await redirected(OURS, location, extra_headers=private) == model


async def test_redirects_from_wss_to_ws() -> None:
    for library in (MODEL, OURS):
        connecting = library.client.connect("wss://localhost/")
        with pytest.raises(library.errors.SecurityError, match="redirect from WSS to WS"):
            connecting.handle_redirect("ws://localhost/")


async def test_redirects_with_a_socket_given() -> None:
    with socket.socket() as sock:
        connecting = OURS.client.connect("ws://localhost/", sock=sock)
        with pytest.raises(OURS.errors.SecurityError):
            connecting.handle_redirect("ws://elsewhere.invalid/")


@BOTH
async def test_no_answer_in_time(library: Legacy) -> None:
    async with raw_server(b"", stays=True) as server:
        with pytest.raises(TimeoutError):
            await library.client.connect(server.uri, open_timeout=0.01)


@BOTH
async def test_cancelling(library: Legacy) -> None:
    async with raw_server(b"", stays=True) as server:
        connecting = asyncio.ensure_future(connected(library, server.uri))
        while not server.requests:
            await asyncio.sleep(0)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting


async def connected(library: Legacy, uri: str) -> Any:
    return await library.client.connect(uri)


@BOTH
@pytest.mark.parametrize(
    ("uri", "options", "exception"),
    [
        ("http://x", {}, "InvalidURI"),
        ("ws://x", {"ssl": True}, "ValueError"),
        ("ws://x", {"compression": "zip"}, "ValueError"),
        ("ws://x", {"subprotocols": "abc"}, "TypeError"),
    ],
)
async def test_wrong_arguments(
    library: Legacy, uri: str, options: dict[str, Any], exception: str
) -> None:
    with pytest.raises(Exception, match=r".") as caught:
        library.client.connect(uri, **options)
    assert caught.type.__name__ == exception


@pytest.mark.parametrize("path", ["a b", "a\x0bb", "é f"])
def test_characters_that_would_break_the_request(path: str) -> None:
    """Websockets sends them."""
    uri = f"ws://x/{path}"
    with pytest.raises(InvalidURI) as caught:
        OURS.client.connect(uri)
    assert (caught.value.uri, "white space" in str(caught.value)) == (uri, True)


async def test_arguments_are_the_same() -> None:
    for name in ("connect", "unix_connect", "WebSocketClientProtocol"):
        model = inspect.signature(getattr(MODEL.client, name)).parameters
        ours = inspect.signature(getattr(OURS.client, name)).parameters
        assert [(key, value.kind) for key, value in model.items()] == [
            (key, value.kind) for key, value in ours.items()
        ]
        for key in model.keys() - {"user_agent_header"}:
            assert model[key].default == ours[key].default, key


async def test_protocols_that_forget_their_base(no_leaks: LoopErrors) -> None:
    cls = without_super_init(OURS.client.WebSocketClientProtocol)
    async with serving(OURS, echo) as port:
        with pytest.raises(RuntimeError, match=NO_SUPER_INIT):
            await OURS.client.connect(f"ws://127.0.0.1:{port}", create_protocol=cls)
    cls = without_super_init(OURS.server.WebSocketServerProtocol)
    async with serving(OURS, echo, create_protocol=cls) as port:
        with pytest.raises((InvalidMessage, ConnectionError)):
            await OURS.client.connect(f"ws://127.0.0.1:{port}")
    (context,) = no_leaks
    assert re.search(NO_SUPER_INIT, str(context["exception"]))
    no_leaks.clear()
