"""Which proxy is taken, and what its failures are called, compared with websockets."""

import asyncio
import contextlib
import os
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import websockets.proxy
import websockets.uri

from tests.wscompat.libraries import WSCOMPAT, serving
from wscompat.asyncio.client import connect
from wscompat.asyncio.proxies import choose_proxy
from wscompat.exceptions import InvalidProxy, InvalidProxyMessage, InvalidProxyStatus, ProxyError
from wscompat.uri import parse_uri

OURS = "http://127.0.0.1:1"
NO_HTTP = "did not receive a valid HTTP response from proxy"
NO_SOCKS = "failed to connect to SOCKS proxy"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.mark.parametrize("uri", ["ws://h/", "wss://h/"])
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"http_proxy": "http://p"},
        {"https_proxy": "http://s"},
        {"http_proxy": "http://p", "https_proxy": "http://s"},
        {"socks_proxy": "http://k", "https_proxy": "http://s"},
        {"all_proxy": "http://a"},
        {"ws_proxy": "http://w"},
        {"wss_proxy": "http://w", "socks_proxy": "socks5://k"},
        {"https_proxy": "http://s", "no_proxy": "h"},
        {"https_proxy": "http://s", "no_proxy": "h:80"},
    ],
)
def test_environment(uri: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    expected = websockets.proxy.get_proxy(websockets.uri.parse_uri(uri))
    assert choose_proxy(True, parse_uri(uri)) == expected
    assert choose_proxy(None, parse_uri(uri)) is None
    assert choose_proxy(OURS, parse_uri(uri)) == OURS


@contextlib.asynccontextmanager
async def raw_proxy(answer: bytes) -> AsyncIterator[int]:
    """A proxy that reads something and gives one answer."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            await reader.read(1000)
            writer.write(answer)
            writer.write_eof()
            await reader.read()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with raw_proxy(b"HTTP/1.1 403 Forbidden\r\n\r\n") as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        with pytest.raises(InvalidProxyStatus, match="proxy rejected connection: HTTP 403"):
            await connect("ws://example.invalid/")


@pytest.mark.parametrize(
    ("scheme", "answer", "kind", "text"),
    [
        (
            "http",
            b"HTTP/1.1 407 Log in\r\nX: y\r\n\r\n",
            InvalidProxyStatus,
            "proxy rejected connection: HTTP 407",
        ),
        ("http", b"garbage\r\n\r\n", InvalidProxyMessage, NO_HTTP),
        ("http", b"", InvalidProxyMessage, NO_HTTP),
        ("socks5", b"garbage\r\n\r\n", ProxyError, NO_SOCKS),
        ("socks5", b"", ProxyError, NO_SOCKS),
        ("socks5", b"\x05\xff", ProxyError, NO_SOCKS),
        ("socks5", b"\x05\x00\x05\x05\x00\x01\0\0\0\0\0\0", ProxyError, NO_SOCKS),
    ],
)
async def test_failures(scheme: str, answer: bytes, kind: type[ProxyError], text: str) -> None:
    async with raw_proxy(answer) as port:
        with pytest.raises(kind) as caught:
            await connect("ws://example.invalid/", proxy=f"{scheme}://u:p@127.0.0.1:{port}")
    assert type(caught.value) is kind
    assert str(caught.value) == text
    if isinstance(caught.value, InvalidProxyStatus):
        response = caught.value.response
        assert (response.status_code, response.headers["x"]) == (407, "y")


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1:1", "127.0.0.1:80", "http://"])
async def test_invalid_proxy(proxy: str) -> None:
    with pytest.raises(InvalidProxy) as caught:
        await connect("ws://example.invalid/", proxy=proxy)
    assert caught.value.proxy == proxy


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_unreachable_proxy(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(OSError):
        await connect("ws://example.invalid/", proxy=f"{scheme}://127.0.0.1:{port}")


async def test_a_given_socket_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stay(connection: Any) -> None:
        await connection.wait_closed()

    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    async with serving(WSCOMPAT, stay) as server:
        sock = socket.create_connection(server.sockets[0].getsockname())
        async with connect("ws://example.invalid/", sock=sock):
            pass
