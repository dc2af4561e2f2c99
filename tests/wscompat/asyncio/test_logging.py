"""The logs from INFO on, and their loggers, compared with websockets."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.wscompat.libraries import BOUND, WEBSOCKETS, WSCOMPAT, Library, port_of, serving, uri_of
from tests.wscompat.raw import REQUEST, raw_client

# Servers that refuse or fail a client.
FAILURES = (WEBSOCKETS.exceptions.InvalidStatus, WEBSOCKETS.exceptions.ConnectionClosed)
Records = list[tuple[str, str, str, bool]]


async def records_of(
    caplog: pytest.LogCaptureFixture, logger: str, conversation: Awaitable[Any]
) -> Records:
    """Return the records of one logger: level, text without the port, and whether it traces."""
    caplog.clear()
    caplog.set_level(logging.INFO)
    await conversation
    return [
        (r.name, r.levelname, _without_port(r.getMessage()), bool(r.exc_info))
        for r in caplog.records
        if r.name == logger
    ]


def _without_port(message: str) -> str:
    return message.rpartition(":")[0] if "listening" in message else message


async def echo(websocket: Any) -> None:
    async for message in websocket:
        await websocket.send(message)


async def fail(websocket: Any) -> None:
    raise RuntimeError("on purpose")


async def receive_for_ever(websocket: Any) -> None:
    while True:
        await websocket.recv()


async def refuse(connection: Any, request: Any) -> Any:
    return connection.respond(418, "no tea")


async def fail_to_decide(connection: Any, request: Any) -> Any:
    raise RuntimeError("on purpose")


async def one_connection(library: Library, handler: Callable[[Any], Any], **options: Any) -> None:
    """Serve a client that sends a message, if it is accepted."""
    async with serving(library, handler, **options) as server:
        with contextlib.suppress(*FAILURES):
            websocket = await WEBSOCKETS.connect(uri_of(server), proxy=None, compression=None)
            await websocket.send("x")
            await websocket.close()


@pytest.mark.parametrize(
    ("handler", "options"),
    [
        (echo, {}),
        (fail, {}),
        (receive_for_ever, {}),
    ],
    ids=["echo", "fails", "closed"],
)
async def test_servers(
    caplog: pytest.LogCaptureFixture, handler: Callable[[Any], Any], options: dict[str, Any]
) -> None:
    async def logged(library: Library) -> Records:
        found = await records_of(
            caplog, "websockets.server", one_connection(library, handler, **options)
        )
        return sorted(found)

    assert await logged(WSCOMPAT) == await logged(WEBSOCKETS)


@pytest.mark.parametrize("decide", [refuse, fail_to_decide])
async def test_servers_that_refuse(
    caplog: pytest.LogCaptureFixture, decide: Callable[[Any, Any], Any]
) -> None:
    """Websockets also says that such a connection was closed, which was never open."""

    async def logged(library: Library) -> Records:
        conversation = one_connection(library, echo, process_request=decide)
        found = await records_of(caplog, "websockets.server", conversation)
        return [record for record in found if record[2] != "connection closed"]

    assert await logged(WSCOMPAT) == await logged(WEBSOCKETS)


async def test_a_server_without_connections(caplog: pytest.LogCaptureFixture) -> None:
    async def nothing(library: Library) -> None:
        async with serving(library, echo):
            pass

    async def logged(library: Library) -> Records:
        return await records_of(caplog, "websockets.server", nothing(library))

    assert await logged(WSCOMPAT) == await logged(WEBSOCKETS)


async def test_clients(caplog: pytest.LogCaptureFixture) -> None:
    """A client that goes well is silent from INFO on; one that tries again says so."""

    async def talk(library: Library) -> None:
        async with serving(WEBSOCKETS, echo) as server:
            uri = uri_of(server)
            options: dict[str, Any] = {"proxy": None, "compression": None}
            async with library.connect(uri, **options) as websocket:
                await websocket.send("x")
                await websocket.recv()

        def once() -> Any:
            yield 0.0

        attempts = library.connect(uri, reconnect_delays=once, **options)
        with pytest.raises(RuntimeError):  # there is no second delay
            await anext(aiter(attempts))

    async def logged(library: Library) -> Records:
        found = await records_of(caplog, "websockets.client", talk(library))
        return [(*record[:2], record[2].partition(": ")[0], record[3]) for record in found]

    ours = await logged(WSCOMPAT)
    assert ours == await logged(WEBSOCKETS)
    assert "reconnecting in 0.0 seconds" in ours[-1][2]


async def test_own_loggers(caplog: pytest.LogCaptureFixture) -> None:
    """A logger that is given is used instead, and an adapter sees the connection's records."""
    for library in (WSCOMPAT, WEBSOCKETS):
        caplog.clear()
        logger = logging.LoggerAdapter(logging.getLogger("own"), {"extra": 1})
        async with serving(library, echo, logger=logger) as server:
            uri = uri_of(server)
            async with library.connect(uri, proxy=None, compression=None, logger=logger) as own:
                assert isinstance(own.logger, logging.LoggerAdapter)
        names = {r.name for r in caplog.records if r.levelno >= logging.INFO}
        assert names == {"own"}


async def test_peers_cannot_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever is wrong with a request, the server says so in a line, and not as an error."""
    caplog.set_level(logging.INFO)
    requests = [b"", b"garbage\r\n\r\n", b"GET / HTTP/1.1\r\n", REQUEST[:-30], b"\x16\x03\x01" * 99]
    async with serving(WSCOMPAT, echo) as server, asyncio.timeout(BOUND):
        port = port_of(server)
        for request in requests:
            async with raw_client(port, request) as client:
                client.writer.write_eof()
                await client.rest()
    assert not [r for r in caplog.records if r.levelno > logging.INFO or r.exc_info]
