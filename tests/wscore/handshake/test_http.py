"""The messages of the opening handshake: their attributes, and how they are serialised."""

from http import HTTPStatus

import pytest
from multidict import CIMultiDict

from tests.wscore.recorder import Recorder
from wscore import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener
from wscore.handshake.http_reader import RequestReader

# Requests


def test_request_to_bytes() -> None:
    headers = CIMultiDict([("Host", "h"), ("X", "1"), ("X", "2"), ("Empty", "")])
    request = WSUpgradeRequest(b"GET", b"/x", b"HTTP/1.1", headers)
    wire = request.to_bytes()
    assert wire == b"GET /x HTTP/1.1\r\nHost: h\r\nX: 1\r\nX: 2\r\nEmpty: \r\n\r\n"
    again = RequestReader().feed(wire)
    assert again is not None
    assert again[0].headers == headers


# Responses


def test_101_response() -> None:
    response = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": "chat"})
    assert (response.version, response.status, response.body) == (b"HTTP/1.1", 101, None)
    assert bytes(response.to_bytes()) == (
        b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Protocol: chat\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    )


def test_messages_made_by_hand() -> None:
    """They can be created without arguments, and filled in later."""
    request, response = WSUpgradeRequest(), WSUpgradeResponse()
    assert request.to_bytes() == b"GET / HTTP/1.1\r\n\r\n"
    response.headers["A"] = "b"
    assert response.to_bytes() == b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
    assert not WSUpgradeResponse().headers


@pytest.mark.parametrize(
    "response",
    [
        WSUpgradeResponse.create_error_response(404),
        WSUpgradeResponse.create_redirect_response(308, "/"),
        WSUpgradeResponse.create_ok_response(),
    ],
    ids=lambda response: str(response.status),
)
def test_registered_statuses_are_members(response: WSUpgradeResponse) -> None:
    assert isinstance(response.status, HTTPStatus)


def test_one_location() -> None:
    response = WSUpgradeResponse.create_redirect_response(302, "/here", {"location": "/there"})
    assert response.headers.getall("Location") == ["/here"]


def test_ok_response() -> None:
    wire = bytes(WSUpgradeResponse.create_ok_response(b"fine").to_bytes())
    assert wire.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nContent-Length: 4\r\n" in wire
    assert b"\r\nContent-Type: text/plain; charset=utf-8\r\n" in wire
    assert wire.endswith(b"\r\n\r\nfine")
    empty = bytes(WSUpgradeResponse.create_ok_response().to_bytes())
    assert b"\r\nContent-Length: 0\r\n" in empty
    assert empty.endswith(b"\r\n\r\n")


def test_own_content_type() -> None:
    response = WSUpgradeResponse.create_ok_response(b"{}", {"content-type": "application/json"})
    assert response.headers.getall("Content-Type") == ["application/json"]


def test_error_response() -> None:
    wire = bytes(
        WSUpgradeResponse.create_error_response(503, None, [("Retry-After", "1")]).to_bytes()
    )
    assert wire.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"\r\nRetry-After: 1\r\n" in wire
    assert wire.endswith(b"\r\n\r\n503 Service Unavailable")
    assert WSUpgradeResponse.create_error_response(599).to_bytes().startswith(b"HTTP/1.1 599 ")


def test_redirect_response() -> None:
    response = WSUpgradeResponse.create_redirect_response(HTTPStatus.FOUND, "ws://elsewhere/")
    assert response.headers["Location"] == "ws://elsewhere/"
    assert response.to_bytes().startswith(b"HTTP/1.1 302 Found\r\n")


@pytest.mark.parametrize("status", [101, 200, 302, 399, 600])
def test_error_status_is_checked(status: int) -> None:
    with pytest.raises(ValueError, match="error status"):
        WSUpgradeResponse.create_error_response(status)


@pytest.mark.parametrize("status", [200, 299, 400])
def test_redirect_status_is_checked(status: int) -> None:
    with pytest.raises(ValueError, match="redirect status"):
        WSUpgradeResponse.create_redirect_response(status, "ws://elsewhere/")


def test_response_with_listener() -> None:
    switching = WSUpgradeResponse.create_101_response()
    refusing = WSUpgradeResponse.create_error_response(403)
    listener = Recorder()
    assert WSUpgradeResponseWithListener(switching, listener).listener is listener
    assert WSUpgradeResponseWithListener(refusing, None).response is refusing
    with pytest.raises(ValueError, match="101"):
        WSUpgradeResponseWithListener(switching, None)
    with pytest.raises(ValueError, match="403"):
        WSUpgradeResponseWithListener(refusing, listener)
