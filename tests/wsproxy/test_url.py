"""Proxy URLs: what is read out of them, what is refused, and that neither shows credentials."""

import traceback

import pytest

from wsproxy import ProxyError, ProxyUnsupportedError, ProxyURL, ProxyURLError, parse_proxy_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://proxy", ProxyURL("http", "proxy", 80)),
        ("https://proxy", ProxyURL("https", "proxy", 443)),
        ("socks4://proxy", ProxyURL("socks4", "proxy", 1080)),
        ("socks4a://proxy", ProxyURL("socks4a", "proxy", 1080)),
        ("socks5://proxy", ProxyURL("socks5", "proxy", 1080)),
        ("SOCKS5H://PROXY/", ProxyURL("socks5h", "proxy", 1080)),
        ("http://[::1]:8080", ProxyURL("http", "::1", 8080)),
        ("http://bücher.example:8080", ProxyURL("http", "xn--bcher-kva.example", 8080)),
        ("http://user:pass@proxy:1", ProxyURL("http", "proxy", 1, "user", "pass")),
        ("http://us%40er:p%3Aa%2Fss@proxy:1", ProxyURL("http", "proxy", 1, "us@er", "p:a/ss")),
        ("http://us%C3%A9r:%E2%82%AC@proxy:1", ProxyURL("http", "proxy", 1, "usér", "€")),
        ("http://user@proxy:1", ProxyURL("http", "proxy", 1, "user", None)),
        ("http://:pass@proxy:1", ProxyURL("http", "proxy", 1, None, "pass")),
        ("http://:@proxy:1", ProxyURL("http", "proxy", 1)),
        ("http://user:a:b@c@proxy:1", ProxyURL("http", "proxy", 1, "user", "a:b@c")),
    ],
)
def test_parts(url: str, expected: ProxyURL) -> None:
    parsed = parse_proxy_url(url)
    assert parsed == expected
    assert (parsed.username, parsed.password) == (expected.username, expected.password)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("", ProxyURLError),
        ("proxy.example", ProxyURLError),
        ("//hunter2:hunter2@proxy:1", ProxyURLError),
        ("hunter2:hunter2@proxy:1", ProxyUnsupportedError),
        ("ftp://hunter2:hunter2@proxy:1", ProxyUnsupportedError),
        ("socks6://hunter2:hunter2@proxy:1", ProxyUnsupportedError),
        ("http://", ProxyURLError),
        ("http://hunter2:hunter2@", ProxyURLError),
        ("http://hunter2:hunter2@:8080", ProxyURLError),
        ("http://hunter2:hunter2@proxy:0", ProxyURLError),
        ("http://hunter2:hunter2@proxy:65536", ProxyURLError),
        ("http://hunter2:hunter2@proxy:-1", ProxyURLError),
        ("http://hunter2:hunter2@proxy:http", ProxyURLError),
        ("http://hunter2:hunter2/x@proxy:1", ProxyURLError),
        ("http://hunter2:hunter2#@proxy:1", ProxyURLError),
        ("http://hunter2:1?@proxy:1", ProxyURLError),
        ("http://hunter2:hunter2@proxy:1/path", ProxyURLError),
        ("http://hunter2:hunter2@proxy:1?query", ProxyURLError),
        ("http://hunter2:hunter2@[::1:80", ProxyURLError),
        ("http://hunter2:hunter2@[hunter2]:80", ProxyURLError),
        ("http://hunter2:hunter2@pro xy:1", ProxyURLError),
        ("http://hunter2:hunter2@pro\r\nxy:1", ProxyURLError),
        ("http://hunter2:hunter2@pro\txy:1", ProxyURLError),
        ("http://hunter2:hunter2@pro%41xy:1", ProxyURLError),
        ("http://hunter2:hunter2@" + "a" * 300, ProxyURLError),
        ("http://hunter2:hunter2@" + "ü" * 300, ProxyURLError),
        ("http://hunter2:hunter2%0d%0a@proxy:1", ProxyURLError),
        ("http://hunter2%00:x@proxy:1", ProxyURLError),
        ("http://hunter2:hunter2%ff@proxy:1", ProxyURLError),
    ],
)
def test_malformed_urls_are_refused_without_being_quoted(url: str, kind: type[ProxyError]) -> None:
    with pytest.raises(kind) as caught:
        parse_proxy_url(url)
    error = caught.value
    shown = [str(error), repr(error)]
    # Also not in an exception that it hides.
    shown += [str(error.__cause__), str(error.__context__)]
    # The lines of the source in a traceback are the test's own, so only the last one counts.
    shown += traceback.format_exception_only(error)
    assert "hunter2" not in " ".join(shown)


def test_the_unknown_scheme_is_named() -> None:
    with pytest.raises(ProxyUnsupportedError, match=r"'ftp'.*socks5h"):
        parse_proxy_url("ftp://proxy")


def test_credentials_are_not_shown() -> None:
    parsed = parse_proxy_url("socks5://alice:hunter2@proxy")
    for shown in (repr(parsed), str(parsed), f"{parsed}"):
        assert "alice" not in shown
        assert "hunter2" not in shown
    assert str(parsed) == "socks5://proxy:1080"
    assert str(parse_proxy_url("http://[::1]:8080")) == "http://[::1]:8080"


@pytest.mark.parametrize(
    ("scheme", "socks", "resolves"),
    [
        ("http", False, True),
        ("https", False, True),
        ("socks4", True, False),
        ("socks4a", True, True),
        ("socks5", True, True),
        ("socks5h", True, True),
    ],
)
def test_what_the_scheme_implies(scheme: str, socks: bool, resolves: bool) -> None:
    parsed = parse_proxy_url(f"{scheme}://proxy")
    assert (parsed.is_socks, parsed.resolves_names) == (socks, resolves)
