"""`extensions=` of `connect` and `serve`: both libraries on either side, with own extensions."""

import asyncio
import dataclasses
from typing import Any

import pytest

from tests.wscompat.extensions.custom import changed, xor
from tests.wscompat.libraries import (
    BOUND,
    MODEL,
    PAIRS,
    WEBSOCKETS,
    WSCOMPAT,
    Library,
    Options,
    Pair,
    Record,
    converse,
    describe,
    serving,
    uri_of,
)
from tests.wscompat.raw import ACCEPTED, raw_server
from tests.wscompat.sansio import load
from wscompat.asyncio.client import ClientConnection
from wscompat.asyncio.extension_connection import ExtensionConnection, with_mixin

LIBRARIES = {"wscompat": load("wscompat"), "websockets": load("websockets")}
BOTH = pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=repr)
TEXT = "compressible, " * 20


def pair_options(pair: Pair, compression: str | None = None, **server: Any) -> Options:
    """Return options of both sides with the extension that changes every byte."""
    return Options(
        client={"extensions": [xor(LIBRARIES[pair.client.name]).client_factory()]},
        server={
            "extensions": [xor(LIBRARIES[pair.server.name]).server_factory()],
            **server,
        },
        compression=compression,
    )


async def same(pair: Pair, client: Any, server: Any, **options: Any) -> dict[str, list[Any]]:
    """Assert that a pair talks as websockets does with itself."""
    records = [
        await converse(each, client, server, pair_options(each, **options))
        for each in (pair, MODEL)
    ]
    assert records[0] == records[1]
    return records[0]


async def echo(connection: Any, record: Record) -> None:
    async for message in connection:
        record.note("message", message)
        await connection.send(message)
    await record.end(connection)


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_messages(pair: Pair, compression: str | None) -> None:
    async def client(connection: Any, record: Record) -> None:
        for message in (TEXT, "", "ž", b"binary", b"", bytes(range(256)) * 50):
            await connection.send(message)
            await record.attempt(connection.recv())
        await connection.send(["in ", "three ", TEXT])
        await record.attempt(connection.recv())
        await connection.send(b"as text", text=True)
        await record.attempt(connection.recv(decode=False))
        await record.attempt(await connection.ping(b"ping") and connection.pong())
        await connection.close(1000, "bye")
        await record.end(connection)

    record = await same(pair, client, echo, compression=compression)
    assert record["server"][-1] == ("ended", 1000, "bye", "CLOSED")


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_streaming(pair: Pair) -> None:
    async def server(connection: Any, record: Record) -> None:
        async for fragment in connection.recv_streaming():
            record.note(fragment)
        await record.end(connection)

    async def client(connection: Any, record: Record) -> None:
        await connection.send(["žluťoučký ", "kůň"])

    record = await same(pair, client, server)
    assert record["server"][:2] == [("žluťoučký ",), ("kůň",)]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_many_messages(pair: Pair) -> None:
    async def client(connection: Any, record: Record) -> None:
        sending = asyncio.create_task(connection.send("x"))
        await sending
        for i in range(300):
            await connection.send(f"{i} " * (i % 30))
        for _ in range(301):
            record.note(await connection.recv())

    async def server(connection: Any, record: Record) -> None:
        async for message in connection:
            await connection.send(message)

    await same(pair, client, server, compression="deflate")


@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize(("size", "max_size"), [(101, 100), (60, (100, 50)), (60, (None, 50))])
async def test_too_large(pair: Pair, size: int, max_size: Any) -> None:
    async def client(connection: Any, record: Record) -> None:
        await connection.send(bytes(size))
        await record.attempt(connection.recv())
        await record.end(connection)

    async def server(connection: Any, record: Record) -> None:
        await record.attempt(connection.recv())

    record = {}
    for each in (pair, MODEL):
        options = pair_options(each, max_size=max_size)
        record[each] = await converse(each, client, server, options)
        for side in ("client", "server"):  # wscore words the reason in its own way
            record[each][side] = [
                (kind, str(what).partition("1009")[0], *rest)
                for kind, what, *rest in record[each][side]
            ]
    assert record[pair]["server"] == record[MODEL]["server"]
    assert record[pair]["client"][0] == record[MODEL]["client"][0]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_fragments_too_large(pair: Pair) -> None:
    async def client(connection: Any, record: Record) -> None:
        await connection.send([bytes(60), bytes(60)])
        await record.attempt(connection.recv())
        await record.end(connection)

    async def server(connection: Any, record: Record) -> None:
        try:
            await connection.recv()
        except Exception as exc:
            record.note(describe(exc), describe(exc.__cause__ or exc))

    record = await same(pair, client, server, max_size=100)
    text = "frame with 60 bytes after reading 60 bytes exceeds limit of 100 bytes"
    assert record["server"][0][1] == f"PayloadTooBig: {text}"


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_text_that_is_not_utf8(pair: Pair) -> None:
    async def client(connection: Any, record: Record) -> None:
        await connection.send(b"\xff", text=True)
        await record.end(connection)

    async def server(connection: Any, record: Record) -> None:
        await record.attempt(connection.recv())

    options = pair_options(pair)
    record = await converse(pair, client, server, options)
    assert record["client"][0][:2] == ("ended", 1007)


@BOTH
async def test_broadcast(library: Library) -> None:
    """To connections with extensions, and to others, at once."""
    modules = LIBRARIES[library.name]
    connections: set[Any] = set()
    ready = asyncio.Event()

    async def handler(connection: Any) -> None:
        connections.add(connection)
        if len(connections) == 3:
            ready.set()
        await connection.wait_closed()

    extensions = [xor(modules).server_factory()]
    async with (
        asyncio.timeout(BOUND),
        serving(library, handler, extensions=extensions) as server,
        library.connect(
            uri_of(server), proxy=None, extensions=[xor(modules).client_factory()]
        ) as a,
        library.connect(uri_of(server), proxy=None, compression=None) as b,
        library.connect(uri_of(server), proxy=None) as c,
    ):
        await ready.wait()
        broadcast = __import__(f"{library.name}.asyncio.server", fromlist=["x"]).broadcast
        broadcast(connections, "to all")
        broadcast(connections, b"to all")
        for connection in (a, b, c):
            assert [await connection.recv(), await connection.recv()] == ["to all", b"to all"]
        closing = [asyncio.create_task(connection.close()) for connection in connections]
        await asyncio.sleep(0)
        broadcast(connections, "too late")
        await asyncio.gather(*closing)


@BOTH
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (None, None),
        ("x-xor", None),
        ("x-xor; agreed", None),
        ("permessage-deflate", None),
        ("x-xor, permessage-deflate", None),
        ("permessage-deflate; unknown", "NegotiationError"),
        ("x-xor, permessage-deflate, permessage-deflate", "NegotiationError"),
    ],
)
async def test_answers(library: Library, answer: str | None, error: str | None) -> None:
    line = b"" if answer is None else f"Sec-WebSocket-Extensions: {answer}\r\n".encode()
    factories = [xor(LIBRARIES[library.name]).client_factory()]
    async with raw_server(ACCEPTED + line + b"\r\n", stays=True) as raw:
        connecting = library.connect(raw.uri, extensions=factories, proxy=None, close_timeout=0.01)
        if error is None:
            async with asyncio.timeout(BOUND), connecting:
                pass
        else:
            with pytest.raises(library.exceptions.NegotiationError) as caught:
                async with asyncio.timeout(BOUND), connecting:
                    pass
            assert describe(caught.value).startswith(
                "NegotiationError: Unsupported extension: name = permessage-deflate, params = "
            )
        offer = (
            b"Sec-WebSocket-Extensions: x-xor; key=90, permessage-deflate; client_max_window_bits"
        )
        assert offer in raw.requests[0]


@BOTH
async def test_nothing_in_common(library: Library) -> None:
    """The server does not accept the offer; the connection works without."""
    modules = LIBRARIES[library.name]

    async def handler(connection: Any) -> None:
        await connection.send(await connection.recv())

    async with (
        asyncio.timeout(BOUND),
        serving(library, handler) as server,
        library.connect(
            uri_of(server),
            proxy=None,
            compression=None,
            extensions=[xor(modules).client_factory()],
        ) as connection,
    ):
        assert "Sec-WebSocket-Extensions" not in connection.response.headers
        await connection.send("plain")
        assert await connection.recv() == "plain"


async def close_for(library: Library, server_factory: Any) -> Any:
    """Send a message to a server with an extension, and return the CLOSE that it sends."""

    async def handler(connection: Any) -> None:
        await connection.wait_closed()

    client_factory = xor(LIBRARIES[library.name]).client_factory()
    async with (
        asyncio.timeout(BOUND),
        serving(library, handler, extensions=[server_factory]) as server,
        library.connect(uri_of(server), proxy=None, extensions=[client_factory]) as connection,
    ):
        await connection.send("x")
        with pytest.raises(library.exceptions.ConnectionClosedError) as caught:
            await connection.recv()
        return caught.value.rcvd


@BOTH
async def test_an_extension_that_fails(library: Library) -> None:
    """Its exception ends the connection with 1011."""
    modules = LIBRARIES[library.name]

    class Failing(xor(modules).server_factory):  # type: ignore[misc]
        def process_request_params(self, params: Any, accepted_extensions: Any) -> Any:
            answer, extension = super().process_request_params(params, accepted_extensions)
            extension.decode = None
            return answer, extension

    assert (await close_for(library, Failing())).code == 1011


@BOTH
async def test_reserved_bit_that_no_extension_undoes(library: Library) -> None:
    modules = LIBRARIES[library.name]

    class Keeping(xor(modules).server_factory):  # type: ignore[misc]
        def process_request_params(self, params: Any, accepted_extensions: Any) -> Any:
            answer, extension = super().process_request_params(params, accepted_extensions)
            extension.decode = lambda frame, *, max_size=None: dataclasses.replace(
                frame, data=changed(frame.data)
            )
            return answer, extension

    close = await close_for(library, Keeping())
    assert (close.code, close.reason) == (1002, "reserved bits must be 0")


def test_the_others_pay_nothing() -> None:
    """Only a class made for it overrides what frames go through."""
    made = with_mixin(ClientConnection)
    assert with_mixin(ClientConnection) is made
    assert issubclass(made, ExtensionConnection)
    assert made.__name__ == "ClientConnection"
    assert not ClientConnection.is_extended
    assert "on_ws_frame" not in vars(ClientConnection)

    class Own(ClientConnection):
        pass

    assert with_mixin(Own) is not made
    assert with_mixin(Own) is with_mixin(Own)


async def test_class_of_the_program() -> None:
    modules = LIBRARIES["wscompat"]

    class Own(ClientConnection):
        greeting = "hello"

    async def handler(connection: Any) -> None:
        await connection.send(await connection.recv())

    async with (
        asyncio.timeout(BOUND),
        serving(WSCOMPAT, handler, extensions=[xor(modules).server_factory()]) as server,
        WSCOMPAT.connect(
            uri_of(server),
            proxy=None,
            create_connection=Own,
            extensions=[xor(modules).client_factory()],
        ) as connection,
    ):
        assert isinstance(connection, Own)
        await connection.send(connection.greeting)
        assert await connection.recv() == "hello"
