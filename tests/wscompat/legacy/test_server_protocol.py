"""Servers of the older interface: requests get the answers that websockets gives them."""

import asyncio
import http
import logging
import re
import socket
from collections.abc import Awaitable
from typing import Any

import pytest

from tests.support.tls import Tls
from tests.wscompat.legacy.models import (
    MODEL,
    OURS,
    Legacy,
    Peer,
    Record,
    closing,
    frame,
    run_case,
    serving,
)
from tests.wscompat.libraries import BOUND, port_of
from tests.wscompat.raw import REQUEST, raw_client

BOTH = pytest.mark.parametrize("library", [MODEL, OURS], ids=str)


async def answer(
    library: Legacy, request: bytes, caplog: pytest.LogCaptureFixture, **options: Any
) -> tuple[bytes, list[str]]:
    """Return the response of a server to a request, and its log."""
    caplog.clear()

    async def handler(websocket: Any) -> None:
        await websocket.close()

    logger = logging.getLogger("tests.legacy")
    async with (
        serving(library, handler, logger=logger, **options) as port,
        raw_client(port, request) as peer,
    ):
        received = await peer.rest() if b"Upgrade" not in request else await peer.head()
        if b"101" not in received.partition(b"\r\n")[0]:
            received += await peer.rest()
        else:
            peer.writer.write(b"\x88\x82\0\0\0\0\x03\xe8")
            await peer.rest()
    logged = [record.getMessage() for record in caplog.records if record.levelno >= logging.INFO]
    return _normal(received), [text for text in logged if not text.startswith("server ")]


def _normal(response: bytes) -> bytes:
    """Return a response without the parts that may differ: names, dates, and explanations."""
    head, _, body = response.partition(b"\r\n\r\n")
    head = re.sub(rb"(Date|Server|Content-Length): [^\r]*", rb"\1: X", head)
    return head + b"\r\n\r\n" + re.split(rb"; |\.\n", body)[0]


def without(line: bytes) -> bytes:
    assert line in REQUEST
    return REQUEST.replace(line, b"") + b"\r\n"


def instead(old: bytes, new: bytes) -> bytes:
    assert old in REQUEST
    return REQUEST.replace(old, new) + b"\r\n"


def with_fields(fields: bytes) -> bytes:
    return REQUEST + fields + b"\r\n"


KEY = b"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        REQUEST + b"\r\n",
        instead(b"GET", b"POST"),
        instead(b"HTTP/1.1", b"HTTP/1.0"),
        b"nonsense\r\n\r\n",
        without(b"Upgrade: websocket\r\n"),
        instead(b"Upgrade: websocket", b"Upgrade: h2c"),
        without(b"Connection: Upgrade\r\n"),
        instead(b"Connection: Upgrade", b"Connection: close"),
        without(KEY),
        instead(b"MDEyMzQ1Njc4OWFiY2RlZg==", b"aaaa"),
        instead(b"MDEyMzQ1Njc4OWFiY2RlZg==", b"!!"),
        with_fields(KEY),
        without(b"Sec-WebSocket-Version: 13\r\n"),
        instead(b"13", b"12"),
        without(b"Host: localhost\r\n"),
        with_fields(b"Sec-WebSocket-Protocol: ;;\r\n"),
        with_fields(b"Sec-WebSocket-Extensions: ;;\r\n"),
        with_fields(b"X: " + b"a" * 9000 + b"\r\n"),
        with_fields(b"X: a\r\n" * 140),
        with_fields(b"X Y: a\r\n"),
        instead(b"Connection: Upgrade", b"Connection: keep-alive, Upgrade"),
        instead(b"GET", b"HEAD"),
        instead(b"GET", b"BREW"),
        instead(b"GET", b"get"),
        instead(b"HTTP/1.1", b"HTTP/1.2"),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        with_fields(b"Sec-WebSocket-Protocol: ,a,,b,\r\n"),
        with_fields(b"Sec-WebSocket-Protocol: ,\r\n"),
        with_fields(b"Sec-WebSocket-Extensions: ,permessage-deflate, ,\r\n"),
        with_fields(b"Sec-WebSocket-Extensions: ,\r\n"),
        instead(b"Connection: Upgrade", b"Connection: ,keep-alive,,Upgrade,"),
    ],
)
async def test_requests(request_bytes: bytes, caplog: pytest.LogCaptureFixture) -> None:
    model = await answer(MODEL, request_bytes, caplog)
    assert await answer(OURS, request_bytes, caplog) == model


@pytest.mark.parametrize(
    "request_bytes",
    [
        without(b"Host: localhost\r\n"),
        b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
        b"GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        instead(b"GET", b"HEAD"),
        instead(b"HTTP/1.1", b"HTTP/1.0"),
    ],
)
async def test_health_checks(request_bytes: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """`process_request` is asked about the requests that the model asks it about."""
    found = 200, [("X-Number", 7)], b"fine"
    options = {"process_request": processing(found)}
    request_bytes = request_bytes.replace(b"Upgrade", b"Unknown")
    model = await answer(MODEL, request_bytes, caplog, **options)
    assert await answer(OURS, request_bytes, caplog, **options) == model


async def test_a_request_with_a_body_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """The model takes the body for frames."""
    request = with_fields(b"Content-Length: 3\r\n") + b"abc"
    response, _ = await answer(OURS, request, caplog)
    assert response.startswith(b"HTTP/1.1 400 ")


async def process(result: Any) -> Any:
    """Make a ``process_request`` that returns this, or raises it."""
    if isinstance(result, Exception):
        raise result
    return result


def processing(result: Any) -> Any:
    def process_request(path: str, headers: Any) -> Awaitable[Any]:
        return process(result)

    return process_request


@pytest.mark.parametrize(
    "options",
    [
        {"origins": ["http://ok"]},
        {"origins": ["http://ok", None]},
        {"subprotocols": ["b", "a"]},
        {"subprotocols": ["b", "a"], "select_subprotocol": lambda client, server: client[0]},
        {"extra_headers": {"X-Number": 7}},
        {"process_request": processing((503, {"Retry-After": 120}, b"later"))},
        {"subprotocols": ["b", "a"], "select_subprotocol": lambda client, server: None},
        {"select_subprotocol": lambda client, server: client[0]},
        {"extra_headers": {"X": "1"}},
        {"extra_headers": [("X", "1"), ("X", "2"), ("Server", "mine")]},
        {"extra_headers": lambda path, headers: [("X", path), ("Y", headers["host"])]},
        {"extra_headers": 3},
        {"server_header": None},
        {"process_request": processing(None)},
        {"process_request": processing((http.HTTPStatus.OK, [("X", "1")], b"fine"))},
        {"process_request": processing((404, {"Content-Type": "text/html"}, b""))},
        {"process_request": processing(ZeroDivisionError())},
        {"open_timeout": None},
    ],
)
@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"Origin: http://ok\r\n",
        b"Origin: http://bad\r\n",
        b"Origin: http://ok\r\n" * 2,
        b"Sec-WebSocket-Protocol: x, b, a\r\n",  # no tie: the model breaks it at random
        b"Sec-WebSocket-Protocol: b\r\nSec-WebSocket-Protocol: a\r\n",
        b"Sec-WebSocket-Protocol: z\r\n",
    ],
)
async def test_options(
    options: dict[str, Any], fields: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    request = with_fields(fields)
    model = await answer(MODEL, request, caplog, **options)
    assert await answer(OURS, request, caplog, **options) == model


@pytest.mark.parametrize("name", ["InvalidOrigin", "InvalidUpgrade", "NegotiationError", "Abort"])
async def test_process_request_raises(name: str, caplog: pytest.LogCaptureFixture) -> None:
    async def attempt(library: Legacy) -> Any:
        exceptions = {
            "InvalidOrigin": lambda: library.errors.InvalidOrigin("o"),
            "InvalidUpgrade": lambda: library.errors.InvalidUpgrade("Upgrade", "u"),
            "NegotiationError": lambda: library.errors.NegotiationError("no"),
            "Abort": lambda: library.exceptions.AbortHandshake(418, [("A", "b")], b"tea"),
        }
        process_request = processing(exceptions[name]())
        return await answer(library, REQUEST + b"\r\n", caplog, process_request=process_request)

    assert await attempt(OURS) == await attempt(MODEL)


@BOTH
async def test_process_request_that_does_not_wait(
    library: Legacy, caplog: pytest.LogCaptureFixture
) -> None:
    def process_request(path: str, headers: Any) -> Any:
        return http.HTTPStatus.OK, [], b"fine"

    with pytest.warns(DeprecationWarning, match="declare process_request as a coroutine"):
        response, _ = await answer(
            library, REQUEST + b"\r\n", caplog, process_request=process_request
        )
    assert response.startswith(b"HTTP/1.1 200 OK")


@BOTH
async def test_a_slow_request(library: Legacy) -> None:
    async with (
        serving(library, process, open_timeout=0.01) as port,
        raw_client(port, b"GET / HT") as peer,
    ):
        assert await peer.rest() == b""


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01"], ids=["nothing", "some"])
async def test_a_client_that_does_not_begin_tls(sent: bytes, tls: Tls) -> None:
    async with (
        serving(OURS, process, open_timeout=0.1, ssl=tls.server) as port,
        raw_client(port, sent) as peer,
    ):
        assert await peer.rest() == b""


async def test_the_time_begins_when_a_connection_is_accepted(tls: Tls) -> None:
    """A connection whose TLS handshake was slow ends before one that was accepted later."""
    async with (
        serving(OURS, process, open_timeout=0.6, ssl=tls.server) as port,
        raw_client(port) as slow,
    ):
        await asyncio.sleep(0.3)
        await slow.writer.start_tls(tls.client, server_hostname="127.0.0.1")
        async with raw_client(port) as later:
            ends = [asyncio.ensure_future(peer.rest()) for peer in (slow, later)]
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            assert done == {ends[0]}
            assert await asyncio.gather(*ends) == [b"", b""]


async def test_endless_empty_lines() -> None:
    async with serving(OURS, process) as port, raw_client(port, b"\r\n" * 40_000) as peer:
        assert (await peer.head()).startswith(b"HTTP/1.1 400 ")


@BOTH
async def test_process_request_that_takes_too_long(library: Legacy) -> None:
    async def process_request(path: str, headers: Any) -> None:
        await asyncio.Event().wait()

    async with (
        serving(library, process, open_timeout=0.01, process_request=process_request) as port,
        raw_client(port, REQUEST + b"\r\n") as peer,
    ):
        assert await peer.rest() == b""


@BOTH
async def test_a_client_that_goes_while_it_is_decided(
    library: Legacy, caplog: pytest.LogCaptureFixture
) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def process_request(path: str, headers: Any) -> None:
        asked.set()
        await answered.wait()

    opened = []

    async def handler(websocket: Any) -> None:
        opened.append(await asyncio.gather(websocket.recv(), return_exceptions=True))

    async with serving(library, handler, process_request=process_request) as port:
        async with raw_client(port, REQUEST + b"\r\n") as peer:
            await asyncio.wait_for(asked.wait(), BOUND)
            peer.writer.transport.abort()
        for _ in range(10):  # the server may learn of it, or not yet
            await asyncio.sleep(0)
        answered.set()
    assert all(isinstance(result, library.errors.ConnectionClosed) for (result,) in opened)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@BOTH
async def test_frames_that_come_while_it_is_decided(library: Legacy) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def process_request(path: str, headers: Any) -> None:
        if path == "/":
            asked.set()
            await answered.wait()

    async def echo(websocket: Any) -> None:
        async for message in websocket:
            await websocket.send(message)

    async with (
        serving(library, echo, process_request=process_request) as port,
        raw_client(port, REQUEST + b"\r\n" + frame(1, b"with it")) as peer,
    ):
        await asyncio.wait_for(asked.wait(), BOUND)
        peer.writer.write(frame(1, b"after it"))
        # When another client has been served, the server has read what was sent before.
        async with library.client.connect(f"ws://127.0.0.1:{port}/other"):
            answered.set()
        await peer.head()
        async with asyncio.timeout(BOUND):
            assert await peer.reader.readexactly(19) == b"\x81\x07with it\x81\x08after it"
        peer.writer.write(closing(1000))
        await peer.rest()


@BOTH
async def test_every_step_can_be_overridden(library: Legacy) -> None:
    seen: list[Any] = []

    class Protocol(library.server.WebSocketServerProtocol):  # type: ignore[misc,name-defined]
        async def read_http_request(self) -> Any:
            result = await super().read_http_request()
            seen.append(("read", result[0]))
            return result

        async def process_request(self, path: str, request_headers: Any) -> Any:
            seen.append(("process", path, self.open, bool(self.remote_address)))
            return await super().process_request(path, request_headers)

        def process_subprotocol(self, headers: Any, available_subprotocols: Any) -> str:
            seen.append(("subprotocol", available_subprotocols))
            return "mine"

        def connection_open(self) -> None:
            super().connection_open()
            seen.append(("open", self.open))

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            seen.append(("lost", self.closed))

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        record.note(websocket.subprotocol, websocket.path, websocket.request_headers["host"])
        record.note(websocket.response_headers["sec-websocket-protocol"], websocket.origin)

    events = await run_case(library, case, create_protocol=Protocol)
    assert events[:2] == [("mine", "/", "localhost"), ("mine", None)]
    assert seen == [
        ("read", "/"),
        ("process", "/", False, True),
        ("subprotocol", None),
        ("open", True),
        ("lost", True),
    ]


@BOTH
async def test_select_subprotocol_can_be_overridden(library: Legacy) -> None:
    class Protocol(library.server.WebSocketServerProtocol):  # type: ignore[misc,name-defined]
        def select_subprotocol(self, client: Any, server: Any) -> Any:
            return f"{client[-1]}"

    async def handler(websocket: Any) -> None:
        await websocket.wait_closed()

    async with serving(library, handler, create_protocol=Protocol, subprotocols=["a", "b"]) as port:
        request = with_fields(b"Sec-WebSocket-Protocol: a, b\r\n")
        async with raw_client(port, request) as peer:
            assert b"Sec-WebSocket-Protocol: b\r\n" in await peer.head()


@BOTH
async def test_handlers_with_a_path(library: Legacy) -> None:
    paths: asyncio.Queue[str] = asyncio.Queue()

    async def handler(websocket: Any, path: str) -> None:
        await paths.put(path)

    with pytest.warns(DeprecationWarning, match="remove second argument of ws_handler"):
        serve = library.server.serve(handler, "127.0.0.1", 0)
    async with serve as server:
        port = port_of(server)
        async with raw_client(port, REQUEST + b"\r\n") as peer:
            assert await asyncio.wait_for(paths.get(), BOUND) == "/"
            await peer.head()
            peer.writer.write(b"\x88\x80\0\0\0\0")
            await peer.rest()


@BOTH
async def test_a_handler_that_raises(library: Legacy, caplog: pytest.LogCaptureFixture) -> None:
    async def handler(websocket: Any) -> None:
        raise ZeroDivisionError

    async with serving(library, handler) as port, raw_client(port, REQUEST + b"\r\n") as peer:
        await peer.head()
        assert await peer.rest() == b"\x88\x02\x03\xf3"
    assert "connection handler failed" in caplog.text


async def _receive(websocket: Any) -> None:
    await websocket.recv()
    await websocket.recv()


async def _iterate(websocket: Any) -> None:
    async for _ in websocket:
        pass


async def _send_and_receive(websocket: Any) -> None:
    await websocket.send("a")
    await _receive(websocket)


@pytest.mark.parametrize("handler", [_receive, _iterate, _send_and_receive])
@pytest.mark.parametrize(
    "sent",
    [b"", b"\x81\x81\0\0\0\0a", b"\x88\x82\0\0\0\0\x03\xe8"],
    ids=["nothing", "message", "CLOSE"],
)
async def test_client_that_leaves_right_behind_its_request(
    sent: bytes, handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """That the handler fails is nothing to report. (The model reports it each time.)"""
    caplog.set_level("INFO")
    async with serving(OURS, handler) as port:
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(REQUEST + b"\r\n" + sent)
            client.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(BOUND):
                while "connection closed" not in caplog.messages:
                    await asyncio.sleep(0.001)
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []
