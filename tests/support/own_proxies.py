"""Servers of the tests' own: a target that echoes, and proxies that misbehave as they are told.

Each is a handler given to `serving()`, which leaves nothing behind when it ends.
"""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def serving(
    handler: Handler, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Run the handler for each connection, and give the port; at the end cut all of them off."""
    tasks: set[asyncio.Task[None]] = set()

    async def run(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await handler(reader, writer)
            # Closing TLS would wait for the client's goodbye.
            writer.transport.abort() if tls else writer.close()
        except (OSError, EOFError, asyncio.CancelledError):
            writer.transport.abort()  # the client left, or the test is over
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    server = await asyncio.start_server(run, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send back what comes, after a greeting: a server that speaks first."""
    writer.write(b"hello\n")
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


def answering(*pieces: bytes, then_wait: bool = False) -> Handler:
    """Return an HTTP proxy that reads a request and answers with these pieces, one by one.

    Args:
        pieces: what to send; each leaves in a segment of its own.
        then_wait: keep the connection open afterwards, until the client leaves.
    """

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if then_wait:
            await reader.read()

    return handler


def scripted(*exchange: tuple[int, bytes]) -> Handler:
    """Return a proxy that repeatedly reads so many bytes and then answers with the given ones."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for count, answer in exchange:
            await reader.readexactly(count)
            writer.write(answer)
            await writer.drain()

    return handler


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take everything and say nothing."""
    await reader.read()


def endless(start: bytes, again: bytes) -> Handler:
    """Return a proxy that answers without end, as fast as it is read."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(start)
        while True:
            writer.write(again)
            await writer.drain()

    return handler


def dripping(start: bytes, drop: bytes) -> Handler:
    """Return a proxy whose answer grows by a drop every hundredth of a second, and never ends."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(start)
        while True:
            await asyncio.sleep(0.01)
            writer.write(drop)
            await writer.drain()

    return handler


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int) -> None:
    """Be the middle of a tunnel to a port of this machine, until either side ends."""
    onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()

    pumps = {
        asyncio.ensure_future(pump(reader, onward_writer)),
        asyncio.ensure_future(pump(onward_reader, writer)),
    }
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        onward_writer.transport.abort()
        for task in pumps:
            task.cancel()
        await asyncio.wait(pumps)


def tunnelling(target: int) -> Handler:
    """Return an HTTP proxy that connects to one port of this machine, whatever it is asked for."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await carry(reader, writer, target)

    return handler
