"""`broadcast`: who gets the message and who does not, compared with websockets."""

import asyncio
import contextlib
import importlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.wscompat.libraries import BOUND, WEBSOCKETS, WSCOMPAT, Library, port_of, serving, uri_of
from tests.wscompat.raw import REQUEST, raw_client
from wscompat.asyncio.server import broadcast
from wscore import WSDeflate

LIBRARIES = pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=repr)


@dataclass
class Circle:
    """A server's connections, the clients at their other ends, and the function to test."""

    broadcast: Any
    connections: list[Any] = field(default_factory=list)
    clients: list[Any] = field(default_factory=list)

    async def receive(self) -> list[Any]:
        async with asyncio.timeout(BOUND):
            return [await client.recv() for client in self.clients]


@contextlib.asynccontextmanager
async def circle(
    library: Library, size: int = 3, compression: str | None = None
) -> AsyncIterator[Circle]:
    made = Circle(importlib.import_module(f"{library}.asyncio.server").broadcast)

    async def stay(connection: Any) -> None:
        made.connections.append(connection)
        await connection.wait_closed()

    async with serving(library, stay, compression) as server:
        for _ in range(size):
            connect = library.connect(uri_of(server), compression=compression, proxy=None)
            made.clients.append(await connect)
        async with asyncio.timeout(BOUND):
            while len(made.connections) < size:
                await asyncio.sleep(0)
        try:
            yield made
        finally:
            for client in made.clients:
                await client.close()


@LIBRARIES
@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_every_connection_gets_the_message(library: Library, compression: str | None) -> None:
    async with circle(library, compression=compression) as made:
        for message in ("é", b"\xff", bytearray(b"array"), memoryview(b"view"), "", "x" * 70_000):
            made.broadcast(iter(made.connections), message)
            assert await made.receive() == [message] * 3
        made.broadcast(made.connections, "é", text=False)
        assert await made.receive() == ["é".encode()] * 3
        made.broadcast(made.connections, "é".encode(), text=True)
        assert await made.receive() == ["é"] * 3


@LIBRARIES
async def test_clients_can_broadcast_too(library: Library) -> None:
    async with circle(library) as made:
        made.broadcast(made.clients, "from a client")
        async with asyncio.timeout(BOUND):
            for connection in made.connections:
                assert await connection.recv() == "from a client"


@LIBRARIES
@pytest.mark.parametrize("message", [3, None, ["a"], {"a": 1}], ids=repr)
async def test_wrong_types(library: Library, message: Any) -> None:
    async with circle(library, 1) as made:
        with pytest.raises(TypeError, match="data must be str or bytes"):
            made.broadcast(made.connections, message)
        with pytest.raises(TypeError, match="data must be str or bytes"):
            made.broadcast([], message)


@LIBRARIES
async def test_closed_connections_are_passed_over(library: Library) -> None:
    async with circle(library) as made:
        gone = made.clients.pop()
        await gone.close()
        made.broadcast(made.connections, "a", raise_exceptions=True)
        assert await made.receive() == ["a", "a"]


@LIBRARIES
async def test_connections_in_the_middle_of_a_message(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    going_on = asyncio.Event()

    async def slow() -> AsyncIterator[str]:
        yield "a"
        await going_on.wait()
        yield "b"

    async with circle(library, 2) as made:
        sending = asyncio.ensure_future(made.connections[0].send(slow()))
        await asyncio.sleep(0)
        made.broadcast(made.connections, "one")
        (record,) = (r for r in caplog.records if r.levelno == logging.WARNING)
        assert record.getMessage() == "skipped broadcast: sending a fragmented message"
        with pytest.raises(ExceptionGroup, match="skipped broadcast") as caught:
            made.broadcast(made.connections, "two", raise_exceptions=True)
        (error,) = caught.value.exceptions
        assert type(error).__name__ == "ConcurrencyError"
        assert str(error) == "sending a fragmented message"
        going_on.set()
        await sending
        made.broadcast(made.connections, "three")
        async with asyncio.timeout(BOUND):
            assert [await made.clients[0].recv() for _ in range(2)] == ["ab", "three"]
            assert [await made.clients[1].recv() for _ in range(3)] == ["one", "two", "three"]


async def test_one_that_does_not_read_does_not_stop_the_others() -> None:
    async with circle(WSCOMPAT, 2) as made:
        made.clients[0].transport.pause_reading()
        for _ in range(100):
            made.broadcast(made.connections, b"x" * 100_000)
        async with asyncio.timeout(BOUND):
            for _ in range(100):
                assert len(await made.clients[1].recv()) == 100_000
        made.clients[0].transport.resume_reading()


async def sent_to_all(logger: logging.Logger, compression: Any) -> list[bytes]:
    """Return the messages that three clients receive, compressed or not."""
    connections: list[Any] = []

    async def stay(connection: Any) -> None:
        connections.append(connection)
        await connection.wait_closed()

    field = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    async with (
        serving(WSCOMPAT, stay, compression, logger=logger) as server,
        contextlib.AsyncExitStack() as stack,
    ):
        raws = []
        for _ in range(3):
            client = raw_client(port_of(server), REQUEST + field)
            raws.append(await stack.enter_async_context(client))
            await raws[-1].head()
        async with asyncio.timeout(BOUND):
            while len(connections) < 3:
                await asyncio.sleep(0)
        for number, connection in enumerate(connections):
            await connection.send(f"for number {number} only, " * 10)
        for message in ("to everybody, " * 20, b"bytes" * 100, "short"):
            broadcast(connections, message)
        await connections[0].send("and another one after it, to all, " * 10)
        for raw in raws:
            raw.writer.write(b"\x88\x80\0\0\0\0")  # a CLOSE
        return [await raw.rest() for raw in raws]


@pytest.mark.parametrize("compression", [None, "deflate", WSDeflate(min_size=0)], ids=str)
async def test_logging_changes_nothing_of_what_is_sent(
    compression: Any, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("tests.broadcasting")
    with caplog.at_level(logging.WARNING, logger.name):
        quiet = await sent_to_all(logger, compression)
    assert caplog.records == []
    with caplog.at_level(logging.DEBUG, logger.name):
        assert await sent_to_all(logger, compression) == quiet
    logged = [message for message in caplog.messages if message.startswith("> TEXT 'short'")]
    assert len(logged) == 3
