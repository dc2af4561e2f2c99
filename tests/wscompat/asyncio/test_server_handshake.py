"""The decisions of the server and of the user about a request, compared with websockets."""

import asyncio
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import pytest

from tests.wscompat.libraries import BOUND, WEBSOCKETS, WSCOMPAT, Library, port_of, serving
from tests.wscompat.raw import REQUEST, raw_client

LIBRARIES = pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=repr)

ORIGINS = ["http://a.example", re.compile(r"https?://[a-z]+\.test"), None]


async def nothing(connection: Any) -> None:
    pass


async def answer(library: Library, fields: bytes, **options: Any) -> tuple[str, list[str], str]:
    """Status, subprotocol and body of the answer to a request with these fields."""
    async with serving(library, nothing, close_timeout=0.05, **options) as server:
        port = port_of(server)
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
    "request_head",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\n\r\n",
        REQUEST.replace(b"Version: 13", b"Version: 8") + b"\r\n",
    ],
    ids=["a browser", "an old version"],
)
async def test_what_is_no_upgrade(request_head: bytes) -> None:
    """The response has the same text, also of a server that has nothing else to decide."""

    async def refused(library: Library) -> tuple[set[str], bytes]:
        async with serving(library, nothing) as server:
            port = port_of(server)
            async with raw_client(port, request_head) as client:
                lines = (await client.head()).decode().split("\r\n")
                return {line.partition(": ")[0] for line in lines}, await client.rest()

    assert await refused(WSCOMPAT) == await refused(WEBSOCKETS)


@pytest.mark.parametrize(
    "fields",
    [
        b"Sec-WebSocket-Extensions: permessage-deflate,\r\n",
        b"Sec-WebSocket-Extensions: ,, permessage-deflate , x\r\n",
        b"Sec-WebSocket-Extensions: ,\r\n",
        b"Sec-WebSocket-Protocol: soap,,chat\r\n",
        b"Sec-WebSocket-Protocol: \t,chat,\r\n",
        b"Sec-WebSocket-Protocol: , ,\r\n",
        b"Sec-WebSocket-Protocol: \xa0chat\r\n",
    ],
)
@pytest.mark.parametrize(
    "options",
    [{}, {"subprotocols": ["chat"]}, {"compression": "deflate", "subprotocols": ["chat"]}],
    ids=["nothing", "subprotocols", "all"],
)
async def test_lists_with_empty_items(fields: bytes, options: dict[str, Any]) -> None:
    """RFC 9110, 5.6.1.2."""
    missing = b"Protocol" not in fields and "subprotocols" in options
    if missing:
        fields += b"Sec-WebSocket-Protocol: chat\r\n"
    ours, model = [
        await full_answer(library, None, REQUEST + fields + b"\r\n", **options)
        for library in (WSCOMPAT, WEBSOCKETS)
    ]
    if b"Extensions: ,\r" in fields and "compression" not in options:
        assert ours[0] == "HTTP/1.1 400 Bad Request"  # the model looks at it if it supports some
    elif options:
        assert ours[:-1] == model[:-1]
    elif b"\xa0" in fields or b", ,\r" in fields:
        assert ours[0] == model[0]  # wscore's own words
    else:
        assert ours == model


@pytest.mark.parametrize(
    "line",
    [
        b"Upgrade: \xa0websocket",
        b"Upgrade: websocket\x85",
        b"Upgrade: websocket;q=1",
        b"Upgrade: websocket, websocket",
        b"Upgrade: websocket\r\nUpgrade: h2c",
        b"Connection: Upgrade\xa0",
        b"Connection: Upgrade;q=1",
        b"Connection: Upgrade, keep alive",
        b"Connection: Upgrade\r\nConnection: Upgrade;q=1",
    ],
)
@pytest.mark.parametrize("options", [{}, {"subprotocols": ["chat"]}])
async def test_wrong_lists(line: bytes, options: dict[str, Any]) -> None:
    """White space is SP and HTAB only; each item is a token, and the protocol is one."""
    name = line.partition(b":")[0]
    sent = re.sub(rb"(?m)^" + name + rb":.*\r$", lambda _: line + b"\r", REQUEST) + b"\r\n"
    assert line in sent
    ours = await full_answer(WSCOMPAT, None, sent, **options)
    assert ours[0].split()[1] in ("400", "426")
    assert ours[0] == (await full_answer(WEBSOCKETS, None, sent, **options))[0]


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
    assert connection.response is None  # there is none yet
    response = connection.respond(403, "no\n")
    response.headers["X-Path"] = request.path
    response.headers["X-Path"] = connection.request.headers["Host"]
    return response


def go_on(connection: Any, request: Any) -> Any:
    assert connection.state.name == "CONNECTING"
    assert connection.request is request


async def go_on_later(connection: Any, request: Any) -> Any:
    """Return None from a coroutine function."""


def fail(connection: Any, request: Any) -> Any:
    raise LookupError("its own error")


async def full_answer(
    library: Library, process_request: Any, sent: bytes, **options: Any
) -> list[str]:
    """Return the whole response, without the parts that always differ."""
    async with serving(
        library, nothing, process_request=process_request, close_timeout=0.05, **options
    ) as server:
        port = port_of(server)
        async with raw_client(port, sent) as client:
            answer = (await client.rest()).decode("latin-1")
    head, _, body = answer.partition("\r\n\r\n")
    # The last answer of a connection says so here, also where the program did not.
    ignored = ("Date:", "Server:", "Connection: close")
    lines = [line for line in head.split("\r\n") if not line.startswith(ignored)]
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
    assert "its own error" in str(record.exc_info[1])


async def test_process_request_that_returns_nonsense() -> None:
    (status, *_) = await full_answer(WSCOMPAT, lambda *_: 3, REQUEST + b"\r\n")
    assert status == "HTTP/1.1 500 Internal Server Error"


async def wait(connection: Any, request: Any) -> None:
    assert connection.remote_address[0] == "127.0.0.1"
    await asyncio.sleep(0)


async def wait_and_refuse(connection: Any, request: Any) -> Any:
    await asyncio.sleep(0)
    return connection.respond(403, "after a while\n")


async def wait_and_fail(connection: Any, request: Any) -> Any:
    await asyncio.sleep(0)
    raise LookupError("its own error")


def accept(connection: Any, request: Any) -> Any:
    return connection.protocol.accept(request)


@pytest.mark.parametrize(
    "process_request",
    [wait, wait_and_refuse, wait_and_fail, accept],
    ids=lambda function: function.__name__,
)
async def test_process_request_that_waits(process_request: Any) -> None:
    ours = await full_answer(WSCOMPAT, process_request, REQUEST + b"\r\n")
    assert ours == await full_answer(WEBSOCKETS, process_request, REQUEST + b"\r\n")


@LIBRARIES
async def test_server_that_closes_while_process_request_waits(library: Library) -> None:
    asked, decided = asyncio.Event(), asyncio.Event()

    async def decide(connection: Any, request: Any) -> None:
        asked.set()
        await decided.wait()

    async with (
        serving(library, nothing, process_request=decide) as server,
        raw_client(port_of(server), REQUEST + b"\r\n") as client,
    ):
        async with asyncio.timeout(BOUND):
            await asked.wait()
        server.close()
        decided.set()
        assert (await client.head()).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert await client.rest() == b"Server is shutting down.\n"


# -- process_response


def look(connection: Any, request: Any, response: Any) -> None:
    assert connection.request is request
    assert connection.response is response
    assert connection.state.name == "CONNECTING"
    response.headers["X-Seen"] = ", ".join(sorted(name.lower() for name in response.headers))


async def replace(connection: Any, request: Any, response: Any) -> Any:
    await asyncio.sleep(0)
    kind = type(response)
    return kind(403, "Forbidden", type(response.headers)({"X-New": "1"}), b"no")


def replace_by_another_101(connection: Any, request: Any, response: Any) -> Any:
    headers = response.headers.copy()
    headers["X-New"] = "1"
    return type(response)(101, "Switching Protocols", headers)


def fail_late(connection: Any, request: Any, response: Any) -> Any:
    raise LookupError("its own error")


NO_UPGRADE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("sent", [REQUEST + b"\r\n", NO_UPGRADE], ids=["upgrade", "plain"])
@pytest.mark.parametrize("process_request", [None, respond_ok, wait_and_fail])
@pytest.mark.parametrize(
    "process_response",
    [look, replace, fail_late],
    ids=lambda function: function.__name__,
)
async def test_process_response(process_response: Any, process_request: Any, sent: bytes) -> None:
    """It sees all responses, those of `process_request` and refusals among them."""
    options = {"process_response": process_response}
    ours = await full_answer(WSCOMPAT, process_request, sent, **options)
    assert ours == await full_answer(WEBSOCKETS, process_request, sent, **options)


async def test_process_response_that_accepts() -> None:
    options = {"process_response": replace_by_another_101}
    ours = await full_answer(WSCOMPAT, None, REQUEST + b"\r\n", **options)
    assert ours == await full_answer(WEBSOCKETS, None, REQUEST + b"\r\n", **options)
    assert "X-New: 1" in ours


async def test_process_response_with_compression() -> None:
    """It sees the negotiated parameters, and they apply."""
    offer = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    options = {"process_response": look, "compression": "deflate"}
    ours = await full_answer(WSCOMPAT, None, REQUEST + offer, **options)
    assert ours == await full_answer(WEBSOCKETS, None, REQUEST + offer, **options)
    assert any(line.startswith("Sec-WebSocket-Extensions: permessage-deflate;") for line in ours)


async def test_bytes_behind_the_request_are_kept() -> None:
    received = []

    async def receive(connection: Any) -> None:
        received.append(await connection.recv())

    async with serving(WSCOMPAT, receive, process_request=go_on_later) as server:
        sent = REQUEST + b"\r\n\x81\x82\0\0\0\0hi"
        async with raw_client(port_of(server), sent) as client:
            assert (await client.head()).startswith(b"HTTP/1.1 101 ")
            assert await client.reader.readexactly(4) == b"\x88\x02\x03\xe8"
    assert received == ["hi"]
