"""A peer made of any package with the asyncio API of `websockets`, given the package's name.

It must use only what such a package documents, and nothing that one of them has alone.
"""

import asyncio
import contextlib
import importlib
import ssl
from collections.abc import AsyncIterator
from typing import Any

from tests.interop.endpoints import (
    ASK_CLOSE,
    ASK_FRAGMENTS,
    ASK_PING,
    HOST,
    SERVER_CLOSE,
    SERVER_FRAGMENTS,
    SERVER_PING,
    Burst,
    Client,
    Close,
    Fragments,
    Message,
    OnClosed,
    Peer,
    pong_report,
)

# How long a close may take when the conversation has already failed.
CLOSE_TIMEOUT = 2.0


class MessageClient:
    """The client's end.

    Args:
        connection: an open connection of the package.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def send(self, message: Message) -> None:
        await self._connection.send(message)

    async def send_fragments(self, fragments: Fragments) -> None:
        await self._connection.send(list(fragments))

    async def send_fragments_around_ping(self, fragments: Fragments, payload: bytes) -> bytes:
        pongs: list[Any] = []

        async def with_ping() -> AsyncIterator[Message]:
            for number, fragment in enumerate(fragments):
                if number == 1:
                    pongs.append(await self._connection.ping(payload))
                yield fragment

        await self._connection.send(with_ping())
        await pongs[0]
        return payload

    async def receive(self) -> Message:
        message: Message = await self._connection.recv()
        return message

    async def ping(self, payload: bytes) -> bytes:
        # The package itself compares: this waits until a pong with that very payload comes.
        await (await self._connection.ping(payload))
        return payload

    async def burst(self, burst: Burst) -> None:
        connection = self._connection
        message: bytes | None = burst.first()
        while message is not None:
            await connection.send(message)
            message = burst.answered(await connection.recv())

    async def close(self, close: Close) -> Close | None:
        await self._connection.close(close.code, close.reason)
        return received_close(self._connection)

    async def wait_closed(self) -> Close | None:
        await self._connection.wait_closed()
        return received_close(self._connection)


class EchoHandler:
    """What the server does for every connection.

    Args:
        closed: the package's exception for a connection that has ended.
        on_closed: is told the CLOSE that ended the connection.
    """

    def __init__(self, closed: type[Exception], on_closed: OnClosed) -> None:
        self._closed = closed
        self._on_closed = on_closed

    async def __call__(self, connection: Any) -> None:
        with contextlib.suppress(self._closed):
            async for message in connection:
                await self._answer(connection, message)
        await connection.wait_closed()
        self._on_closed(connection.request.path, received_close(connection))

    async def _answer(self, connection: Any, message: Message) -> None:
        match message:
            case str() if message == ASK_FRAGMENTS:
                await connection.send(list(SERVER_FRAGMENTS))
            case str() if message == ASK_PING:
                await (await connection.ping(SERVER_PING))
                await connection.send(pong_report(SERVER_PING))
            case str() if message == ASK_CLOSE:
                await connection.close(SERVER_CLOSE.code, SERVER_CLOSE.reason)
            case _:
                await connection.send(message)


def received_close(connection: Any) -> Close | None:
    """Return the CLOSE that a connection received, or None if it ended without one."""
    if connection.close_code is None or connection.close_code == 1006:
        return None
    return Close(int(connection.close_code), connection.close_reason)


def make_peer(package: str) -> Peer:
    """Return a peer that runs on the package of that name.

    Raises:
        ImportError: the package is not installed.
    """
    connect_to = importlib.import_module(f"{package}.asyncio.client").connect
    serve_with = importlib.import_module(f"{package}.asyncio.server").serve
    closed = importlib.import_module(f"{package}.exceptions").ConnectionClosed

    @contextlib.asynccontextmanager
    async def connect(
        url: str, *, tls: ssl.SSLContext | None, proxy: str | None
    ) -> AsyncIterator[Client]:
        # Without `proxy=None` the package would look for a proxy of the system.
        async with connect_to(url, ssl=tls, proxy=proxy, close_timeout=CLOSE_TIMEOUT) as connection:
            yield MessageClient(connection)

    @contextlib.asynccontextmanager
    async def serve(*, tls: ssl.SSLContext | None, on_closed: OnClosed) -> AsyncIterator[int]:
        handler = EchoHandler(closed, on_closed)
        # Clients offer compression as they do by default; the servers decline it, so that the
        # rates of all pairs are of the same kind.
        server = await serve_with(
            handler, HOST, 0, ssl=tls, compression=None, close_timeout=CLOSE_TIMEOUT
        )
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await asyncio.wait_for(server.wait_closed(), 2 * CLOSE_TIMEOUT)

    return Peer(package, connect, serve)
