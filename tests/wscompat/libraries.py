"""The two libraries that are compared, and the records of each side of a conversation.

A conversation is a script for the client and one for the server. It is run with either library on
either side, and must give the same records as with websockets on both.
"""

import asyncio
import contextlib
import importlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

# How long anything here may take. Only a failing test waits for it.
BOUND = 10.0


class Library:
    """A library with the asyncio API of websockets.

    Args:
        name: the package to import.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.connect = importlib.import_module(f"{name}.asyncio.client").connect
        self.serve = importlib.import_module(f"{name}.asyncio.server").serve
        self.process_exception = importlib.import_module(f"{name}.client").process_exception
        self.exceptions = importlib.import_module(f"{name}.exceptions")

    def __repr__(self) -> str:
        return self.name


WSCOMPAT = Library("wscompat")
WEBSOCKETS = Library("websockets")


@dataclass(frozen=True)
class Pair:
    """Which library connects, and which one serves."""

    client: Library
    server: Library

    def __str__(self) -> str:
        return f"{self.client} to {self.server}"


MODEL = Pair(WEBSOCKETS, WEBSOCKETS)
PAIRS = [Pair(WSCOMPAT, WEBSOCKETS), Pair(WEBSOCKETS, WSCOMPAT), Pair(WSCOMPAT, WSCOMPAT)]


def describe(exc: BaseException) -> str:
    """Return an exception's type and text."""
    return f"{type(exc).__name__}: {exc}"


class Record:
    """The events that one side saw, in their order."""

    describe = staticmethod(describe)

    def __init__(self) -> None:
        self.events: list[Any] = []

    def note(self, *event: Any) -> None:
        """Add an event."""
        self.events.append(event)

    async def attempt(self, action: Awaitable[Any]) -> Any:
        """Note the result of an action, be it an exception."""
        try:
            async with asyncio.timeout(BOUND):
                result = await action
        except Exception as exc:
            self.note("raised", self.describe(exc))
            return None
        self.note("gave", result)
        return result

    async def end(self, connection: Any) -> None:
        """Wait for the end of a connection, and note how it ended."""
        async with asyncio.timeout(BOUND):
            await connection.wait_closed()
        self.note("ended", connection.close_code, connection.close_reason, connection.state.name)


Script = Callable[[Any, Record], Awaitable[None]]


@dataclass
class Options:
    """Arguments of both sides, whether there is TLS, and whether both compress."""

    client: dict[str, Any] = field(default_factory=dict)
    server: dict[str, Any] = field(default_factory=dict)
    client_tls: ssl.SSLContext | None = None
    server_tls: ssl.SSLContext | None = None
    compression: str | None = None


@contextlib.asynccontextmanager
async def closing_at_exit(server: Any) -> AsyncIterator[None]:
    """Close a server at the end, and wait until it is closed."""
    try:
        yield
    finally:
        server.close()
        async with asyncio.timeout(BOUND):
            await server.wait_closed()


def port_of(server: Any) -> int:
    """Return the port that a server listens on."""
    port: int = server.sockets[0].getsockname()[1]
    return port


@contextlib.asynccontextmanager
async def serving(
    library: Library,
    handler: Callable[[Any], Awaitable[None]],
    compression: str | None = None,
    **options: Any,
) -> AsyncIterator[Any]:
    """Serve on a free port of the loopback."""
    server = await library.serve(handler, "127.0.0.1", 0, compression=compression, **options)
    async with closing_at_exit(server):
        yield server


def uri_of(server: Any, secure: bool = False) -> str:
    """Return the URI of a server."""
    return f"{'wss' if secure else 'ws'}://127.0.0.1:{port_of(server)}/"


async def converse(
    pair: Pair, client: Script, server: Script, options: Options | None = None
) -> dict[str, list[Any]]:
    """Run a conversation; return the events that both sides saw."""
    options = options or Options()
    client_record, server_record = Record(), Record()

    async def handler(connection: Any) -> None:
        await server(connection, server_record)

    compression = options.compression
    client_options = {"compression": compression, "proxy": None, **options.client}
    if options.client_tls is not None:
        client_options["ssl"] = options.client_tls
    secure = options.server_tls is not None
    server_options = {"ssl": options.server_tls, **options.server}
    async with serving(pair.server, handler, compression, **server_options) as running:
        connection = await pair.client.connect(uri_of(running, secure), **client_options)
        try:
            await client(connection, client_record)
        finally:
            async with asyncio.timeout(BOUND):
                await connection.close()
    return {"client": client_record.events, "server": server_record.events}


NO_SUPER_INIT = r"WithoutSuperInit\.__init__ does not call super\(\)\.__init__"
"""The message of the exception for a class that `without_super_init` has made."""


def without_super_init(cls: type) -> type:
    """Derive a class that forgets to initialize its base."""
    return type("WithoutSuperInit", (cls,), {"__init__": lambda self, *args, **kwargs: None})
