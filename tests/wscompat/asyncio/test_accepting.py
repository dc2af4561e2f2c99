"""Origins and subprotocols: the decisions of the server, compared with those of websockets."""

import asyncio
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import pytest

from tests.wscompat.libraries import WEBSOCKETS, WSCOMPAT, Library, serving
from tests.wscompat.raw import REQUEST, raw_client

ORIGINS = ["http://a.example", re.compile(r"https?://[a-z]+\.test"), None]


async def nothing(connection: Any) -> None:
    pass


async def answer(library: Library, fields: bytes, **options: Any) -> tuple[str, list[str], str]:
    """Status, subprotocol and body of the answer to a request with these fields."""
    async with serving(library, nothing, close_timeout=0.05, **options) as server:
        port = server.sockets[0].getsockname()[1]
        async with raw_client(port, REQUEST + fields + b"\r\n") as client:
            status, *lines = (await client.head()).decode().split("\r\n")
            body = await client.rest()
    chosen = [line for line in lines if line.startswith("Sec-WebSocket-Protocol")]
    return status, chosen, "" if " 101 " in status else body.decode()


async def check_same(fields: bytes, **options: Any) -> tuple[str, list[str], str]:
    ours = await answer(WSCOMPAT, fields, **options)
    assert ours == await answer(WEBSOCKETS, fields, **options)
    return ours


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://a.example", True),
        ("http://A.example", False),
        ("http://a.example.org", False),
        ("https://abc.test", True),
        ("https://abc.test.org", False),
        ("null", False),
        ("", False),
    ],
)
async def test_origins(origin: str | None, allowed: bool) -> None:
    fields = b"" if origin is None else f"Origin: {origin}\r\n".encode()
    status, _, body = await check_same(fields, origins=ORIGINS)
    assert status == f"HTTP/1.1 {'101 Switching Protocols' if allowed else '403 Forbidden'}"
    assert body.startswith("" if allowed else "Failed to open a WebSocket connection: ")


async def test_origin_is_required_unless_none_is_allowed() -> None:
    status, _, body = await check_same(b"", origins=["http://a.example"])
    assert status == "HTTP/1.1 403 Forbidden"
    assert body == "Failed to open a WebSocket connection: missing Origin header.\n"


async def test_two_origins() -> None:
    fields = b"Origin: http://a.example\r\nOrigin: http://a.example\r\n"
    status, _, _ = await answer(WSCOMPAT, fields, origins=ORIGINS)
    assert status == "HTTP/1.1 400 Bad Request"


@pytest.mark.parametrize(
    ("supported", "offered", "expected"),
    [
        (None, "a", None),
        ([], "a", None),
        (["a"], "a", "a"),
        (["a", "b"], "b, a", "a"),
        (["a", "b"], "c,b", "b"),
        (["a"], "b", 400),
        (["a"], None, 400),
        (["a"], "A", 400),
    ],
)
async def test_subprotocols(
    supported: list[str] | None, offered: str | None, expected: str | int | None
) -> None:
    fields = b"" if offered is None else f"Sec-WebSocket-Protocol: {offered}\r\n".encode()
    status, chosen, _ = await check_same(fields, subprotocols=supported)
    assert (status == "HTTP/1.1 400 Bad Request") == (expected == 400)
    assert chosen == ([f"Sec-WebSocket-Protocol: {expected}"] if isinstance(expected, str) else [])


@pytest.mark.parametrize("offered", ["a", "b", "a, b", None])
async def test_select_subprotocol(offered: str | None) -> None:
    def select(connection: Any, names: Sequence[str]) -> str | None:
        return "b" if "b" in names else None

    fields = b"" if offered is None else f"Sec-WebSocket-Protocol: {offered}\r\n".encode()
    status, chosen, _ = await check_same(fields, subprotocols=["a", "b"], select_subprotocol=select)
    assert status == "HTTP/1.1 101 Switching Protocols"
    assert bool(chosen) == ("b" in (offered or ""))


@pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=repr)
async def test_select_subprotocol_that_refuses(library: Library) -> None:
    def select(connection: Any, names: Sequence[str]) -> str | None:
        raise library.exceptions.NegotiationError("not today")

    status, _, body = await answer(library, b"", subprotocols=["a"], select_subprotocol=select)
    assert status == "HTTP/1.1 400 Bad Request"
    assert body == "Failed to open a WebSocket connection: not today.\n"


# -- process_request


def respond_ok(connection: Any, request: Any) -> Any:
    return connection.respond(HTTPStatus.OK, "ok ž\n")


def respond_late(connection: Any, request: Any) -> Any:
    async def later() -> Any:
        return connection.respond(503, "later\n")

    return later()


def respond_with_fields(connection: Any, request: Any) -> Any:
    response = connection.respond(403, "no\n")
    response.headers["X-Path"] = request.path
    response.headers["X-Path"] = connection.request.headers["Host"]
    return response


def go_on(connection: Any, request: Any) -> Any:
    assert connection.state.name == "CONNECTING"
    assert connection.request is request


async def go_on_later(connection: Any, request: Any) -> Any:
    """A coroutine function."""


def fail(connection: Any, request: Any) -> Any:
    raise LookupError("its own fault")


async def full_answer(library: Library, process_request: Any, sent: bytes) -> list[str]:
    """The whole answer, without what differs by nature."""
    async with serving(
        library, nothing, process_request=process_request, close_timeout=0.05
    ) as server:
        port = server.sockets[0].getsockname()[1]
        async with raw_client(port, sent) as client:
            answer = (await client.rest()).decode("latin-1")
    head, _, body = answer.partition("\r\n\r\n")
    lines = [line for line in head.split("\r\n") if not line.startswith(("Date:", "Server:"))]
    if "101" in lines[0]:
        lines.sort()
    return [*lines, body]


@pytest.mark.parametrize(
    "process_request",
    [respond_ok, respond_late, respond_with_fields, go_on, go_on_later, fail],
    ids=lambda function: function.__name__,
)
async def test_process_request(process_request: Any) -> None:
    sent = REQUEST.replace(b"/", b"/path?query", 1) + b"\r\n"
    ours = await full_answer(WSCOMPAT, process_request, sent)
    assert ours == await full_answer(WEBSOCKETS, process_request, sent)


async def test_process_request_answers_what_is_no_upgrade() -> None:
    sent = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    ours = await full_answer(WSCOMPAT, respond_ok, sent)
    assert ours == await full_answer(WEBSOCKETS, respond_ok, sent)
    assert ours[0] == "HTTP/1.1 200 OK"
    (status, *_) = await full_answer(WSCOMPAT, go_on, sent)
    assert status == "HTTP/1.1 426 Upgrade Required"


async def test_process_request_that_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    await full_answer(WSCOMPAT, fail, REQUEST + b"\r\n")
    (record,) = (r for r in caplog.records if r.getMessage() == "process_request failed")
    assert record.exc_info is not None
    assert "its own fault" in str(record.exc_info[1])


async def test_process_request_that_returns_nonsense() -> None:
    (status, *_) = await full_answer(WSCOMPAT, lambda *_: 3, REQUEST + b"\r\n")
    assert status == "HTTP/1.1 500 Internal Server Error"


async def test_process_request_that_waits(caplog: pytest.LogCaptureFixture) -> None:
    async def wait(connection: Any, request: Any) -> None:
        await asyncio.sleep(0)

    (status, *_) = await full_answer(WSCOMPAT, wait, REQUEST + b"\r\n")
    assert status == "HTTP/1.1 500 Internal Server Error"
    (record,) = (r for r in caplog.records if r.getMessage() == "process_request failed")
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "process_request cannot wait for anything"


async def test_bytes_behind_the_request_are_kept() -> None:
    received = []

    async def receive(connection: Any) -> None:
        received.append(await connection.recv())

    async with serving(WSCOMPAT, receive, process_request=go_on_later) as server:
        sent = REQUEST + b"\r\n\x81\x82\0\0\0\0hi"
        async with raw_client(server.sockets[0].getsockname()[1], sent) as client:
            assert (await client.head()).startswith(b"HTTP/1.1 101 ")
            assert await client.reader.readexactly(4) == b"\x88\x02\x03\xe8"
    assert received == ["hi"]
