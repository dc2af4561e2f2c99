"""The exceptions of a client for bad responses, compared with websockets, causes included."""

import asyncio
from typing import Any

import pytest

import wscore
from tests.wscompat.libraries import BOUND, WEBSOCKETS, WSCOMPAT, Library
from tests.wscompat.raw import raw_server
from wscompat import exceptions
from wscompat.asyncio.handshake_errors import handshake_exception
from wscompat.uri import parse_uri

LINE = b"HTTP/1.1 101 Switching Protocols\r\n"
UPGRADE = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
ACCEPT = b"Sec-WebSocket-Accept: %KEY\r\n"
GOOD = LINE + UPGRADE + ACCEPT

SUBPROTOCOLS: dict[str, Any] = {"subprotocols": ["a"]}
COMPRESSION: dict[str, Any] = {"compression": "deflate"}

ANSWERS: list[tuple[bytes, dict[str, Any]]] = [
    (b"HTTP/1.1 404 Nope\r\nX: y\r\nContent-Length: 3\r\n\r\nabc", {}),
    (b"HTTP/1.1 503 Oh\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", {}),
    (b"HTTP/1.1 404 Pas trouv\xe9\r\nContent-Length: 0\r\n\r\n", {}),
    (b"HTTP/1.1 404 \r\n\r\nto the end", {}),
    (LINE + ACCEPT + b"\r\n", {}),
    (LINE + b"Connection: Upgrade\r\n" + ACCEPT + b"\r\n", {}),
    (LINE + b"Upgrade: websocket\r\n" + ACCEPT + b"\r\n", {}),
    (LINE + b"Upgrade: h2c\r\nConnection: close\r\n" + ACCEPT + b"\r\n", {}),
    (LINE + b"Upgrade: websocket, h2c\r\nConnection: Upgrade\r\n" + ACCEPT + b"\r\n", {}),
    (GOOD + b"Connection: keep alive\r\n\r\n", {}),
    (GOOD + b"Connection: Upgrade;q=1\r\n\r\n", {}),
    (LINE + UPGRADE + b"\r\n", {}),
    (LINE + UPGRADE + b"Sec-WebSocket-Accept: wrong\r\n\r\n", {}),
    (LINE + UPGRADE + ACCEPT + ACCEPT + b"\r\n", {}),
    (GOOD + b"Sec-WebSocket-Protocol: a\r\n\r\n", {}),
    (GOOD + b"Sec-WebSocket-Protocol: b\r\n\r\n", SUBPROTOCOLS),
    (GOOD + b"Sec-WebSocket-Protocol: a, b\r\n\r\n", SUBPROTOCOLS),
    (GOOD + b"Sec-WebSocket-Protocol: \r\n\r\n", SUBPROTOCOLS),
    (GOOD + b"Sec-WebSocket-Extensions: unknown\r\n\r\n", {}),
    (GOOD + b"Sec-WebSocket-Extensions: unknown; a=b\r\n\r\n", COMPRESSION),
    (GOOD + b"Sec-WebSocket-Extensions: ;\r\n\r\n", COMPRESSION),
    (GOOD + b"Sec-WebSocket-Extensions: permessage-deflate; what\r\n\r\n", COMPRESSION),
    (
        GOOD + b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=7\r\n\r\n",
        COMPRESSION,
    ),
    (
        GOOD + b"Sec-WebSocket-Extensions: permessage-deflate, permessage-deflate\r\n\r\n",
        COMPRESSION,
    ),
    (b"garbage\r\n\r\n", {}),
    (b"HTTP/1.0 101 Old\r\n\r\n", {}),
    (b"", {}),
    (LINE + b"Upgr", {}),
    (LINE + b"no colon\r\n\r\n", {}),
    (LINE + b"a b: c\r\n\r\n", {}),
    (LINE + b"a: b\0c\r\n\r\n", {}),
    (LINE + b"a: " + b"x" * 9000 + b"\r\n\r\n", {}),
    (LINE + b"a: b\r\n" * 129 + b"\r\n", {}),
]


def describe(exc: BaseException | None) -> Any:
    if exc is None:
        return None
    response = getattr(exc, "response", None)
    if response is None:
        return type(exc).__name__, str(exc), describe(exc.__cause__)
    fields = list(response.headers.raw_items())
    shown = response.status_code, response.reason_phrase, fields, bytes(response.body)
    return type(exc).__name__, str(exc), shown, describe(exc.__cause__)


async def outcome(library: Library, answer: bytes, options: dict[str, Any]) -> Any:
    options = {"compression": None, "proxy": None, **options}
    async with raw_server(answer) as server, asyncio.timeout(BOUND):
        with pytest.raises(Exception) as caught:
            await library.connect(server.uri, **options)
    return describe(caught.value)


@pytest.mark.parametrize(("answer", "options"), ANSWERS, ids=range(len(ANSWERS)))
async def test_same_as_the_model(answer: bytes, options: dict[str, Any]) -> None:
    assert await outcome(WSCOMPAT, answer, options) == await outcome(WEBSOCKETS, answer, options)


@pytest.mark.parametrize(
    ("exc", "kind", "text"),
    [
        (
            wscore.WSInvalidHeaderError("", "Content-Length", "3", response=None),
            exceptions.InvalidMessage,
            "did not receive a valid HTTP response",
        ),
        (  # cut off at its error: the rest is not missing
            wscore.WSInvalidMessageError("why", LINE + b"Content-Length: 99999999999999999999"),
            exceptions.InvalidMessage,
            "did not receive a valid HTTP response",
        ),
        (
            wscore.WSInvalidMessageError("why", GOOD + b"\r\n"),
            exceptions.InvalidMessage,
            "did not receive a valid HTTP response",
        ),
    ],
)
def test_judged_once_more(exc: wscore.WSHandshakeError, kind: type[Exception], text: str) -> None:
    error = handshake_exception(exc, parse_uri("ws://a"), None, None)
    assert type(error) is kind
    assert str(error) == text


async def test_stricter_than_the_model() -> None:
    """A body of a 101 is refused, in wscore's words."""
    async with raw_server(GOOD + b"Content-Length: 3\r\n\r\nabc") as server:
        with pytest.raises(exceptions.InvalidHeaderValue, match="Content-Length") as caught:
            await WSCOMPAT.connect(server.uri, proxy=None)
    assert isinstance(caught.value.__cause__, wscore.WSInvalidHeaderError)


async def opens(library: Library, field: bytes) -> bool:
    """Return whether a client accepts a 101 with these headers."""
    async with raw_server(GOOD + field + b"\r\n\r\n") as server, asyncio.timeout(BOUND):
        try:
            async with library.connect(server.uri, proxy=None, close_timeout=0.01):
                return True
        except exceptions.InvalidHandshake:
            return False


@pytest.mark.parametrize(
    ("field", "ours"),
    [
        (b"Content-Length: 0", True),
        (b"Content-Length: 3", False),
        (b"Transfer-Encoding: chunked", False),
    ],
)
async def test_101_that_announces_a_body(field: bytes, ours: bool) -> None:
    """Only the model ignores what no server may send (RFC 9110, 8.6; RFC 9112, 6.1)."""
    assert await opens(WEBSOCKETS, field)
    assert await opens(WSCOMPAT, field) is ours
