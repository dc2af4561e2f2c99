"""Tunnels through the proxies that people run: tinyproxy, squid, microsocks, dante and ssh -D."""

import asyncio

import pytest

from tests.support.own_proxies import (
    echo,
    serving,
)
from tests.support.proxy_fixtures import ENCODED, USER
from tests.support.real_proxies import RealProxy, free_port
from tests.support.tls import Tls
from tests.wsproxy.checks import BOUND, Greeted, check_echo, check_greeted
from wsproxy import (
    ProxyAuthenticationError,
    ProxyRefusedError,
    ProxyReplyError,
    open_tunnel,
    open_tunnel_transport,
)
from wsproxy.authorization import Auth


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("rdns", [None, True, False])
async def test_http(http_proxy: RealProxy, echo_port: int, host: str, rdns: bool | None) -> None:
    proxy = f"http://127.0.0.1:{http_proxy.port}"
    await check_echo(await open_tunnel(proxy, host, echo_port, rdns=rdns, timeout=BOUND))


async def test_http_with_password(http_proxy_with_password: RealProxy, echo_port: int) -> None:
    proxy = f"http://{USER}:secret@127.0.0.1:{http_proxy_with_password.port}"
    await check_echo(await open_tunnel(proxy, "127.0.0.1", echo_port, timeout=BOUND))


@pytest.mark.parametrize("credentials", ["", f"{USER}:wrong@", "someone:secret@"])
async def test_http_without_the_right_password(
    http_proxy_with_password: RealProxy, echo_port: int, credentials: str
) -> None:
    proxy = f"http://{credentials}127.0.0.1:{http_proxy_with_password.port}"
    with pytest.raises(ProxyRefusedError) as caught:
        await open_tunnel(proxy, "127.0.0.1", echo_port, timeout=BOUND)
    # tinyproxy of Debian 12 says 401 to wrong credentials and 407 to none.
    assert caught.value.code in (401, 407)
    assert caught.value.reason


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("rdns", [None, True, False])
async def test_socks5(
    socks_proxy: RealProxy, echo_port: int, scheme: str, host: str, rdns: bool | None
) -> None:
    proxy = f"{scheme}://127.0.0.1:{socks_proxy.port}"
    await check_echo(await open_tunnel(proxy, host, echo_port, rdns=rdns, timeout=BOUND))


async def test_socks5_with_password(socks_proxy_with_password: RealProxy, echo_port: int) -> None:
    proxy = f"socks5://{USER}:{ENCODED}@127.0.0.1:{socks_proxy_with_password.port}"
    await check_echo(await open_tunnel(proxy, "127.0.0.1", echo_port, timeout=BOUND))


@pytest.mark.parametrize("credentials", ["", f"{USER}:wrong@", f"someone:{ENCODED}@"])
async def test_socks5_without_the_right_password(
    socks_proxy_with_password: RealProxy, echo_port: int, credentials: str
) -> None:
    proxy = f"socks5://{credentials}127.0.0.1:{socks_proxy_with_password.port}"
    with pytest.raises(ProxyAuthenticationError):
        await open_tunnel(proxy, "127.0.0.1", echo_port, timeout=BOUND)


async def test_ipv6_targets(http_proxy: RealProxy, socks_proxy: RealProxy) -> None:
    async with serving(echo, "::1") as port:
        for proxy in (
            f"http://127.0.0.1:{http_proxy.port}",
            f"socks5://127.0.0.1:{socks_proxy.port}",
        ):
            await check_echo(await open_tunnel(proxy, "::1", port, timeout=BOUND))


async def test_tls_inside(http_proxy: RealProxy, socks_proxy: RealProxy, tls: Tls) -> None:
    async with serving(echo, tls=tls.server) as port:
        for proxy in (
            f"http://127.0.0.1:{http_proxy.port}",
            f"socks5://127.0.0.1:{socks_proxy.port}",
        ):
            sock = await open_tunnel(proxy, "localhost", port, timeout=BOUND)
            reader, writer = await asyncio.open_connection(
                sock=sock, ssl=tls.client, server_hostname="localhost"
            )
            assert await reader.readline() == b"hello\n"
            writer.transport.abort()
            await writer.wait_closed()


async def test_a_target_that_refuses(http_proxy: RealProxy, socks_proxy: RealProxy) -> None:
    port = free_port()
    with pytest.raises(ProxyRefusedError) as caught:
        await open_tunnel(f"http://127.0.0.1:{http_proxy.port}", "127.0.0.1", port, timeout=BOUND)
    assert caught.value.code in (500, 502, 503)
    assert (caught.value.proxy_host, caught.value.proxy_port) == ("127.0.0.1", http_proxy.port)
    with pytest.raises(ProxyRefusedError) as caught:
        await open_tunnel(
            f"socks5://127.0.0.1:{socks_proxy.port}", "127.0.0.1", port, timeout=BOUND
        )
    assert caught.value.code == 5


# Dante takes no names with SOCKS4a, from curl neither.
SOCKS4_WAYS = [("socks4", "127.0.0.1"), ("socks4", "localhost"), ("socks4a", "127.0.0.1")]


@pytest.mark.parametrize(("scheme", "host"), [*SOCKS4_WAYS, ("socks5", "localhost")])
async def test_dante(socks4_proxy: RealProxy, echo_port: int, scheme: str, host: str) -> None:
    user = "someone@" if scheme.startswith("socks4") else ""
    proxy = f"{scheme}://{user}127.0.0.1:{socks4_proxy.port}"
    await check_echo(await open_tunnel(proxy, host, echo_port, timeout=BOUND))


async def test_dante_refuses(socks4_proxy: RealProxy) -> None:
    for scheme, code in (("socks4", 91), ("socks5", 5)):
        proxy = f"{scheme}://127.0.0.1:{socks4_proxy.port}"
        with pytest.raises(ProxyRefusedError) as caught:
            await open_tunnel(proxy, "127.0.0.1", free_port(), timeout=BOUND)
        assert caught.value.code == code


async def test_dante_with_password(dante_with_password: RealProxy, echo_port: int) -> None:
    proxy = f"socks5://{USER}:{ENCODED}@127.0.0.1:{dante_with_password.port}"
    await check_echo(await open_tunnel(proxy, "127.0.0.1", echo_port, timeout=BOUND))


@pytest.mark.parametrize("credentials", ["", f"{USER}:wrong@", "nobody-of-this-name:wrong@"])
async def test_dante_wants_the_right_password(
    dante_with_password: RealProxy, echo_port: int, credentials: str
) -> None:
    proxy = f"socks5://{credentials}127.0.0.1:{dante_with_password.port}"
    with pytest.raises(ProxyAuthenticationError):
        await open_tunnel(proxy, "127.0.0.1", echo_port, timeout=BOUND)


SSH_WAYS = ["socks4", "socks4a", "socks5", "socks5h"]


@pytest.mark.parametrize("scheme", SSH_WAYS)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_ssh(ssh_proxy: RealProxy, echo_port: int, scheme: str, host: str) -> None:
    proxy = f"{scheme}://127.0.0.1:{ssh_proxy.port}"
    await check_echo(await open_tunnel(proxy, host, echo_port, timeout=BOUND))


@pytest.mark.parametrize("scheme", SSH_WAYS)
async def test_ssh_refuses(ssh_proxy: RealProxy, scheme: str) -> None:
    """By closing the connection; the error says so."""
    proxy = f"{scheme}://127.0.0.1:{ssh_proxy.port}"
    with pytest.raises(ProxyReplyError, match=r"ssh -D.* cannot reach the target"):
        await open_tunnel(proxy, "127.0.0.1", free_port(), timeout=BOUND)


@pytest.mark.parametrize("auth", ["any", "digest"])
async def test_digest(digest_proxy: RealProxy, echo_port: int, auth: Auth) -> None:
    proxy = f"http://{USER}:secret@127.0.0.1:{digest_proxy.port}"
    await check_echo(await open_tunnel(proxy, "127.0.0.1", echo_port, auth=auth, timeout=BOUND))


@pytest.mark.parametrize(
    ("credentials", "auth"),
    [("", "any"), (f"{USER}:wrong@", "digest"), (f"{USER}:secret@", "basic")],
)
async def test_digest_refused(
    digest_proxy: RealProxy, echo_port: int, credentials: str, auth: Auth
) -> None:
    proxy = f"http://{credentials}127.0.0.1:{digest_proxy.port}"
    with pytest.raises(ProxyAuthenticationError) as caught:
        await open_tunnel(proxy, "127.0.0.1", echo_port, auth=auth, timeout=BOUND)
    assert any(name == "Proxy-Authenticate" for name, _ in caught.value.headers)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("inside", [False, True])
async def test_https_proxy(digest_proxy: RealProxy, tls: Tls, host: str, inside: bool) -> None:
    proxy = f"https://{USER}:secret@{host}:{digest_proxy.tls_port}"
    async with serving(echo, tls=tls.server if inside else None) as port:
        transport, protocol = await open_tunnel_transport(
            Greeted,
            proxy,
            "127.0.0.1",
            port,
            ssl=tls.client if inside else None,
            proxy_ssl=tls.client,
            timeout=BOUND,
        )
        await check_greeted(transport, protocol)


@pytest.mark.parametrize("inside", [False, True])
async def test_a_chain_of_real_proxies(
    digest_proxy: RealProxy,
    socks_proxy: RealProxy,
    http_proxy: RealProxy,
    socks4_proxy: RealProxy,
    tls: Tls,
    inside: bool,
) -> None:
    chain = [
        f"socks4://127.0.0.1:{socks4_proxy.port}",
        f"https://{USER}:secret@127.0.0.1:{digest_proxy.tls_port}",
        f"socks5://127.0.0.1:{socks_proxy.port}",
        f"http://127.0.0.1:{http_proxy.port}",
        f"https://{USER}:secret@127.0.0.1:{digest_proxy.tls_port}",
    ]
    async with serving(echo, tls=tls.server if inside else None) as port:
        transport, protocol = await open_tunnel_transport(
            Greeted,
            chain,
            "127.0.0.1",
            port,
            ssl=tls.client if inside else None,
            server_hostname="localhost" if inside else None,
            proxy_ssl=tls.client,
            timeout=BOUND,
        )
        await check_greeted(transport, protocol)


async def test_a_chain_that_gives_a_socket(
    socks_proxy: RealProxy, http_proxy: RealProxy, echo_port: int
) -> None:
    chain = [f"http://127.0.0.1:{http_proxy.port}", f"socks5://127.0.0.1:{socks_proxy.port}"]
    await check_echo(await open_tunnel(chain, "127.0.0.1", echo_port, timeout=BOUND))
