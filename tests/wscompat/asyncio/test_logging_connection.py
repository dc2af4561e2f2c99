"""The logs at the level DEBUG, compared with websockets."""

import asyncio
import logging
import re
from collections.abc import Awaitable
from typing import Any

import pytest

from tests.support.deflated import CASES
from tests.wscompat.libraries import BOUND, WEBSOCKETS, WSCOMPAT, Library, port_of, serving, uri_of
from tests.wscompat.raw import ACCEPTED, REQUEST, raw_client, raw_server
from wscompat.asyncio.client import ClientConnection
from wscompat.asyncio.extension_connection import ExtensionConnection
from wscompat.asyncio.logging_connection import LoggingConnection, class_for, is_logged

# Steps of websockets on the TCP connection, which wscompat takes elsewhere.
TCP = re.compile(r"[<>] EOF|x .*")
# Text that always differs, or names the library.
CHANGING = re.compile(r"((?:Key|Accept|Date|User-Agent|Server):) .*|(:\d+)$|\(\d+ bytes\)")


def is_head(text: str) -> bool:
    return bool(re.match(r"[<>] (GET|HTTP|[\w-]+:|\[body\])", text))


async def logged(
    caplog: pytest.LogCaptureFixture, logger: str, conversation: Awaitable[Any]
) -> tuple[list[str], list[str]]:
    """Return the lines of handshakes, in any order, and the others."""
    caplog.clear()
    caplog.set_level(logging.DEBUG, "websockets")
    await conversation
    texts = [
        CHANGING.sub(r"\1", record.getMessage())
        for record in caplog.records
        if record.name == logger and not TCP.fullmatch(record.getMessage())
    ]
    return sorted(filter(is_head, texts)), [text for text in texts if not is_head(text)]


async def talk(websocket: Any) -> None:
    """Send and receive all there is."""
    await websocket.send("text")
    await websocket.send(b"\x00\xff")
    await websocket.send(["a", "b"])
    await (await websocket.ping(b"p"))
    await websocket.pong(b"q")
    for _ in range(3):
        await websocket.recv()
    await websocket.close(4000, "enough")


async def echo(websocket: Any) -> None:
    while True:
        await websocket.send(await websocket.recv())


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_clients(caplog: pytest.LogCaptureFixture, compression: str | None) -> None:
    async with serving(WEBSOCKETS, echo, compression) as server:

        async def conversation(library: Library) -> None:
            uri = uri_of(server)
            websocket = await library.connect(uri, proxy=None, compression=compression)
            await talk(websocket)

        async def of(library: Library) -> Any:
            return await logged(caplog, "websockets.client", conversation(library))

        assert await of(WSCOMPAT) == await of(WEBSOCKETS)


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_servers(caplog: pytest.LogCaptureFixture, compression: str | None) -> None:
    async def conversation(library: Library) -> None:
        async with serving(library, talk, compression) as server:
            websocket = await WEBSOCKETS.connect(
                uri_of(server), proxy=None, compression=compression
            )
            with pytest.raises(WEBSOCKETS.exceptions.ConnectionClosed):
                await echo(websocket)

    async def of(library: Library) -> Any:
        return await logged(caplog, "websockets.server", conversation(library))

    assert await of(WSCOMPAT) == await of(WEBSOCKETS)


async def test_servers_that_refuse(caplog: pytest.LogCaptureFixture) -> None:
    async def conversation(library: Library) -> None:
        async with serving(library, echo, process_request=refuse) as server, asyncio.timeout(BOUND):
            with pytest.raises(WEBSOCKETS.exceptions.InvalidStatus):
                await WEBSOCKETS.connect(uri_of(server), proxy=None)

    async def of(library: Library) -> Any:
        handshakes, _ = await logged(caplog, "websockets.server", conversation(library))
        return handshakes

    assert await of(WSCOMPAT) == await of(WEBSOCKETS)


def refuse(connection: Any, request: Any) -> Any:
    return connection.respond(418, "no tea")


async def test_pings_and_closing_of_the_peer(caplog: pytest.LogCaptureFixture) -> None:
    """A PING is logged and answered, and so is a CLOSE."""
    answer = ACCEPTED + b"\r\n\x89\x01p\x8a\x01q\x81\x02hi\x88\x05\x03\xe9bye"

    async def conversation(library: Library) -> bytes:
        async with (
            raw_server(answer) as server,
            library.connect(server.uri, proxy=None, compression=None) as websocket,
        ):
            assert await websocket.recv() == "hi"
            await websocket.wait_closed()
        return unmasked(server.received)

    def unmasked(frames: bytes) -> bytes:
        data = b""
        while frames:
            size = frames[1] & 0x7F
            key, payload = frames[2:6], frames[6 : 6 + size]
            data += frames[:1] + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))
            frames = frames[6 + size :]
        return data

    async def of(library: Library) -> Any:
        return await logged(caplog, "websockets.client", conversation(library))

    assert await of(WSCOMPAT) == await of(WEBSOCKETS)
    assert await conversation(WSCOMPAT) == await conversation(WEBSOCKETS) == b"\x8ap\x88\x03\xe9bye"


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
async def test_messages_are_the_same_at_every_level(
    caplog: pytest.LogCaptureFixture, level: int
) -> None:
    """Also those that other libraries inflate in another way: with blocks marked as the last."""
    caplog.set_level(level, "websockets")
    short = [c for c in CASES if not c.is_corrupt and max(map(len, c.packed)) < 126]
    packed = [bytes([0xC2, len(data)]) + data for case in short for data in case.packed]
    expected = [message for case in short for message in case.expected]
    answer = ACCEPTED + b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    async with (
        raw_server(answer + b"".join(packed) + b"\x88\x02\x03\xe8") as server,
        WSCOMPAT.connect(server.uri, proxy=None) as websocket,
    ):
        assert [message async for message in websocket] == expected


@pytest.mark.parametrize("bad", [b"\xc1\x80\0\0\0\0", b"\x88\x81\0\0\0\0x"])
async def test_faults_of_the_peer(caplog: pytest.LogCaptureFixture, bad: bytes) -> None:
    """The CLOSE for an error is logged, too."""
    caplog.set_level(logging.DEBUG, "websockets")
    async with (
        serving(WSCOMPAT, echo) as server,
        raw_client(port_of(server), REQUEST + b"\r\n" + bad) as client,
    ):
        await client.rest()
    assert any("> CLOSE 1002 (protocol error)" in record.getMessage() for record in caplog.records)


async def test_broadcasts(caplog: pytest.LogCaptureFixture) -> None:
    async def conversation(library: Library) -> None:
        async def handler(websocket: Any) -> None:
            broadcast = __import__(library.name).broadcast
            broadcast([websocket], "to all")

        async with serving(library, handler) as server:
            websocket = await WEBSOCKETS.connect(uri_of(server), proxy=None, compression=None)
            assert await websocket.recv() == "to all"
            await websocket.wait_closed()

    async def of(library: Library) -> Any:
        return await logged(caplog, "websockets.server", conversation(library))

    assert await of(WSCOMPAT) == await of(WEBSOCKETS)


def test_classes(caplog: pytest.LogCaptureFixture) -> None:
    """A class is made once for each kind, under the name of the connection's own."""

    class Own(ClientConnection):
        pass

    caplog.set_level(logging.DEBUG, "websockets")
    logger = logging.getLogger("websockets.client")
    assert is_logged(logger)
    debugged = class_for(Own, logger, True)
    assert issubclass(debugged, LoggingConnection)
    assert issubclass(debugged, ExtensionConnection)
    assert issubclass(debugged, Own)
    assert repr(debugged) == repr(Own)
    assert class_for(Own, logger, True) is debugged
    simple = class_for(Own, logger, False)
    assert issubclass(simple, LoggingConnection)
    assert not issubclass(simple, ExtensionConnection)
    assert class_for(Own, logger, False) is simple
    caplog.set_level(logging.INFO, "websockets")
    quiet = class_for(Own, logger, True)
    assert not issubclass(quiet, LoggingConnection)
    assert class_for(Own, logger, True) is quiet
    assert class_for(Own, logger, False) is Own


@pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=str)
async def test_the_record_knows_its_connection(
    caplog: pytest.LogCaptureFixture, library: Library
) -> None:
    """As an attribute that does not keep it alive; the same in `extra` of adapters below."""
    seen: list[Any] = []

    class Adapter(logging.LoggerAdapter[logging.Logger]):
        def process(self, message: Any, options: Any) -> Any:
            seen.append(options.get("extra", {}).get("websocket"))
            return message, options

    logger = Adapter(logging.getLogger("websockets.server"), {})
    ids = []

    async def handler(websocket: Any) -> None:
        ids.append(websocket.id)
        websocket.logger.warning("here")
        await websocket.wait_closed()

    async with serving(library, handler, logger=logger) as server:
        async with library.connect(uri_of(server), proxy=None) as websocket:
            await websocket.close()
        await asyncio.wait_for(done(server), BOUND)
        (record,) = (r for r in caplog.records if r.getMessage() == "here")
        assert type(record.websocket).__name__ == "ProxyType"  # type: ignore[attr-defined]
        assert any(found is not None for found in seen)
        assert len(ids) == 1


class WithAddress(logging.LoggerAdapter[logging.Logger]):
    """Looks at the connection of each record that has one."""

    def process(self, message: Any, options: Any) -> Any:
        connection = options.get("extra", {}).get("websocket")
        if connection is not None:
            return f"{connection.remote_address[0]} {connection.state.name} {message}", options
        return message, options


@pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=str)
@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
async def test_adapters_may_look_at_the_connection(
    caplog: pytest.LogCaptureFixture, library: Library, level: int
) -> None:
    """From the first record on that is about it."""
    caplog.set_level(level, "websockets")
    options = {
        side: {"logger": WithAddress(logging.getLogger(f"websockets.{side}"), {})}
        for side in ("client", "server")
    }
    async with serving(library, talk, **options["server"]) as server:
        uri = uri_of(server)
        websocket = await library.connect(uri, proxy=None, compression=None, **options["client"])
        with pytest.raises(library.exceptions.ConnectionClosed):
            await echo(websocket)
    texts = [record.getMessage() for record in caplog.records]
    assert "127.0.0.1 OPEN connection open" in texts
    assert ("127.0.0.1 OPEN > TEXT 'text' [4 bytes]" in texts) == (level == logging.DEBUG)


async def done(server: Any) -> None:
    while server.connections:
        await asyncio.sleep(0)
