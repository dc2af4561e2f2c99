"""Connections of both APIs of wscompat against a bare socket that may read slowly or not at all."""

import asyncio
import contextlib
import logging
import warnings
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from tests.wscompat.libraries import closing_at_exit, port_of
from tests.wscore import wire
from tests.wscore.pairs import Setting
from tests.wscore.raw_peer import BOUND, RawPeer, accepting, connecting
from wscompat.asyncio.client import connect
from wscompat.asyncio.server import serve

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from wscompat.legacy.client import connect as legacy_connect
    from wscompat.legacy.server import WebSocketServer, WebSocketServerProtocol
    from wscompat.legacy.server import serve as legacy_serve


@dataclass(frozen=True)
class Kind:
    """The kind of connection under test.

    Attributes:
        name: of the kind.
        is_legacy: whether it is the older API.
        logs: whether its logger is at the level DEBUG.
        foreign: whether it runs on a transport of the loop; only for servers of the older API.
    """

    name: str
    is_legacy: bool = False
    logs: bool = False
    foreign: bool = False

    def __str__(self) -> str:
        return self.name


KINDS = [
    Kind("asyncio"),
    Kind("asyncio that logs", logs=True),
    Kind("legacy", is_legacy=True),
    Kind("legacy on a transport of the loop", is_legacy=True, foreign=True),
]


def _complete(kind: Kind, options: dict[str, Any]) -> dict[str, Any]:
    options = {"ping_interval": None, "compression": None, "close_timeout": 0.1, **options}
    if kind.logs:
        options["logger"] = logging.getLogger("wscompat.bare_peer")
        options["logger"].setLevel(logging.DEBUG)
    return options


@contextlib.asynccontextmanager
async def against_raw_peer(
    kind: Kind, setting: Setting, **options: Any
) -> AsyncIterator[tuple[Any, RawPeer]]:
    """Open a connection: wscompat's on one end, a bare socket on the other.

    Args:
        kind: of wscompat's connection.
        setting: which side is wscompat's, and over what it runs.
        options: of `connect` or `serve`.
    """
    own = _against_client if setting.side == "server" else _against_server
    async with own(kind, setting, options) as (connection, peer):
        try:
            yield connection, peer
        finally:
            connection.transport.abort()
            async with asyncio.timeout(BOUND):
                await connection.wait_closed()


@contextlib.asynccontextmanager
async def serving(kind: Kind, handler: Any, **options: Any) -> AsyncIterator[int]:
    """Serve; yield the port.

    Args:
        kind: of its connections.
        handler: of its connections.
        options: of `serve`.
    """
    server = await _serve(kind, handler, _complete(kind, options))
    async with closing_at_exit(server):
        yield port_of(server)


@contextlib.asynccontextmanager
async def _against_client(
    kind: Kind, setting: Setting, options: dict[str, Any]
) -> AsyncIterator[tuple[Any, RawPeer]]:
    opened: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def handler(connection: Any) -> None:
        opened.set_result(connection)
        await connection.wait_closed()

    async with (
        serving(kind, handler, **setting.server_options, **options) as port,
        connecting(port, setting.tls and setting.tls.client) as peer,
    ):
        await peer.send(wire.request())
        assert wire.status_of(await peer.read_head()) == 101
        yield await opened, peer


async def _serve(kind: Kind, handler: Any, options: dict[str, Any]) -> Any:
    if not kind.foreign:
        serving = legacy_serve if kind.is_legacy else serve
        return await serving(handler, "127.0.0.1", 0, **options)
    ws_server = WebSocketServer()
    options = dict(options)
    context = options.pop("ssl", None)
    options.pop("compression")
    server = await asyncio.get_running_loop().create_server(
        lambda: WebSocketServerProtocol(handler, ws_server, **options),
        "127.0.0.1",
        0,
        ssl=context,
    )
    ws_server.wrap(server)
    return ws_server


@contextlib.asynccontextmanager
async def _against_server(
    kind: Kind, setting: Setting, options: dict[str, Any]
) -> AsyncIterator[tuple[Any, RawPeer]]:
    accepted: asyncio.Future[RawPeer] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def script(peer: RawPeer) -> None:
        key = wire.header_of(await peer.read_head(), "Sec-WebSocket-Key")
        assert key is not None
        await peer.send(wire.response(key))
        accepted.set_result(peer)
        await over.wait()

    connecting_to = legacy_connect if kind.is_legacy else connect
    options = _complete(kind, options)
    if setting.tls:
        options["ssl"] = setting.tls.client
    async with accepting(script, setting.tls and setting.tls.server) as port:
        try:
            connection = await connecting_to(setting.url(port), **options)
            yield connection, await accepted
        finally:
            over.set()
