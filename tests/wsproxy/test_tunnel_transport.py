"""The second door, `open_tunnel_transport()`: certificates, first bytes, deadlines, cancellation.

That no socket and no task is left is asserted after every test here by the fixture `no_leaks`.
"""

import asyncio
import ssl

import pytest

from tests.support.own_proxies import (
    Handler,
    answering,
    echo,
    serving,
    silent,
    tunnelling,
)
from tests.support.tls import Tls
from tests.wsproxy.checks import BOUND, Greeted, check_greeted
from wsproxy import (
    ProxyConnectionError,
    ProxyError,
    ProxyTimeoutError,
    open_tunnel_transport,
)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_transport_with_a_protocol(tls: Tls, inside: bool, scheme: str) -> None:
    """The server speaks first, in the same segment as the proxy's reply where it can."""
    server = tls.server if scheme == "https" else None
    async with (
        serving(echo, tls=tls.server if inside else None) as target,
        serving(tunnelling(target), tls=server) as port,
    ):
        transport, protocol = await open_tunnel_transport(
            Greeted,
            f"{scheme}://localhost:{port}",
            "127.0.0.1",
            443,
            ssl=tls.client if inside else None,
            proxy_ssl=tls.client,
            timeout=BOUND,
        )
        encrypted = inside or scheme == "https"
        assert (transport.get_extra_info("ssl_object") is not None) == encrypted
        await check_greeted(transport, protocol)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_targets_certificate_is_checked(tls: Tls, scheme: str) -> None:
    server = tls.server if scheme == "https" else None
    async with (
        serving(echo, tls=tls.server) as target,
        serving(tunnelling(target), tls=server) as port,
    ):
        for host, name, context in (
            ("elsewhere.example", None, tls.client),
            ("localhost", "elsewhere.example", tls.client),
            ("localhost", None, True),
        ):
            with pytest.raises(ssl.SSLCertVerificationError):
                await open_tunnel_transport(
                    Greeted,
                    f"{scheme}://localhost:{port}",
                    host,
                    443,
                    ssl=context,
                    server_hostname=name,
                    proxy_ssl=tls.client,
                    timeout=BOUND,
                )


async def test_the_proxys_certificate_is_checked(tls: Tls) -> None:
    async with serving(tunnelling(1), tls=tls.server) as port:
        for context, name in ((None, None), (tls.client, "elsewhere.example")):
            with pytest.raises(ProxyConnectionError, match="TLS handshake with proxy") as caught:
                await open_tunnel_transport(
                    Greeted,
                    f"https://localhost:{port}",
                    "h",
                    443,
                    proxy_ssl=context,
                    proxy_server_hostname=name,
                    timeout=BOUND,
                )
            assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


async def test_the_proxys_name_may_differ_from_its_address(tls: Tls) -> None:
    async with serving(echo) as target, serving(tunnelling(target), tls=tls.server) as port:
        transport, protocol = await open_tunnel_transport(
            Greeted,
            f"https://127.0.0.1:{port}",
            "h",
            443,
            proxy_ssl=tls.client,
            proxy_server_hostname="localhost",
            timeout=BOUND,
        )
        await check_greeted(transport, protocol)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_protocol_that_cannot_be_made(tls: Tls, scheme: str) -> None:
    def factory() -> Greeted:
        raise ZeroDivisionError

    server = tls.server if scheme == "https" else None
    async with serving(echo) as target, serving(tunnelling(target), tls=server) as port:
        with pytest.raises(ZeroDivisionError):
            await open_tunnel_transport(
                factory,
                f"{scheme}://localhost:{port}",
                "h",
                443,
                proxy_ssl=tls.client,
                timeout=BOUND,
            )


async def test_a_timeout_of_the_protocols_own_is_not_ours() -> None:
    def factory() -> Greeted:
        raise TimeoutError("mine")

    async with serving(echo) as target, serving(tunnelling(target)) as port:
        with pytest.raises(TimeoutError, match="mine") as caught:
            await open_tunnel_transport(factory, f"http://127.0.0.1:{port}", "h", 443)
        assert not isinstance(caught.value, ProxyError)


@pytest.mark.parametrize("handler", [silent, answering(b"HTTP/1.1 200 OK\r\n", then_wait=True)],
                         ids=["silent", "half a head"])  # fmt: skip
@pytest.mark.parametrize("encrypted", [True, False])
async def test_the_deadline_counts_for_transports_too(
    tls: Tls, handler: Handler, encrypted: bool
) -> None:
    async with serving(handler, tls=tls.server if encrypted else None) as port:
        with pytest.raises(ProxyTimeoutError):
            await open_tunnel_transport(
                Greeted, f"https://localhost:{port}", "h", 443, proxy_ssl=tls.client, timeout=0.2
            )


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_transport_cancelled_at_every_step(tls: Tls, inside: bool, scheme: str) -> None:
    server = tls.server if scheme == "https" else None
    async with (
        serving(echo, tls=tls.server if inside else None) as target,
        serving(tunnelling(target), tls=server) as port,
    ):
        for turns in range(0, 10_000, 3):
            task = asyncio.create_task(
                open_tunnel_transport(
                    Greeted,
                    f"{scheme}://localhost:{port}",
                    "localhost",
                    443,
                    ssl=tls.client if inside else None,
                    proxy_ssl=tls.client,
                )
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            try:
                transport, protocol = await task
            except asyncio.CancelledError:
                continue
            transport.abort()
            await protocol.lost
            break
        else:
            pytest.fail("the tunnel was never opened")


async def test_a_limit_for_each_handshake_of_tls(tls: Tls) -> None:
    limits = {"ssl_handshake_timeout": 0.05, "timeout": BOUND, "proxy_ssl": tls.client}
    async with serving(silent) as target, serving(tunnelling(target)) as port:
        proxy = f"http://localhost:{port}"
        with pytest.raises(ConnectionAbortedError):
            await open_tunnel_transport(Greeted, proxy, "h", 443, ssl=tls.client, **limits)  # type: ignore[arg-type]
    limits["proxy_ssl_handshake_timeout"] = limits.pop("ssl_handshake_timeout")
    async with serving(silent) as port:
        with pytest.raises(ProxyConnectionError, match="TLS handshake with proxy") as caught:
            await open_tunnel_transport(Greeted, f"https://localhost:{port}", "h", 443, **limits)  # type: ignore[arg-type]
        assert isinstance(caught.value.__cause__, ConnectionAbortedError)
