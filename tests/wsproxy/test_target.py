"""Targets: the forms they are accepted in, and what could break a message and is refused."""

import pytest

from wsproxy.target import Target, parse_target


@pytest.mark.parametrize(
    ("host", "expected", "authority"),
    [
        ("example.com", Target("example.com", 443, None), "example.com:443"),
        ("example.com.", Target("example.com.", 443, None), "example.com.:443"),
        ("my_host-1", Target("my_host-1", 443, None), "my_host-1:443"),
        ("bücher.example", Target("xn--bcher-kva.example", 443, None), "xn--bcher-kva.example:443"),
        ("192.0.2.1", Target("192.0.2.1", 443, 4), "192.0.2.1:443"),
        ("2001:db8::1", Target("2001:db8::1", 443, 6), "[2001:db8::1]:443"),
        ("[2001:db8::1]", Target("2001:db8::1", 443, 6), "[2001:db8::1]:443"),
    ],
)
def test_accepted(host: str, expected: Target, authority: str) -> None:
    target = parse_target(host, 443)
    assert target == expected
    assert target.authority == authority


@pytest.mark.parametrize(
    "host",
    [
        "",
        ".",
        "a b",
        "a\r\nX-Evil: 1",
        "a\n",
        "a\0b",
        "user@host",
        "host:80",
        "a/b",
        "[example.com]",
        "[::1",
        "a" * 254,
        "ü" * 100,
        "a\u2028b",
    ],
)
def test_hosts_that_are_none(host: str) -> None:
    with pytest.raises(ValueError, match="invalid host name"):
        parse_target(host, 443)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_ports_that_are_none(port: int) -> None:
    with pytest.raises(ValueError, match="range 1 to 65535"):
        parse_target("example.com", port)
