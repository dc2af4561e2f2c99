"""Addresses of proxies, compared with websockets."""

import dataclasses
from typing import Any

import pytest
import websockets.proxy
import websockets.uri

import wscompat.proxy
import wscompat.uri

ADDRESSES = [
    *("http://h", "HTTP://H:8080", "http://h/", "https://u:p%40@h", "socks4://h", "socks4a://h"),
    *("socks5://h", "socks5h://u:p@[::1]:99", "http://:p@h", "http://", "socks://h"),
    *("ftp://h", "http://h/x", "http://h?x", "http://h#x", "", "h:80"),
]
NAMES = ("http", "https", "socks", "ws", "wss", "all", "no")
ENVIRONMENTS: list[dict[str, str]] = [
    {},
    {"http": "http://a"},
    {"https": "http://a"},
    {"http": "http://a", "https": "http://b"},
    {"socks": "socks5://s", "https": "http://a"},
    {"ws": "http://a", "wss": "http://b"},
    {"all": "http://a"},
    {"https": "http://a", "no": "example.com"},
    {"https": ""},
]


def parsed(package: Any, address: str) -> Any:
    """Return the parts of an address, or the error in it."""
    try:
        proxy = package.proxy.parse_proxy(address)
    except Exception as exc:
        return type(exc).__name__, str(exc)
    return dataclasses.asdict(proxy), proxy.user_info


@pytest.mark.parametrize("address", ADDRESSES)
def test_parse_proxy(address: str) -> None:
    assert parsed(wscompat, address) == parsed(websockets, address)


def test_a_user_without_a_password() -> None:
    """SOCKS4 has users only. The address is not shown, as it may hold a secret."""
    with pytest.raises(wscompat.exceptions.InvalidProxy, match="without password") as caught:
        wscompat.proxy.parse_proxy("http://user@h")
    assert "user@" not in str(caught.value)
    assert wscompat.proxy.parse_proxy("socks4://user@h").username == "user"


def test_wrong_ports_are_invalid_too() -> None:
    """They are a `ValueError` in websockets."""
    for address in ("http://h:99999", "http://h:x", "http://[::1"):
        with pytest.raises(wscompat.exceptions.InvalidProxy):
            wscompat.proxy.parse_proxy(address)


@pytest.mark.parametrize("uri", ["ws://example.com/", "wss://example.com/", "ws://[::1]/"])
@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=str)
def test_get_proxy(monkeypatch: pytest.MonkeyPatch, uri: str, environment: dict[str, str]) -> None:
    for name in NAMES:
        monkeypatch.delenv(f"{name}_proxy", raising=False)
        monkeypatch.delenv(f"{name}_proxy".upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(f"{name}_proxy", value)
    ours, model = (
        package.proxy.get_proxy(package.uri.parse_uri(uri)) for package in (wscompat, websockets)
    )
    assert ours == model
