"""`ws://` and `wss://` through widely used proxies: every kind, chains, IPv6, names."""

from typing import Any

import pytest

from tests.support.own_proxies import serving as listening
from tests.support.own_proxies import tunnelling
from tests.support.proxy_fixtures import way
from tests.support.tls import Tls
from tests.wscore import wire
from tests.wscore.pairs import Setting, serving
from tests.wscore.proxied import leave
from tests.wscore.recorder import Recorder
from wscore import WSFrame, WSTransport, ws_connect, ws_create_server

PAYLOAD = bytes(range(256)) * 1000


def echo(transport: WSTransport, frame: WSFrame) -> None:
    transport.send(frame.msg_type, frame.get_payload_as_memoryview())


async def check(setting: Setting, tls: Tls, url: str, proxy: Any, **options: Any) -> type:
    """Connect, echo a large message, and close; return the type of the underlying transport."""
    listener = Recorder()
    transport, _ = await ws_connect(
        lambda: listener,
        url,
        proxy=proxy,
        proxy_ssl_context=tls.client,
        **setting.client_options,
        **options,
    )
    transport.send(wire.BINARY, PAYLOAD)
    await listener.until("frame")
    assert listener.seen == [(wire.BINARY, PAYLOAD)]
    kind = type(transport.underlying_transport)
    await leave(transport)
    return kind


async def test_every_proxy(both: Setting, tls: Tls, proxy_url: str) -> None:
    async with serving(both, lambda _: Recorder(echo)) as port:
        await check(both, tls, both.url(port), proxy_url)


@pytest.mark.parametrize(
    "names",
    [
        ["tinyproxy", "microsocks"],
        ["dante-socks4", "squid-tls", "microsocks-password", "tinyproxy-password"],
        ["microsocks", "squid-digest", "dante-socks5", "squid-tls"],
    ],
    ids=", ".join,
)
async def test_chains(
    both: Setting, tls: Tls, names: list[str], request: pytest.FixtureRequest
) -> None:
    chain = [way(request, name) for name in names]
    async with serving(both, lambda _: Recorder(echo)) as port:
        await check(both, tls, both.url(port), chain)


@pytest.mark.parametrize("name", ["tinyproxy", "squid-tls", "microsocks", "dante-socks5"])
async def test_ipv6_targets(
    both: Setting, tls: Tls, name: str, request: pytest.FixtureRequest
) -> None:
    server = await ws_create_server(lambda _: Recorder(echo), "::1", 0, **both.server_options)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = both.url(port).replace("127.0.0.1", "[::1]")
        await check(both, tls, url, way(request, name))


# Dante takes no names with SOCKS4a.
@pytest.mark.parametrize(
    ("name", "rdns"),
    [
        ("tinyproxy", None),
        ("squid-tls", True),
        ("microsocks", None),
        ("dante-socks4", None),
        ("dante-socks5", None),
        ("dante-socks4a", False),
    ],
)
async def test_names(
    both: Setting, tls: Tls, name: str, rdns: bool | None, request: pytest.FixtureRequest
) -> None:
    async with serving(both, lambda _: Recorder(echo)) as port:
        url = both.url(port).replace("127.0.0.1", "localhost")
        await check(both, tls, url, way(request, name), proxy_options={"rdns": rdns})


async def test_the_transport_in_the_tunnel(both: Setting, tls: Tls) -> None:
    """It is of the same type as without a proxy, unless the connection to that is over TLS."""
    async with serving(both, lambda _: Recorder(echo)) as target:
        direct = await check(both, tls, both.url(target), None)
        for scheme in ("http", "https"):
            server = tls.server if scheme == "https" else None
            async with listening(tunnelling(target), tls=server) as port:
                proxy = f"{scheme}://localhost:{port}"
                tunnelled = await check(both, tls, both.url(1), proxy)
                assert (tunnelled is direct) == (scheme == "http")
