"""Tests of `wscompat.legacy.handshake`: the same fields are taken and refused as by websockets."""

from typing import Any

import pytest

from tests.wscompat.legacy.models import MODEL, OURS, Legacy

BOTH = pytest.mark.parametrize("library", [MODEL, OURS], ids=str)
KEY = "MDEyMzQ1Njc4OWFiY2RlZg=="
REQUEST = {
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


def judged(library: Legacy, fields: list[tuple[str, str]], check: str, *arguments: str) -> Any:
    try:
        return getattr(library.handshake, check)(library.headers(fields), *arguments)
    except library.errors.InvalidHandshake as exc:
        return type(exc).__name__, exc.name, str(exc).partition(";")[0]


@BOTH
def test_both_sides_agree(library: Legacy) -> None:
    request, response = library.headers(), library.headers()
    key = library.handshake.build_request(request)
    assert library.handshake.check_request(request) == key
    library.handshake.build_response(response, key)
    library.handshake.check_response(response, key)
    assert list(response) == ["upgrade", "connection", "sec-websocket-accept"]
    assert library.handshake.build_request(library.headers()) != key


@pytest.mark.parametrize("name", [None, *REQUEST])
@pytest.mark.parametrize(
    "value", [None, "", "x", "AAAA", "12", ",", "a, b", "websocket, websocket"]
)
def test_requests(name: str | None, value: str | None) -> None:
    fields = [(field, text) for field, text in REQUEST.items() if field != name]
    if name is not None and value is not None:
        fields.append((name, value))
    assert judged(OURS, fields, "check_request") == judged(MODEL, fields, "check_request")


@pytest.mark.parametrize("name", REQUEST)
def test_fields_that_are_there_twice(name: str) -> None:
    fields = [*REQUEST.items(), (name, REQUEST[name])]
    assert judged(OURS, fields, "check_request") == judged(MODEL, fields, "check_request")


@pytest.mark.parametrize("accept", [[], ["wrong"], ["BACScCJPNqyz+UBoqMH89VmURoA="], ["a", "b"]])
def test_responses(accept: list[str]) -> None:
    fields = [("Upgrade", "WebSocket"), ("Connection", "upgrade")]
    fields += [("Sec-WebSocket-Accept", value) for value in accept]
    assert judged(OURS, fields, "check_response", KEY) == judged(
        MODEL, fields, "check_response", KEY
    )
