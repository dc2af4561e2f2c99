"""CONNECT requests, byte by byte, and what may not be put into one."""

import pytest

from wsproxy import ProxyUnsupportedError, parse_proxy_url
from wsproxy.connect_request import basic_credentials, check_headers, connect_request
from wsproxy.target import parse_target


def test_the_request_as_it_is_sent() -> None:
    request = connect_request(parse_target("example.com", 443), [("User-Agent", "x"), ("A", "ü")])
    assert request == (
        b"CONNECT example.com:443 HTTP/1.1\r\n"
        b"Host: example.com:443\r\n"
        b"User-Agent: x\r\n"
        b"A: \xc3\xbc\r\n"
        b"\r\n"
    )


def test_an_ipv6_target_stands_in_brackets() -> None:
    request = connect_request(parse_target("::1", 80), [])
    assert request == b"CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://proxy", None),
        # RFC 7617, sections 2 and 2.1
        ("http://Aladdin:open%20sesame@proxy", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("http://test:123%C2%A3@proxy", "Basic dGVzdDoxMjPCow=="),
        ("http://user@proxy", "Basic dXNlcjo="),
    ],
)
def test_basic_credentials(url: str, expected: str | None) -> None:
    assert basic_credentials(parse_proxy_url(url)) == expected


def test_basic_cannot_express_a_colon_in_the_user_name() -> None:
    with pytest.raises(ProxyUnsupportedError) as caught:
        basic_credentials(parse_proxy_url("http://al%3Aice:hunter2@proxy"))
    assert caught.value.proxy_host == "proxy"
    assert "ice" not in str(caught.value)


def test_headers_are_taken_as_mapping_or_as_pairs() -> None:
    assert check_headers(None) == ()
    assert check_headers({"A": " b\t"}) == (("A", "b"),)
    assert check_headers([("A", "1"), ("A", "2")]) == (("A", "1"), ("A", "2"))


@pytest.mark.parametrize("name", ["", "a b", "a:", "a\r\n", "ü", "a\n"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ValueError, match="invalid header name"):
        check_headers({name: "x"})


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "a\rb", "hunter2\0"])
def test_values_that_would_end_the_line(value: str) -> None:
    with pytest.raises(ValueError, match="X-Key contains control characters") as caught:
        check_headers({"X-Key": value})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["Host", "content-length", "Transfer-Encoding"])
def test_fields_that_are_not_the_callers(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be replaced"):
        check_headers({name: "x"})
