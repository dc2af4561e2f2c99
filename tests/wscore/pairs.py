"""Connections for the tests: wscore against a bare socket, and wscore against itself."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from tests.support.tls import Tls
from tests.wscore import wire
from tests.wscore.raw_peer import BOUND, RawPeer, accepting, connecting
from tests.wscore.recorder import Recorder
from wscore import WSListener, WSTransport, ws_connect, ws_create_server


@dataclass(frozen=True)
class Setting:
    """Which side of the connection is wscore, and over what it runs.

    Attributes:
        side: `client` or `server`.
        tls: the contexts, or None for plain TCP.
    """

    side: str
    tls: Tls | None

    @property
    def server_options(self) -> dict[str, Any]:
        """For `ws_create_server` and `asyncio.start_server`."""
        return {"ssl": self.tls.server} if self.tls else {}

    @property
    def client_options(self) -> dict[str, Any]:
        """For `ws_connect`."""
        return {"ssl_context": self.tls.client} if self.tls else {}

    def url(self, port: int, path: str = "/") -> str:
        """Return the URL of a server of this kind on loopback."""
        return f"{'wss' if self.tls else 'ws'}://127.0.0.1:{port}{path}"


@dataclass(frozen=True)
class Way:
    """How input gets to wscore.

    Attributes:
        setting: who is who.
        each_byte: whether it comes byte by byte.
    """

    setting: Setting
    each_byte: bool


@contextlib.asynccontextmanager
async def against_raw_peer(
    setting: Setting,
    listener: Recorder,
    *,
    request: bytes = wire.request(),
    response_extra: str = "",
    **options: Any,
) -> AsyncIterator[tuple[WSTransport, RawPeer]]:
    """Yield an open connection: wscore's transport on one end, a bare socket on the other.

    Args:
        setting: who is who.
        listener: of wscore's side.
        request: what the socket sends if it is the client.
        response_extra: header lines in its response if it is the server.
        options: of `ws_connect` or `ws_create_server`.
    """
    own = against_raw_client if setting.side == "server" else against_raw_server
    extra = request if setting.side == "server" else response_extra
    async with own(setting, listener, extra, options) as (transport, peer):
        try:
            yield transport, peer
        finally:
            transport.disconnect(graceful=False)
            await until_gone(transport)


async def until_gone(transport: WSTransport) -> None:
    """Wait until a connection is gone, whatever made its own side end it."""
    async with asyncio.timeout(BOUND):
        with contextlib.suppress(Exception):
            await transport.wait_disconnected()


@contextlib.asynccontextmanager
async def against_raw_client(
    setting: Setting, listener: Recorder, request: bytes, options: dict[str, Any]
) -> AsyncIterator[tuple[WSTransport, RawPeer]]:
    """Yield the connection if wscore is the server."""
    async with raw_client(lambda _: listener, setting.tls, **options) as peer:
        await peer.send(request)
        assert wire.status_of(await peer.read_head()) == 101
        await listener.until("connected")
        assert listener.transport is not None
        yield listener.transport, peer


@contextlib.asynccontextmanager
async def against_raw_server(
    setting: Setting, listener: Recorder, response_extra: str, options: dict[str, Any]
) -> AsyncIterator[tuple[WSTransport, RawPeer]]:
    """Yield the connection if wscore is the client."""
    accepted: asyncio.Future[RawPeer] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def script(peer: RawPeer) -> None:
        key = wire.header_of(await peer.read_head(), "Sec-WebSocket-Key")
        assert key is not None
        await peer.send(wire.response(key, extra=response_extra))
        accepted.set_result(peer)
        await over.wait()

    async with accepting(script, setting.tls and setting.tls.server) as port:
        try:
            transport, _ = await ws_connect(
                lambda: listener, setting.url(port), **setting.client_options, **options
            )
            yield transport, await accepted
        finally:
            over.set()


@contextlib.asynccontextmanager
async def serving(setting: Setting, factory: Any, **options: Any) -> AsyncIterator[int]:
    """Yield a wscore server, and its port; its connections are left to the test."""
    server = await ws_create_server(factory, "127.0.0.1", 0, **setting.server_options, **options)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        async with asyncio.timeout(BOUND):
            await server.wait_closed()


@contextlib.asynccontextmanager
async def raw_client(
    factory: Any, tls: Tls | None = None, **options: Any
) -> AsyncIterator[RawPeer]:
    """Yield a bare socket that is connected to a wscore server and has said nothing yet."""
    async with (
        serving(Setting("server", tls), factory, **options) as port,
        connecting(port, tls and tls.client) as peer,
    ):
        yield peer


@dataclass(frozen=True)
class Pair:
    """Both ends of a connection between two wscores."""

    client: WSTransport
    server: WSTransport
    at_client: Recorder
    at_server: Recorder


@contextlib.asynccontextmanager
async def connected_pair(
    setting: Setting,
    at_client: Recorder | None = None,
    at_server: Recorder | None = None,
    *,
    client_options: dict[str, Any] | None = None,
    server_options: dict[str, Any] | None = None,
) -> AsyncIterator[Pair]:
    """Yield a connection between two wscores; only `setting.tls` counts."""
    at_client, at_server = at_client or Recorder(), at_server or Recorder()

    def factory(_: object) -> WSListener:
        return at_server

    async with serving(setting, factory, **(server_options or {})) as port:
        client, _ = await ws_connect(
            lambda: at_client,
            setting.url(port),
            **setting.client_options,
            **(client_options or {}),
        )
        await at_server.until("connected")
        assert at_server.transport is not None
        try:
            yield Pair(client, at_server.transport, at_client, at_server)
        finally:
            for transport in (client, at_server.transport):
                transport.disconnect(graceful=False)
                await until_gone(transport)
