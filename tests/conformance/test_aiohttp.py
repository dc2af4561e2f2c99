"""aiohttp, as client and as server, plain and over TLS, talks with wscore and wscompat."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.conformance.pair import hold
from tests.conformance.site import ECHO, SUBPROTOCOL, echo_server
from tests.interop import peer_wscompat, peer_wscore
from tests.interop.endpoints import Client, Close, Peer
from tests.support.tls import Tls

aiohttp = pytest.importorskip("aiohttp")
peer_aiohttp = pytest.importorskip("tests.conformance.peer_aiohttp", exc_type=ImportError)

BOUND = 30

OURS = pytest.mark.parametrize(
    "ours", [peer_wscore.PEER, peer_wscompat.PEER], ids=lambda peer: peer.name
)
SECURE = pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])


async def talk(client: Peer, server: Peer, tls: Tls | None) -> None:
    closes: asyncio.Queue[Close | None] = asyncio.Queue()
    server_tls: ssl.SSLContext | None = tls.server if tls else None
    async with (
        asyncio.timeout(BOUND),
        server.serve(tls=server_tls, on_closed=lambda _, close: closes.put_nowait(close)) as port,
    ):
        scheme, context = ("wss", tls.client) if tls else ("ws", None)
        url = f"{scheme}://localhost:{port}/"
        await hold(client.connect, url, closes.get, tls=context)


class OtherAnswer:
    """A client that knows what aiohttp answers a CLOSE with, and otherwise is the one it is given.

    Args:
        client: one that took part so far.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def close(self, close: Close) -> Close | None:
        assert await self._client.close(close) == peer_aiohttp.SERVER_ANSWER
        return close


@OURS
@SECURE
async def test_client(ours: Peer, secure: bool, tls: Tls) -> None:
    await talk(peer_aiohttp.PEER, ours, tls if secure else None)


@OURS
@SECURE
async def test_server(ours: Peer, secure: bool, tls: Tls) -> None:
    @contextlib.asynccontextmanager
    async def connect(url: str, **options: Any) -> AsyncIterator[Any]:
        async with ours.connect(url, **options) as client:
            yield OtherAnswer(client)

    peer = Peer(ours.name, connect, ours.serve)
    await talk(peer, peer_aiohttp.PEER, tls if secure else None)


@pytest.mark.parametrize("package", list(ECHO))
async def test_compressing_client(package: str) -> None:
    messages = ["", "žluťoučký kůň " * 1000, "x" * 200_000, "end"]
    async with (
        asyncio.timeout(BOUND),
        echo_server(package, True) as (url, seen),
        aiohttp.ClientSession() as session,
        session.ws_connect(url, protocols=[SUBPROTOCOL], compress=15, max_msg_size=0) as socket,
    ):
        assert socket.compress
        for _ in range(3):
            for message in messages:
                await socket.send_str(message)
                assert await socket.receive_str() == message
                await socket.send_bytes(message.encode())
                assert await socket.receive_bytes() == message.encode()
        await socket.close(code=4001, message=b"bye")
    assert seen.closes == [(4001, "bye")]
