"""The opening handshake without a socket: keys, and both sides against each other.

Tables of invalid messages, over sockets, are in `test_server` and `test_client`.
"""

import pytest

from tests.wscore import wire
from wscore import WSUpgradeResponse
from wscore.handshake.client import ClientHandshake
from wscore.handshake.fields import accept_key
from wscore.handshake.server import RefusedRequestError, ServerHandshake
from wscore.handshake.url import parse_url


def test_accept_key() -> None:
    """The example of RFC 6455, 1.3."""
    assert accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@pytest.mark.parametrize("size", [1, 7, 100, 10_000])
def test_both_roles(size: int) -> None:
    """Each side parses the other's message, in pieces of any size."""
    client = ClientHandshake(parse_url("ws://example.com/x"), {"X-Own": "1"})
    server = ServerHandshake()
    tail = b"\x81\x00"
    request, rest = feed(server, client.request.to_bytes() + tail, size)
    assert request.path == b"/x"
    assert request.headers["X-Own"] == "1"
    assert rest == tail
    response = WSUpgradeResponse.create_101_response()
    server.accept(request, response)
    answer, rest = feed(client, bytes(response.to_bytes()) + tail, size)
    assert answer.headers == response.headers
    assert rest == tail


def feed(handshake, data, size):  # type: ignore[no-untyped-def]
    """Feed in pieces; return the message, and the remaining bytes."""
    for start in range(0, len(data), size):
        result = handshake.feed(data[start : start + size])
        if result is not None:
            message, consumed = result
            return message, data[start + consumed :]
    raise AssertionError("the message is not complete")


def test_keys_differ() -> None:
    url = parse_url("ws://example.com/")
    keys = {ClientHandshake(url).request.headers["Sec-WebSocket-Key"] for _ in range(100)}
    assert len(keys) == 100


def test_refused_request_becomes_a_response() -> None:
    handshake = ServerHandshake()
    result = handshake.feed(wire.request(line="POST / HTTP/1.1"))
    assert result is not None
    with pytest.raises(RefusedRequestError) as caught:
        handshake.check(result[0])
    response = caught.value.response()
    assert response.status == 405
    assert response.headers["Allow"] == "GET"
    assert response.body == str(caught.value).encode()


def test_accept_keeps_what_the_response_has() -> None:
    server = ServerHandshake()
    result = server.feed(wire.request(("Sec-WebSocket-Protocol", "chat")))
    assert result is not None
    response = WSUpgradeResponse.create_101_response(
        {"Sec-WebSocket-Protocol": "chat", "Sec-WebSocket-Accept": "nonsense", "Upgrade": "h2c"}
    )
    server.accept(result[0], response)
    assert response.headers["Sec-WebSocket-Protocol"] == "chat"
    assert response.headers.getall("Sec-WebSocket-Accept") == [accept_key(wire.KEY)]
    assert response.headers.getall("Upgrade") == ["websocket"]
    assert response.headers.getall("Connection") == ["Upgrade"]
