"""WebSocket URLs: how they are parsed, and which are rejected."""

import dataclasses
from typing import Any

import pytest

from tests.wscore.recorder import Recorder
from wscore import WSError, WSInvalidURL, WSParsedURL, ws_connect
from wscore.handshake.url import parse_url

# url: host, port, resource name, Host field
RIGHT = [
    ("ws://example.com", "example.com", 80, "/", "example.com"),
    ("ws://example.com/", "example.com", 80, "/", "example.com"),
    ("wss://example.com", "example.com", 443, "/", "example.com"),
    ("WS://EXAMPLE.com/Path", "example.com", 80, "/Path", "example.com"),
    ("ws://example.com:80/", "example.com", 80, "/", "example.com"),
    ("wss://example.com:443/", "example.com", 443, "/", "example.com"),
    ("ws://example.com:443/", "example.com", 443, "/", "example.com:443"),
    ("wss://example.com:80/", "example.com", 80, "/", "example.com:80"),
    ("ws://example.com:9001/a/b?c=d&e=f", "example.com", 9001, "/a/b?c=d&e=f", "example.com:9001"),
    ("ws://example.com?x=1", "example.com", 80, "/?x=1", "example.com"),
    ("ws://example.com/?", "example.com", 80, "/", "example.com"),
    ("ws://example.com/%20%C3%A4", "example.com", 80, "/%20%C3%A4", "example.com"),
    ("ws://example.com/ä?ö=€", "example.com", 80, "/%C3%A4?%C3%B6=%E2%82%AC", "example.com"),
    ("ws://example.com/ä%20b", "example.com", 80, "/%C3%A4%20b", "example.com"),
    ("ws://127.0.0.1:1/", "127.0.0.1", 1, "/", "127.0.0.1:1"),
    ("ws://[::1]/", "::1", 80, "/", "[::1]"),
    ("ws://[::1]:8080/x", "::1", 8080, "/x", "[::1]:8080"),
    ("ws://[2001:DB8::1]:65535/", "2001:db8::1", 65535, "/", "[2001:db8::1]:65535"),
    ("ws://bücher.example/", "xn--bcher-kva.example", 80, "/", "xn--bcher-kva.example"),
    ("ws://user:pass@example.com:81/", "example.com", 81, "/", "example.com:81"),
    ("ws://example.com//double", "example.com", 80, "//double", "example.com"),
    ("ws://example.com/a@b:c", "example.com", 80, "/a@b:c", "example.com"),
]

# url: a part of the reason
WRONG = [
    ("http://example.com/", "'http'"),
    ("https://example.com/", "'https'"),
    ("ftp://example.com/", "'ftp'"),
    ("wsx://example.com/", "'wsx'"),
    ("example.com", "scheme"),
    ("//example.com/", "scheme"),
    ("/path", "scheme"),
    ("", "scheme"),
    ("example.com:80", "scheme"),
    ("ws:", "host"),
    ("ws:///path", "host"),
    ("ws://", "host"),
    ("ws://:80/", "host"),
    ("ws://?x", "host"),
    ("ws://user@/", "host"),
    ("ws://example.com:0/", "port"),
    ("ws://example.com:65536/", "ort"),
    ("ws://example.com:-1/", "ort"),
    ("ws://example.com:abc/", "ort"),
    ("ws://example.com:8 0/", "ort"),
    ("ws://example.com/#", "fragment"),
    ("ws://example.com/#top", "fragment"),
    ("ws://example.com#top", "fragment"),
    ("ws://[::1/", ""),
    ("ws://[nonsense]/", ""),
    ("ws://exa mple.com/", "white space"),
    (" ws://example.com/", ""),
    ("ws://example.com/a b", "white space"),
    ("ws://example.com/\r\nX-Injected: 1", "white space"),
    ("ws://example.com/\x00", "control"),
    ("ws://example.com/\x7f", "control"),
    ("ws://example.com/?a\tb", "white space"),
    ("ws://example.com\n", "white space"),
    (f"ws://{'ü' * 70}.example/", "host name"),
]


@pytest.mark.parametrize(
    ("url", "host", "port", "resource_name", "host_header"), RIGHT, ids=[row[0] for row in RIGHT]
)
def test_right(url: str, host: str, port: int, resource_name: str, host_header: str) -> None:
    parsed = parse_url(url)
    assert parsed.url == url
    assert parsed.is_secure == url.lower().startswith("wss:")
    assert parsed.scheme == ("wss" if parsed.is_secure else "ws")
    assert (parsed.host, parsed.port) == (host, port)
    assert parsed.resource_name == resource_name
    assert parsed.host_header == host_header


@pytest.mark.parametrize(("url", "reason"), WRONG, ids=[repr(row[0])[:40] for row in WRONG])
def test_wrong(url: str, reason: str) -> None:
    with pytest.raises(WSInvalidURL) as caught:
        parse_url(url)
    assert caught.value.url == url
    assert reason in caught.value.reason
    assert caught.value.reason in str(caught.value)
    assert isinstance(caught.value, WSError)


@pytest.mark.parametrize("url", [None, b"ws://h/", 5, ["ws://h/"]])
def test_something_else(url: Any) -> None:
    with pytest.raises(WSInvalidURL) as caught:
        parse_url(url)
    assert caught.value.url == repr(url)


@pytest.mark.parametrize("url", [row[0] for row in WRONG], ids=lambda url: repr(url)[:40])
async def test_nothing_is_connected_to_a_wrong_one(url: str) -> None:
    with pytest.raises(WSInvalidURL):
        await ws_connect(Recorder, url)


@pytest.mark.parametrize(
    ("user_info", "username", "password"),
    [
        ("", None, None),
        ("user@", "user", None),
        ("user:@", "user", ""),
        ("user:pass@", "user", "pass"),
        ("us%65r:p%40%3A%2F@", "user", "p@:/"),
        ("%C3%A4:%E2%82%AC@", "ä", "€"),
        ("a:b:c@", "a", "b:c"),
        ("user:p@ss@", "user", "p@ss"),
    ],
)
def test_credentials(user_info: str, username: str | None, password: str | None) -> None:
    parsed = parse_url(f"ws://{user_info}example.com/")
    assert (parsed.username, parsed.password) == (username, password)
    assert parsed.user_info == (None if username is None else (username, password or ""))
    assert parsed.host == "example.com"


def test_credentials_are_not_shown() -> None:
    assert "secret" not in repr(parse_url("ws://user:secret@example.com/"))
    with pytest.raises(WSInvalidURL) as caught:
        parse_url("http://user:secret@example.com/path")
    assert "secret" not in str(caught.value)
    assert "example.com/path" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "ws://user:secret@example.com:99999/",
        "ws://user:sec ret@example.com/",
        "ws://user:secret@/",
        "ws://user:se/cret@example.com/#x",
        "user:secret@example.com",
        "ws:user:secret@example.com",
    ],
)
def test_credentials_are_not_shown_however_wrong_the_url(url: str) -> None:
    with pytest.raises(WSInvalidURL) as caught:
        parse_url(url)
    assert "cret" not in str(caught.value)


def test_is_a_value() -> None:
    first, second = parse_url("ws://example.com/"), parse_url("ws://example.com/")
    assert isinstance(first, WSParsedURL)
    assert first == second
    assert hash(first) == hash(second)
    assert first != parse_url("wss://example.com/")
    with pytest.raises(dataclasses.FrozenInstanceError):
        first.host = "elsewhere"  # type: ignore[misc]
