"""Asking a SOCKS proxy: every byte of both protocols, and every way in which it can refuse."""

import asyncio
import socket
import struct

import pytest

from tests.support.own_proxies import Handler, endless, scripted, serving
from wsproxy import (
    ProxyAuthenticationError,
    ProxyError,
    ProxyRefusedError,
    ProxyReplyError,
    ProxyUnsupportedError,
    parse_proxy_url,
)
from wsproxy.dial import dial
from wsproxy.socks_connect import ask_socks, check_socks
from wsproxy.target import parse_target

SOCKS4_OK = b"\x00\x5a\x00\x00\x00\x00\x00\x00"
SOCKS5_OK = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


async def ask(url: str, host: str, proxy: Handler) -> bytes:
    """Negotiate with the proxy and return the first bytes that come through the tunnel."""
    async with serving(proxy) as port:
        with await dial(parse_target("127.0.0.1", port)) as sock:
            await ask_socks(sock, parse_proxy_url(url), parse_target(host, 443))
            assert sock.fileno() != -1
            sock.settimeout(5)
            return sock.recv(100)


def expecting(*exchange: tuple[bytes, bytes]) -> Handler:
    """Return a proxy that answers only if it is sent exactly these bytes."""

    async def handler(reader, writer):  # type: ignore[no-untyped-def]
        for request, answer in exchange:
            if await reader.readexactly(len(request)) != request:
                return
            writer.write(answer)

    return handler


SOCKS5_REQUEST = b"\x05\x01\x00\x03\x0bexample.com\x01\xbb"


@pytest.mark.parametrize(
    ("url", "host", "exchange"),
    [
        ("socks4://p", "192.0.2.1", [(b"\x04\x01\x01\xbb\xc0\x00\x02\x01\x00", SOCKS4_OK)]),
        ("socks4://me@p", "192.0.2.1", [(b"\x04\x01\x01\xbb\xc0\x00\x02\x01me\x00", SOCKS4_OK)]),
        (
            "socks4a://me@p",
            "example.com",
            [(b"\x04\x01\x01\xbb\x00\x00\x00\x01me\x00example.com\x00", SOCKS4_OK)],
        ),
        (
            "socks5://p",
            "example.com",
            [(b"\x05\x01\x00", b"\x05\x00"), (SOCKS5_REQUEST, SOCKS5_OK)],
        ),
        (
            "socks5h://p",
            "example.com",
            [(b"\x05\x01\x00", b"\x05\x00"), (SOCKS5_REQUEST, SOCKS5_OK)],
        ),
        (
            "socks5://me:it%3As@p",
            "example.com",
            [
                (b"\x05\x02\x00\x02", b"\x05\x02"),
                (b"\x01\x02me\x04it:s", b"\x01\x00"),
                (SOCKS5_REQUEST, SOCKS5_OK),
            ],
        ),
        (
            "socks5://me:x@p",
            "192.0.2.1",
            [
                (b"\x05\x02\x00\x02", b"\x05\x00"),
                (b"\x05\x01\x00\x01\xc0\x00\x02\x01\x01\xbb", SOCKS5_OK),
            ],
        ),
        (
            "socks5://p",
            "2001:db8::1",
            [
                (b"\x05\x01\x00", b"\x05\x00"),
                (
                    b"\x05\x01\x00\x04\x20\x01\x0d\xb8" + b"\x00" * 11 + b"\x01\x01\xbb",
                    b"\x05\x00\x00\x04" + b"\x00" * 18,
                ),
            ],
        ),
        (
            "socks5://p",
            "example.com",
            [(b"\x05\x01\x00", b"\x05\x00"), (SOCKS5_REQUEST, b"\x05\x00\x00\x03\x03abc\x00\x00")],
        ),
    ],
)
async def test_the_protocol_and_not_a_byte_more(
    url: str, host: str, exchange: list[tuple[bytes, bytes]]
) -> None:
    *before, (request, answer) = exchange
    assert await ask(url, host, expecting(*before, (request, answer + b"hello"))) == b"hello"


NO_METHOD = scripted((4, b"\x05\xff"))
WRONG_PASSWORD = scripted((4, b"\x05\x02"), (9, b"\x01\x01"))


def socks5_reply(code: int) -> Handler:
    return scripted((4, b"\x05\x00"), (18, bytes([5, code]) + SOCKS5_OK[2:]))


def socks4_reply(code: int) -> Handler:
    return scripted((13, bytes([0, code]) + SOCKS4_OK[2:]))


SOCKS5_REFUSALS: dict[str, tuple[Handler, type[ProxyError], int | None]] = {
    "no method": (NO_METHOD, ProxyAuthenticationError, None),
    "wrong password": (WRONG_PASSWORD, ProxyAuthenticationError, None),
    **{f"code {code}": (socks5_reply(code), ProxyRefusedError, code) for code in range(1, 9)},
    "unknown code": (socks5_reply(77), ProxyReplyError, None),
    "nothing": (scripted((4, b"")), ProxyReplyError, None),
    "half a method": (scripted((4, b"\x05")), ProxyReplyError, None),
    "HTTP": (scripted((4, b"HTTP/1.1 400 Bad Request\r\n\r\n")), ProxyReplyError, None),
    "a method not offered": (scripted((4, b"\x05\x01")), ProxyAuthenticationError, None),
    "half a reply": (scripted((4, b"\x05\x00"), (18, b"\x05\x00\x00")), ProxyReplyError, None),
    "unknown address type": (
        scripted((4, b"\x05\x00"), (18, b"\x05\x00\x00\x09" + b"x" * 300)),
        ProxyReplyError,
        None,
    ),
    "endless garbage": (endless(b"", b"\xff" * 65536), ProxyReplyError, None),
}


@pytest.mark.parametrize(
    ("handler", "kind", "code"), SOCKS5_REFUSALS.values(), ids=SOCKS5_REFUSALS.keys()
)
async def test_socks5_refusals(handler: Handler, kind: type[ProxyError], code: int | None) -> None:
    with pytest.raises(ProxyError) as caught:
        await ask("socks5://alice:hunt@p:1080", "example.com", handler)
    error = caught.value
    assert type(error) is kind
    assert (error.proxy_host, error.proxy_port, error.code) == ("p", 1080, code)
    assert error.reason or kind is ProxyReplyError
    assert "alice" not in str(error)
    assert "hunt" not in str(error)


SOCKS4_REFUSALS: dict[str, tuple[Handler, type[ProxyError], int | None]] = {
    "refused": (socks4_reply(91), ProxyRefusedError, 91),
    "no identd": (socks4_reply(92), ProxyAuthenticationError, 92),
    "another user": (socks4_reply(93), ProxyAuthenticationError, 93),
    "unknown code": (socks4_reply(33), ProxyReplyError, None),
    "half a reply": (scripted((13, b"\x00")), ProxyReplyError, None),
    "HTTP": (scripted((13, b"HTTP/1.1")), ProxyReplyError, None),
}


@pytest.mark.parametrize(
    ("handler", "kind", "code"), SOCKS4_REFUSALS.values(), ids=SOCKS4_REFUSALS.keys()
)
async def test_socks4_refusals(handler: Handler, kind: type[ProxyError], code: int | None) -> None:
    with pytest.raises(ProxyError) as caught:
        await ask("socks4://user@p", "192.0.2.1", handler)
    assert type(caught.value) is kind
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("url", "handler"),
    [
        ("socks4://p", scripted((9, b""))),
        ("socks5://p", scripted((3, b"\x05\x00"), (10, b""))),
        ("socks5://p", scripted((3, b"\x05\x00"), (10, b"\x05\x00"))),
    ],
    ids=["socks4", "socks5", "half a reply"],
)
async def test_a_connection_that_is_closed_without_a_reply(url: str, handler: Handler) -> None:
    """Whoever reads the error learns who does so, and why."""
    with pytest.raises(ProxyReplyError, match=r"ssh -D.* cannot reach the target"):
        await ask(url, "192.0.2.1", handler)


@pytest.mark.parametrize("user", ["a", "Username", "failure"])
async def test_a_refusal_gives_no_credentials_away(user: str) -> None:
    """The text is python-socks' own, and stays as it is."""
    proxy = scripted((4, b"\x05\x02"), (4 + len(user), b"\x01\x01"))
    with pytest.raises(ProxyAuthenticationError) as caught:
        await ask(f"socks5://{user}:e@p", "192.0.2.1", proxy)
    assert caught.value.reason == "Username and password authentication failure"


@pytest.mark.parametrize("url", ["socks4://user@p", "socks5://p"])
async def test_a_connection_that_is_reset(url: str) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    with pytest.raises(ProxyReplyError):
        await ask(url, "192.0.2.1", handler)


@pytest.mark.parametrize(
    ("url", "host", "problem"),
    [
        ("socks5://us%C3%A9r:x@p", "a", "ASCII"),
        ("socks5://user:%E2%82%AC@p", "a", "ASCII"),
        ("socks5://" + "u" * 256 + ":x@p", "a", "limited to 255"),
        ("socks5://u:" + "x" * 256 + "@p", "a", "limited to 255"),
        ("socks5://user@p", "a", "user name and a password, or neither"),
        ("socks5://user:@p", "a", "user name and a password, or neither"),
        ("socks5h://:secret@p", "a", "user name and a password, or neither"),
        ("socks4://p", "::1", "IPv6"),
        ("socks4a://p", "::1", "IPv6"),
    ],
)
def test_what_the_protocol_cannot_say(url: str, host: str, problem: str) -> None:
    with pytest.raises(ProxyUnsupportedError, match=problem) as caught:
        check_socks(parse_proxy_url(url), parse_target(host, 1))
    assert caught.value.proxy_host == "p"


@pytest.mark.parametrize("url", ["socks5://u:x@p", "socks4a://p", "socks5://p"])
def test_what_it_can_say(url: str) -> None:
    check_socks(parse_proxy_url(url), parse_target("example.com", 1))
