"""Tests of `wscompat.legacy.client_protocol`: answers are judged as websockets judges them."""

import re
from typing import Any

import pytest

from tests.wscompat.legacy.models import MODEL, OURS, Legacy, describe
from tests.wscompat.libraries import BOUND
from tests.wscompat.raw import ACCEPTED, raw_server


async def attempt(library: Legacy, answer: bytes, **options: Any) -> list[Any]:
    """Return a client's request, and its result for a response."""
    stays = answer.startswith(ACCEPTED)
    async with raw_server(answer, stays=stays) as server:
        try:
            websocket = await library.client.connect(
                options.pop("uri", server.uri).replace("PORT", str(server.port)),
                **{"compression": None, "close_timeout": 0.01, "open_timeout": BOUND, **options},
            )
        except Exception as exc:
            status = getattr(exc, "status_code", None), list(getattr(exc, "headers", ()))
            outcome: list[Any] = [describe(exc), type(exc.__cause__).__name__, *status]
        else:
            outcome = [websocket.subprotocol, websocket.path, websocket.origin, websocket.open]
            outcome += [list(websocket.request_headers), list(websocket.response_headers)]
            await websocket.close()
    request = re.sub(rb"(Sec-WebSocket-Key|User-Agent|Host): [^\r]*", rb"\1: X", server.requests[0])
    return [request, *outcome]


async def compare(answer: bytes, **options: Any) -> list[Any]:
    model, ours = await attempt(MODEL, answer, **options), await attempt(OURS, answer, **options)
    # The model keeps bytes that are not ASCII as surrogates.
    model[1:2] = [str(text).replace("\udca0", "\xa0") for text in model[1:2]]
    ours[1:2] = map(str, ours[1:2])
    if "missing" in str(ours[1]):  # the model's cause is the KeyError of a look-up
        model[2] = ours[2]
    assert ours == model
    return ours


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"extra_headers": {"X": "y"}, "origin": "http://o", "subprotocols": ["a", "b"]},
        {"extra_headers": [("X", "y"), ("X", "z")], "user_agent_header": None},
        {"extra_headers": [("User-Agent", "mine")]},
        {"extra_headers": {"X-Number": 7}},
        {"extra_headers": [("X-Number", 7), ("X-None", None)]},
        {"uri": "ws://user:p%40ss@127.0.0.1:PORT/path?query"},
    ],
)
async def test_requests(options: dict[str, Any]) -> None:
    await compare(ACCEPTED + b"\r\n", **options)


@pytest.mark.parametrize(
    ("answer", "subprotocols"),
    [
        (ACCEPTED + b"Sec-WebSocket-Protocol: b\r\n\r\n", ["a", "b"]),
        (ACCEPTED + b"Sec-WebSocket-Protocol: c\r\n\r\n", ["a", "b"]),
        (ACCEPTED + b"Sec-WebSocket-Protocol: c\r\n\r\n", None),
        (ACCEPTED + b"Sec-WebSocket-Protocol: a, b\r\n\r\n", ["a", "b"]),
        (ACCEPTED + b"Sec-WebSocket-Protocol: ,b, ,\r\n\r\n", ["a", "b"]),
        (ACCEPTED + b"Sec-WebSocket-Protocol: ,\r\n\r\n", ["a", "b"]),
        (ACCEPTED + b"Sec-WebSocket-Protocol: \xa0b\r\n\r\n", ["a", "b"]),
        (ACCEPTED + b"Sec-WebSocket-Extensions: ,unasked,\r\n\r\n", None),
        (ACCEPTED.replace(b"Upgrade: websocket", b"Upgrade: \xa0websocket") + b"\r\n", None),
        (ACCEPTED.replace(b"Upgrade: websocket", b"Upgrade: ,websocket,") + b"\r\n", None),
        (ACCEPTED + b"Sec-WebSocket-Extensions: unasked\r\n\r\n", None),
        (ACCEPTED.replace(b"%KEY", b"wrong") + b"\r\n", None),
        (ACCEPTED.replace(b"Sec-WebSocket-Accept: %KEY\r\n", b"") + b"\r\n", None),
        (ACCEPTED.replace(b"Upgrade: websocket\r\n", b"") + b"\r\n", None),
        (ACCEPTED.replace(b"Upgrade: websocket", b"Upgrade: h2c") + b"\r\n", None),
        (ACCEPTED.replace(b"Connection: Upgrade\r\n", b"") + b"\r\n", None),
        (ACCEPTED.replace(b"HTTP/1.1", b"HTTP/1.0") + b"\r\n", None),
        (b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 2\r\n\r\nOK", None),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", None),
        (b"HTTP/1.1 503 Busy\r\n\r\nuntil the end", None),
        (b"HTTP/1.1 300 Choose\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n", None),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", None),
        (b"nonsense\r\n\r\n", None),
        (b"HTTP/1.1 101", None),
        (b"", None),
    ],
)
async def test_answers(answer: bytes, subprotocols: list[str] | None) -> None:
    await compare(answer, subprotocols=subprotocols)


async def test_steps_can_be_overridden() -> None:
    class Protocol(OURS.client.WebSocketClientProtocol):  # type: ignore[misc,name-defined]
        def write_http_request(self, path: str, headers: Any) -> None:
            headers["X-Mine"] = path
            super().write_http_request(path, headers)

        @staticmethod
        def process_subprotocol(headers: Any, available_subprotocols: Any) -> str:
            return "mine"

    answer = ACCEPTED + b"Sec-WebSocket-Protocol: other\r\n\r\n"
    request, subprotocol, *_ = await attempt(OURS, answer, create_protocol=Protocol)
    assert b"X-Mine: /\r\n" in request
    assert subprotocol == "mine"
