"""`connect` more than once: redirects, reconnecting, and other ways to a server."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support.tls import Tls
from tests.wscompat.asyncio.test_client import failure
from tests.wscompat.libraries import BOUND, WEBSOCKETS, WSCOMPAT, serving, uri_of
from tests.wscompat.raw import raw_server
from wscompat.asyncio.client import connect, unix_connect
from wscompat.exceptions import InvalidMessage, SecurityError


def moved(location: str | None, status: int = 302) -> bytes:
    field = b"" if location is None else f"Location: {location}\r\n".encode()
    return b"HTTP/1.1 %d Moved\r\n%sContent-Length: 0\r\n\r\n" % (status, field)


async def stay(connection: Any) -> None:
    await connection.wait_closed()


# -- redirects


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_redirect_to_another_server(status: int) -> None:
    async with serving(WSCOMPAT, stay) as server:
        async with raw_server(moved(uri_of(server) + "new?query", status)) as first:
            private = {"Authorization": "secret", "Cookie": "secret", "X-Own": "kept"}
            async with connect(first.uri, additional_headers=private) as connection:
                assert connection.request.path == "/new?query"
                assert connection.request.headers["X-Own"] == "kept"
                assert "Authorization" not in connection.request.headers
                assert "Cookie" not in connection.request.headers
                assert connection.request.headers["Host"] in uri_of(server)
        assert b"Cookie: secret" in first.requests[0]


async def test_redirect_on_the_same_server() -> None:
    async with raw_server(moved("other/path?query")) as server:
        with pytest.raises(SecurityError, match="more than 10 redirects"):
            await connect(server.uri + "a/b?c", additional_headers={"Cookie": "ours"})
        first, second, *_ = server.requests
        assert first.startswith(b"GET /a/b?c HTTP/1.1")
        assert second.startswith(b"GET /a/other/path?query HTTP/1.1")
        assert b"Cookie: ours" in second
        assert len(server.requests) == 10


@pytest.mark.parametrize(
    "answer",
    [
        moved("/again"),
        moved(None),
        moved("http://127.0.0.1/"),
        moved("ftp://127.0.0.1/"),
        moved("/x", 304),
        moved("ws://[::1"),
    ],
)
async def test_redirects_that_fail(answer: bytes) -> None:
    async with raw_server(answer) as server:
        ours = await failure(WSCOMPAT, server.uri)
        if answer == moved("ws://[::1"):  # a ValueError in websockets
            assert ours[0] == "InvalidURI"
        else:
            assert ours == await failure(WEBSOCKETS, server.uri)


async def test_redirect_to_another_origin_than_the_given_host() -> None:
    async with raw_server(moved("ws://localhost:1/")) as server:
        options = {"host": "127.0.0.1", "port": server.port}
        ours = await failure(WSCOMPAT, server.uri, **options)
        assert ours == await failure(WEBSOCKETS, server.uri, **options)
        assert ours[0] == "ValueError"


@pytest.mark.parametrize("location", ["/again", "ws://localhost:1/"])
async def test_redirect_with_a_socket(location: str) -> None:
    """It has served once, wherever the redirect leads."""
    outcomes = []
    async with raw_server(moved(location)) as server:
        for library in (WSCOMPAT, WEBSOCKETS):
            sock = socket.create_connection(("127.0.0.1", server.port))
            uri = "ws://localhost/"
            outcomes.append(await failure(library, uri, sock=sock))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == "ValueError"


@pytest.mark.parametrize("uri", ["http://localhost/", "ws://", "localhost", None])
def test_uris_are_looked_at_at_once(uri: Any) -> None:
    for library in (WSCOMPAT, WEBSOCKETS):
        with pytest.raises(library.exceptions.InvalidURI):
            library.connect(uri)
        with pytest.raises(ValueError, match="ssl argument is incompatible with a ws:// URI"):
            library.connect("ws://localhost/", ssl=True)


def test_redirect_away_from_tls() -> None:
    from wscompat.datastructures import Headers
    from wscompat.exceptions import InvalidStatus
    from wscompat.http11 import Response

    response = Response(302, "Found", Headers(Location="ws://example.com/"))
    exc = connect("wss://example.com/").process_redirect(InvalidStatus(response))
    assert isinstance(exc, SecurityError)
    assert str(exc) == "cannot follow redirect to non-secure URI ws://example.com/"


# -- reconnecting


def no_delay() -> Generator[float, None, None]:
    while True:
        yield 0.0


async def test_one_connection_after_the_other() -> None:
    codes = []
    async with serving(WSCOMPAT, stay) as server:
        async for connection in connect(uri_of(server)):
            codes.append(connection.close_code)
            if len(codes) == 3:
                break
            assert connection.state.name == "OPEN"
        async with asyncio.timeout(BOUND):
            await connection.wait_closed()
    assert codes == [None, None, None]


async def test_failed_attempts_are_repeated(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "websockets.client")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    running = contextlib.AsyncExitStack()

    def delays() -> Generator[float, None, None]:
        yield 0.01
        yield 0.02
        starting.set()
        yield from no_delay()

    starting = asyncio.Event()

    async def start() -> None:
        await starting.wait()
        server = await WSCOMPAT.serve(stay, "127.0.0.1", port)
        running.push_async_callback(server.wait_closed)
        running.callback(server.close)

    start_later = asyncio.ensure_future(start())
    async with asyncio.timeout(BOUND):
        async for connection in connect(f"ws://127.0.0.1:{port}/", reconnect_delays=delays):
            await connection.close()
            break
        await start_later
    await running.aclose()
    lines = [record.getMessage() for record in caplog.records if record.name == "websockets.client"]
    assert lines[0].startswith(
        "connect failed; reconnecting in 0.0 seconds: ConnectionRefusedError: "
    )


async def test_fatal_failures_are_raised() -> None:
    async with raw_server(b"HTTP/1.1 404 Not Found\r\n\r\n") as server:
        with pytest.raises(Exception, match="HTTP 404"):
            await anext(aiter(connect(server.uri)))
    assert len(server.requests) == 1


async def test_a_server_that_hangs_up_is_tried_again() -> None:
    def once() -> Generator[float, None, None]:
        yield 0.0
        raise ValueError("enough")

    async with raw_server(b"") as server:
        with pytest.raises(ValueError, match="enough") as caught:
            await anext(aiter(connect(server.uri, reconnect_delays=once)))
        assert isinstance(caught.value.__context__, InvalidMessage)
    assert len(server.requests) == 2


async def test_process_exception() -> None:
    seen: list[Exception] = []

    def process(exc: Exception) -> Exception | None:
        seen.append(exc)
        return None if len(seen) < 3 else LookupError("mine")

    async with raw_server(b"garbage\r\n\r\n") as server:
        options: dict[str, Any] = {"process_exception": process, "reconnect_delays": no_delay}
        with pytest.raises(LookupError, match="mine") as caught:
            await anext(aiter(connect(server.uri, **options)))
    assert len(seen) == 3
    assert caught.value.__cause__ is seen[-1]


# -- Unix sockets


@contextlib.asynccontextmanager
async def unix_server(path: Path, **options: Any) -> AsyncIterator[Any]:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    server = await WSCOMPAT.serve(stay, sock=listener, **options)
    try:
        yield server
    finally:
        server.close()
        await server.wait_closed()


async def test_unix_connect(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    async with unix_server(path), unix_connect(path) as connection:
        assert connection.request.headers["Host"] == "localhost"
        assert connection.request.path == "/"
    path = tmp_path / "other"
    async with unix_server(path), unix_connect(str(path), "ws://example.com/path") as connection:
        assert connection.request.headers["Host"] == "example.com"
        assert connection.request.path == "/path"


async def test_unix_connect_over_tls(tmp_path: Path, tls: Tls) -> None:
    path = tmp_path / "socket"
    async with unix_server(path, ssl=tls.server), unix_connect(path, ssl=tls.client) as connection:
        assert connection.transport.get_extra_info("ssl_object") is not None


async def test_unix_connect_to_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await unix_connect(tmp_path / "nothing")
