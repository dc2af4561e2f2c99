"""Which proxy the environment configures; the first tables are what `websockets` 17.4 does."""

import os

import pytest

from wsproxy import parse_proxy_url, proxy_from_environment

P = "http://p:1"


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("variable", "ws", "wss"),
    [
        ("ws_proxy", True, False),
        ("wss_proxy", False, True),
        ("http_proxy", True, False),
        ("HTTP_PROXY", True, False),
        ("https_proxy", True, True),
        ("HTTPS_PROXY", True, True),
        ("ftp_proxy", False, False),
    ],
)
@pytest.mark.parametrize("all_proxy", [True, False])
def test_one_variable(
    variable: str, ws: bool, wss: bool, all_proxy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, P)
    found = proxy_from_environment("ws", "h.example", 80, all_proxy=all_proxy)
    assert found == (P if ws else None)
    found = proxy_from_environment("wss", "h.example", 443, all_proxy=all_proxy)
    assert found == (P if wss else None)


def test_nothing_is_configured() -> None:
    assert proxy_from_environment("ws", "h.example", 80) is None


@pytest.mark.parametrize("variable", ["all_proxy", "ALL_PROXY"])
def test_all_proxy_comes_last_and_may_be_left_out(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "socks5://a:1")
    for scheme in ("ws", "wss", "https"):
        assert proxy_from_environment(scheme, "h", 1) == "socks5://a:1"
        assert proxy_from_environment(scheme, "h", 1, all_proxy=False) is None
    monkeypatch.setenv("https_proxy", P)
    assert proxy_from_environment("wss", "h", 1) == P


def test_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ws", "socks", "https", "http", "all"):
        monkeypatch.setenv(f"{name}_proxy", f"socks5://{name}:1")
    for name in ("ws", "socks", "https", "http", "all"):
        assert proxy_from_environment("ws", "h", 80) == f"socks5://{name}:1"
        monkeypatch.delenv(f"{name}_proxy")
    assert proxy_from_environment("ws", "h", 80) is None


@pytest.mark.parametrize(
    ("no_proxy", "ws", "wss"),
    [
        ("h.example", False, False),
        ("example", False, False),
        (".example", False, False),
        ("other, h.example", False, False),
        ("*", False, False),
        ("h.example:80", False, True),
        ("h.example:443", True, False),
        ("h.example:8080", True, True),
        ("http://h.example", True, True),
        ("x.example", True, True),
    ],
)
def test_no_proxy(no_proxy: str, ws: bool, wss: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", P)
    monkeypatch.setenv("no_proxy", no_proxy)
    assert proxy_from_environment("ws", "h.example", 80) == (P if ws else None)
    assert proxy_from_environment("wss", "h.example", 443) == (P if wss else None)


@pytest.mark.parametrize("no_proxy", ["::1", "[::1]", "[::1]:80"])
@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_no_proxy_for_ipv6(no_proxy: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", P)
    assert proxy_from_environment("ws", host, 80) == P
    monkeypatch.setenv("no_proxy", no_proxy)
    assert proxy_from_environment("ws", host, 80) is None


@pytest.mark.parametrize(
    ("variable", "setting", "expected"),
    [
        ("http_proxy", "p:1", "http://p:1"),
        ("http_proxy", "u:x@p:1", "http://u:x@p:1"),
        ("http_proxy", "socks5://p:1", "socks5://p:1"),
        ("socks_proxy", "p:1", "socks5h://p:1"),
        ("socks_proxy", "http://p:1", "socks5h://p:1"),
        ("socks_proxy", "socks://p:1", "socks5h://p:1"),
        ("socks_proxy", "socks4://p:1", "socks4://p:1"),
    ],
)
def test_the_forms_of_a_setting(
    variable: str, setting: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, setting)
    assert proxy_from_environment("ws", "h", 80) == expected
    parse_proxy_url(expected)


def test_an_empty_setting_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ws_proxy", "")
    monkeypatch.setenv("http_proxy", P)
    assert proxy_from_environment("ws", "h", 80) == P
