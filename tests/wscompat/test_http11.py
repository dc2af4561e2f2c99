"""Requests and responses as programs see them."""

import pytest
import websockets.datastructures
import websockets.http11
from multidict import CIMultiDict

import wscore
from wscompat import http11
from wscompat.datastructures import Headers
from wscompat.version import version

PAIRS = [("Host", "example.com"), ("X", "1"), ("x", "ž".encode().decode("latin-1"))]


def test_serialize() -> None:
    model_headers = websockets.datastructures.Headers(PAIRS)
    request = http11.Request("/path?query", Headers(PAIRS))
    assert (
        request.serialize() == websockets.http11.Request("/path?query", model_headers).serialize()
    )
    response = http11.Response(404, "Not Found", Headers(PAIRS), b"body")
    model = websockets.http11.Response(404, "Not Found", model_headers, b"body")
    assert response.serialize() == model.serialize()


def test_from_core() -> None:
    core = wscore.WSUpgradeRequest(b"GET", b"/p?q=%C5%BE", b"HTTP/1.1", CIMultiDict(PAIRS))
    assert http11.Request._from_core(core) == http11.Request("/p?q=%C5%BE", Headers(PAIRS))


@pytest.mark.parametrize(
    ("status", "phrase", "body"),
    [(101, "Switching Protocols", None), (404, "Not Found", b"body"), (599, "", b"")],
)
def test_response_from_core(status: int, phrase: str, body: bytes | None) -> None:
    core = wscore.WSUpgradeResponse(b"HTTP/1.1", status, CIMultiDict(PAIRS), body)
    expected = http11.Response(status, phrase, Headers(PAIRS), body or b"")
    assert http11.Response._from_core(core) == expected


def test_product_names() -> None:
    assert http11.USER_AGENT == http11.SERVER
    assert http11.USER_AGENT.startswith("Python/3.")
    assert http11.USER_AGENT.endswith(f" wscompat/{version}")
