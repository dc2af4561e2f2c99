"""URIs are parsed as websockets does; URIs that it does not check raise `InvalidURI` here."""

import pytest
import websockets.uri

from wscompat.exceptions import InvalidURI
from wscompat.uri import parse_uri


@pytest.mark.parametrize(
    "uri",
    [
        "ws://example.com",
        "WS://EXAMPLE.com/",
        "wss://example.com:9/path?query",
        "ws://example.com?query",
        "ws://[::1]:3/",
        "ws://user:p%40ss@example.com/",
        "ws://příklad.example/cesta é/?dotaz=ž&x",
        "ws://example.com:0/",
    ],
)
def test_valid(uri: str) -> None:
    ours, model = parse_uri(uri), websockets.uri.parse_uri(uri)
    assert repr(ours) == repr(model)
    assert (ours.resource_name, ours.user_info) == (model.resource_name, model.user_info)


@pytest.mark.parametrize(
    "uri", ["http://x", "x", "ws://", "ws://x/#part", "ws://user@x", "wss://:@/"]
)
def test_invalid(uri: str) -> None:
    with pytest.raises(InvalidURI) as ours:
        parse_uri(uri)
    with pytest.raises(websockets.exceptions.InvalidURI) as model:
        websockets.uri.parse_uri(uri)
    assert (str(ours.value), vars(ours.value)) == (str(model.value), vars(model.value))


@pytest.mark.parametrize("uri", ["ws://h:99999/", "ws://h:x/", "ws://[::1", f"ws://{'é' * 99}/"])
def test_invalid_in_other_ways(uri: str) -> None:
    with pytest.raises(InvalidURI):
        parse_uri(uri)
