"""A TLS context of the wrong side is rejected at once, not with each connection."""

import ssl
from typing import Any

import pytest

from tests.support.tls import Tls
from tests.wscore.recorder import Recorder
from tests.wscore.servers import LOOPBACK, port_of, serving, talk_to
from wscore import ws_connect, ws_create_server
from wscore.opening.tls_side import check_context

FOR_CLIENTS = "PROTOCOL_TLS_CLIENT"
FOR_SERVERS = "PROTOCOL_TLS_SERVER"
NO_CONTEXTS = [True, "cert.pem", 0, object()]


@pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLS is deprecated")
def test_what_is_right() -> None:
    for side in ("client", "server"):
        check_context("ssl", None, side)
        check_context("ssl", ssl.SSLContext(ssl.PROTOCOL_TLS), side)
    check_context("ssl", ssl.create_default_context(), "client")
    check_context("ssl", ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), "server")


def test_the_error_says_what_to_do(tls: Tls) -> None:
    with pytest.raises(ValueError, match=r"^name must be a context for a server, .*CLIENT_AUTH"):
        check_context("name", tls.client, "server")
    with pytest.raises(ValueError, match=r"^name must be a context for a client, .*default"):
        check_context("name", tls.server, "client")


async def test_server(tls: Tls) -> None:
    with pytest.raises(ValueError, match=FOR_CLIENTS):
        await ws_create_server(lambda _: Recorder(), LOOPBACK, 0, ssl=tls.client)
    for wrong in NO_CONTEXTS:
        with pytest.raises(TypeError, match="ssl must be an SSLContext"):
            await ws_create_server(lambda _: Recorder(), LOOPBACK, 0, ssl=wrong)


@pytest.mark.parametrize("name", ["ssl_context", "proxy_ssl_context", "ssl"])
@pytest.mark.parametrize("url", ["wss://nowhere.invalid/", "ws://nowhere.invalid/"])
async def test_client(tls: Tls, name: str, url: str) -> None:
    """It is checked first: not even the name of the server is resolved."""

    async def connect(value: Any) -> None:
        await ws_connect(Recorder, url, **{name: value})

    with pytest.raises(ValueError, match=f"^{name} .*{FOR_SERVERS}"):
        await connect(tls.server)
    for wrong in NO_CONTEXTS:
        if (name, wrong) != ("ssl", True):
            with pytest.raises(TypeError, match=f"^{name} must be an SSLContext"):
                await connect(wrong)


async def test_context_with_a_url_without_tls(tls: Tls) -> None:
    """As with picows it is only for ``wss://`` URLs, including those of redirects."""
    async with serving(LOOPBACK, 0) as server:
        await talk_to(server, ssl_context=tls.client)
        for context in (tls.client, True):
            with pytest.raises(ValueError, match="ssl cannot be combined with a ws:// URL"):
                await ws_connect(Recorder, f"ws://{LOOPBACK}:{port_of(server)}/", ssl=context)
