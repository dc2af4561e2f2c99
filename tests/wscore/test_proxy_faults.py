"""Proxies that fail, refuse or misbehave, and cancellation: clean exceptions, no leak.

The fixture `no_leaks` asserts that no socket, task or unhandled exception is left.
"""

import asyncio
import ssl
from typing import Any

import pytest

from tests.support.own_proxies import (
    Handler,
    answering,
    dripping,
    endless,
    scripted,
    silent,
)
from tests.support.own_proxies import serving as listening
from tests.support.tls import Tls
from tests.wscore.pairs import Setting, serving
from tests.wscore.proxied import leave, tunnel
from tests.wscore.raw_peer import BOUND, RawPeer, accepting, free_port
from tests.wscore.recorder import Recorder
from wscore import WSHandshakeError, ws_connect
from wscore.opening.proxy import ProxySettings
from wscore.opening.route import Route
from wsproxy import (
    ProxyAuthenticationError,
    ProxyConnectionError,
    ProxyRefusedError,
    ProxyReplyError,
    ProxyTimeoutError,
    ProxyUnsupportedError,
    ProxyURLError,
)


@pytest.mark.parametrize(
    ("proxy", "kind"),
    [
        ("", ProxyURLError),
        ("proxy:80", ProxyUnsupportedError),
        ("http://proxy:http", ProxyURLError),
        ("ftp://proxy", ProxyUnsupportedError),
        (["http://proxy", "nothing"], ProxyURLError),
        ([], ValueError),
        ("socks5://%C3%A9:x@proxy", ProxyUnsupportedError),
    ],
)
async def test_proxies_that_are_malformed(both: Setting, proxy: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await ws_connect(Recorder, both.url(1), proxy=proxy, **both.client_options)


@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks5"])
async def test_a_proxy_that_is_not_there(scheme: str) -> None:
    with pytest.raises(ProxyConnectionError) as caught:
        await ws_connect(Recorder, "ws://h.invalid/", proxy=f"{scheme}://127.0.0.1:{free_port()}")
    if scheme != "socks4":  # which does not get so far
        assert isinstance(caught.value.__cause__, ConnectionRefusedError)


MISBEHAVIOUR: dict[str, tuple[str, Handler, type[Exception]]] = {
    "407": ("http", answering(b"HTTP/1.1 407 Log in\r\n\r\n"), ProxyAuthenticationError),
    "502": ("http", answering(b"HTTP/1.1 502 X\r\n\r\n", then_wait=True), ProxyRefusedError),
    "garbage": ("http", answering(b"garbage\r\n\r\n"), ProxyReplyError),
    "hangs up": ("http", answering(), ProxyReplyError),
    "hangs up in between": ("http", answering(b"HTTP/1.1 200 OK\r\nA:"), ProxyReplyError),
    "a huge head": ("http", endless(b"HTTP/1.1 200 OK\r\nA: ", b"x" * 999), ProxyReplyError),
    "many fields": ("http", endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 999), ProxyReplyError),
    "drips": ("http", dripping(b"HTTP/1.1 200 OK\r\nA: ", b"x"), ProxyTimeoutError),
    "says nothing": ("http", silent, ProxyTimeoutError),
    "socks: garbage": ("socks5", scripted((3, b"garbage")), ProxyReplyError),
    "socks: refuses": (
        "socks5",
        scripted((3, b"\x05\x00"), (16, b"\x05\x05\x00\x01" + b"\0" * 6)),
        ProxyRefusedError,
    ),
    "socks: log in": ("socks5", scripted((3, b"\x05\xff")), ProxyAuthenticationError),
    "socks: hangs up": ("socks5", scripted((3, b"\x05\x00")), ProxyReplyError),
    "socks: says nothing": ("socks5", silent, ProxyTimeoutError),
    "socks4: refuses": ("socks4a", scripted((18, b"\0\x5b" + b"\0" * 6)), ProxyRefusedError),
}


@pytest.mark.parametrize(
    ("scheme", "handler", "kind"), MISBEHAVIOUR.values(), ids=MISBEHAVIOUR.keys()
)
async def test_misbehaving_proxies(
    both: Setting, scheme: str, handler: Handler, kind: type[Exception]
) -> None:
    url = both.url(1).replace("127.0.0.1", "h.invalid")
    timeout = 0.1 if kind is ProxyTimeoutError else BOUND
    async with listening(handler) as port:
        with pytest.raises(kind) as caught:
            await ws_connect(
                Recorder,
                url,
                proxy=f"{scheme}://127.0.0.1:{port}",
                proxy_options={"timeout": timeout},
                **both.client_options,
            )
    assert type(caught.value) is kind


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_that_leaves_after_it_agreed(both: Setting, tls: Tls, scheme: str) -> None:
    """Bytes after its headers belong to the tunnel: EOF, or garbage."""
    server = tls.server if scheme == "https" else None
    for rest in (b"", b"garbage" * 100):
        agreeing = answering(b"HTTP/1.1 200 OK\r\n\r\n" + rest)
        async with listening(agreeing, tls=server) as port:
            with pytest.raises((WSHandshakeError, ConnectionError, ssl.SSLError)):
                await ws_connect(
                    Recorder,
                    both.url(1),
                    proxy=f"{scheme}://localhost:{port}",
                    proxy_ssl_context=tls.client,
                    **both.client_options,
                )


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_handshakes_deadline_begins_in_the_tunnel(
    both: Setting, tls: Tls, scheme: str
) -> None:
    async def script(peer: RawPeer) -> None:
        await peer.read_to_end()

    async with (
        accepting(script, both.tls and both.tls.server) as target,
        tunnel(scheme, tls, target) as proxy,
    ):
        with pytest.raises(TimeoutError, match="opening handshake"):
            await ws_connect(
                Recorder,
                both.url(1),
                proxy=proxy,
                proxy_ssl_context=tls.client,
                websocket_handshake_timeout=0.05,
                **both.client_options,
            )


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_cancelled_at_every_step(both: Setting, tls: Tls, scheme: str) -> None:
    """Cancel after 0, 1, 2, … iterations of the loop, until the connection opens before that."""
    async with (
        serving(both, lambda _: Recorder()) as target,
        tunnel(scheme, tls, target) as proxy,
    ):
        for turns in range(10_000):
            task = asyncio.ensure_future(
                ws_connect(
                    Recorder,
                    both.url(1),
                    proxy=proxy,
                    proxy_ssl_context=tls.client,
                    **both.client_options,
                )
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            try:
                transport, _ = await task
            except asyncio.CancelledError:
                continue
            await leave(transport)
            break
        else:
            pytest.fail("the connection was never opened")
        assert turns > 5


# Secrets


@pytest.mark.parametrize(
    "handler",
    [answering(b"HTTP/1.1 407 wsuser:s3cret\r\n\r\n"), answering(b"s3cret\r\n\r\n"), silent],
    ids=["407", "garbage", "silence"],
)
async def test_credentials_are_nowhere_to_be_seen(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    caplog.set_level(1)
    proxy_options = {"timeout": 0.2, "headers": {"X-Token": "t0ken"}}
    for scheme in ("http", "socks5"):
        async with listening(handler) as port:
            with pytest.raises(OSError) as caught:
                await ws_connect(
                    Recorder,
                    "ws://h.invalid/",
                    proxy=f"{scheme}://wsuser:s3cret@127.0.0.1:{port}",
                    proxy_options=proxy_options,
                )
        shown = "".join([repr(caught.value), str(caught.value), caplog.text])
        for secret in ("wsuser", "s3cret", "t0ken", "d3N1c2VyOnMzY3JldA=="):
            assert secret not in shown


def test_credentials_are_not_in_what_is_printed() -> None:
    settings = ProxySettings(options={"headers": {"X-Token": "t0ken"}})
    route = Route(proxy="http://wsuser:s3cret@h", proxy_options=settings.options)
    for printed in (repr(settings), repr(route)):
        for secret in ("wsuser", "s3cret", "t0ken"):
            assert secret not in printed
