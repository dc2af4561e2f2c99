"""`ws://` and `wss://` through the proxies that people run, with both libraries."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.proxy_fixtures import USER, way
from tests.support.real_proxies import RealProxy, free_port
from tests.support.tls import Tls
from tests.wscompat.libraries import (
    BOUND,
    WEBSOCKETS,
    WSCOMPAT,
    Library,
    describe,
    port_of,
    serving,
    uri_of,
)

PAYLOAD = bytes(range(256)) * 1000


async def echo(connection: Any) -> None:
    async for message in connection:
        await connection.send(message)


@contextlib.asynccontextmanager
async def echoing(tls: Tls | None) -> AsyncIterator[str]:
    """Serve echoes; yield the server's URI."""
    async with serving(WSCOMPAT, echo, ssl=tls and tls.server) as server:
        yield uri_of(server, tls is not None)


@pytest.fixture(params=["ws", "wss"])
def security(request: pytest.FixtureRequest, tls: Tls) -> Tls | None:
    """Run the test without and with TLS to the server."""
    return tls if request.param == "wss" else None


async def check(library: Library, uri: str, proxy: str, tls: Tls) -> None:
    """Connect, send something large and get it back, and leave."""
    options: dict[str, Any] = {"ssl": tls.client} if uri.startswith("wss") else {}
    if proxy.startswith("https"):
        options["proxy_ssl"] = tls.client
    async with asyncio.timeout(BOUND):
        async with library.connect(uri, proxy=proxy, compression=None, **options) as connection:
            await connection.send(PAYLOAD)
            assert await connection.recv() == PAYLOAD
            await connection.send("é")
            assert await connection.recv() == "é"
    assert connection.close_code == 1000


async def test_every_proxy(security: Tls | None, tls: Tls, proxy_url: str) -> None:
    async with echoing(security) as uri:
        await check(WSCOMPAT, uri, proxy_url, tls)


@pytest.mark.parametrize(
    "name", ["tinyproxy", "tinyproxy-password", "dante-socks4", "microsocks-password"]
)
async def test_the_servers_of_websockets(
    security: Tls | None, tls: Tls, name: str, request: pytest.FixtureRequest
) -> None:
    async with serving(WEBSOCKETS, echo, ssl=security and security.server) as server:
        await check(WSCOMPAT, uri_of(server, security is not None), way(request, name), tls)


@pytest.mark.parametrize(
    "name", ["tinyproxy", "squid-tls", "microsocks", "dante-socks4", "dante-socks5"]
)
async def test_names(
    security: Tls | None, tls: Tls, name: str, request: pytest.FixtureRequest
) -> None:
    """Resolved here with socks4 and socks5, by the proxy otherwise."""
    async with echoing(security) as uri:
        await check(WSCOMPAT, uri.replace("127.0.0.1", "localhost"), way(request, name), tls)


@pytest.mark.parametrize("name", ["tinyproxy", "squid-tls", "microsocks", "dante-socks5"])
async def test_ipv6_targets(
    security: Tls | None, tls: Tls, name: str, request: pytest.FixtureRequest
) -> None:
    server = await WSCOMPAT.serve(echo, "::1", 0, ssl=security and security.server)
    async with server:
        port = port_of(server)
        scheme = "ws" if security is None else "wss"
        await check(WSCOMPAT, f"{scheme}://[::1]:{port}/", way(request, name), tls)


async def failure(library: Library, proxy: str, port: int) -> tuple[str, bool]:
    """Return the exception of a failed attempt, and whether it may be repeated."""
    with pytest.raises(library.exceptions.ProxyError) as caught:
        await library.connect(f"ws://127.0.0.1:{port}/", proxy=proxy)
    return describe(caught.value), library.process_exception(caught.value) is None


@pytest.mark.parametrize(
    "name",
    ["tinyproxy", "squid-digest", "dante-socks4", "dante-socks4a", "dante-socks5", "microsocks"],
)
async def test_a_server_that_is_not_there(name: str, request: pytest.FixtureRequest) -> None:
    url = way(request, name)
    expected = await failure(WEBSOCKETS, url, free_port())
    if name == "squid-digest":  # which websockets cannot log in to
        assert expected == ("InvalidProxyStatus: proxy rejected connection: HTTP 407", False)
        expected = ("InvalidProxyStatus: proxy rejected connection: HTTP 503", False)
    assert await failure(WSCOMPAT, url, free_port()) == expected


@pytest.mark.parametrize("credentials", ["", f"{USER}:wrong@", "someone:secret@"])
@pytest.mark.parametrize(
    ("fixture", "scheme"),
    [
        ("http_proxy_with_password", "http"),
        ("digest_proxy", "http"),
        ("socks_proxy_with_password", "socks5h"),
        ("dante_with_password", "socks5"),
    ],
)
async def test_wrong_credentials(
    fixture: str, scheme: str, credentials: str, request: pytest.FixtureRequest
) -> None:
    proxy: RealProxy = request.getfixturevalue(fixture)
    url = f"{scheme}://{credentials}127.0.0.1:{proxy.port}"
    expected = await failure(WEBSOCKETS, url, free_port())
    assert await failure(WSCOMPAT, url, free_port()) == expected
