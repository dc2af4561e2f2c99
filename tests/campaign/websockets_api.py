"""Connections of websockets and wscompat, of the asyncio API and of the legacy one."""

import asyncio
import contextlib
import importlib
import socket
import ssl
import warnings
from collections.abc import AsyncIterator
from typing import Any

from tests.campaign.peers import (
    CLOSE_TIMEOUT,
    MAX_SIZE,
    OPEN_TIMEOUT,
    PING_INTERVAL,
    PING_TIMEOUT,
    Closed,
    Connection,
    Handler,
    reset,
)

__all__ = ["connect", "serve"]

LIMITS: dict[str, Any] = {
    "open_timeout": OPEN_TIMEOUT,
    "close_timeout": CLOSE_TIMEOUT,
    "ping_interval": PING_INTERVAL,
    "ping_timeout": PING_TIMEOUT,
    "max_size": MAX_SIZE,
}


class MessageConnection:
    """A connection of one of these packages.

    Args:
        package: its name.
        connection: of the package.
    """

    def __init__(self, package: str, connection: Any) -> None:
        exceptions = importlib.import_module(f"{package}.exceptions")
        self._closed: type[Exception] = exceptions.ConnectionClosed
        self._connection = connection
        self._codes: tuple[int | None, int | None] = (None, None)

    async def send(self, message: Any) -> None:
        with self._translated():
            await self._connection.send(message)

    async def send_fragments(self, parts: Any) -> None:
        await self.send(parts)

    async def recv(self) -> str | bytes:
        with self._translated():
            return await self._connection.recv()
        raise AssertionError

    async def ping(self) -> None:
        with self._translated():
            await (await self._connection.ping())

    async def close(self) -> None:
        await self._connection.close()

    def end(self, how: str) -> None:
        if how == "reset":
            reset(self._connection.transport)
        self._connection.transport.abort()

    def codes(self) -> tuple[int | None, int | None]:
        connection = self._connection
        holder = connection if hasattr(connection, "close_rcvd") else connection.protocol
        sent, received = holder.close_sent, holder.close_rcvd
        return (sent.code if sent else None, received.code if received else None)

    @contextlib.contextmanager
    def _translated(self) -> Any:
        try:
            yield
        except self._closed as exc:
            raise Closed(str(exc)) from None


@contextlib.asynccontextmanager
async def connect(
    api: str, url: str, *, tls: ssl.SSLContext | None, compression: bool
) -> AsyncIterator[Connection]:
    package, _, kind = api.partition(".")
    options: dict[str, Any] = {"proxy": None} if kind == "asyncio" else {}
    connecting = _module(api, "client").connect(
        url,
        ssl=tls,
        compression="deflate" if compression else None,
        **LIMITS,
        **options,
    )
    connection = await connecting
    try:
        yield MessageConnection(package, connection)
    finally:
        await asyncio.shield(connection.close())


@contextlib.asynccontextmanager
async def serve(
    api: str, handler: Handler, listening: socket.socket, *, tls: ssl.SSLContext | None
) -> AsyncIterator[None]:
    package, _, kind = api.partition(".")

    async def handle(connection: Any) -> None:
        path = connection.request.path if kind == "asyncio" else connection.path
        await handler(MessageConnection(package, connection), path)

    server = await _module(api, "server").serve(
        handle,
        sock=listening,
        ssl=tls,
        **LIMITS,
    )
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()


def _module(api: str, name: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return importlib.import_module(f"{api}.{name}")
