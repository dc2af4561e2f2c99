"""`compression=`: offers, acceptance and refusal are byte for byte those of websockets."""

import asyncio
import importlib
import logging
import os
import zlib
from typing import Any

import pytest

import wscore
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
    port_of,
    serving,
)
from tests.wscompat.raw import ACCEPTED, REQUEST, raw_client, raw_server
from wscompat.asyncio.compression import client_extensions, server_extensions

LIBRARIES = pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=repr)
FIELD = "Sec-WebSocket-Extensions"

OFFERS = [
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; client_max_window_bits=10",
    "permessage-deflate; client_max_window_bits=15; server_max_window_bits=15",
    "permessage-deflate; server_max_window_bits=9",
    "permessage-deflate; server_max_window_bits=8, permessage-deflate",
    "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    "permessage-deflate; client_no_context_takeover; client_max_window_bits=8",
    "permessage-deflate; unknown, other, permessage-deflate; server_max_window_bits=11",
    'permessage-deflate; server_max_window_bits="10"',
    "permessage-deflate; server_max_window_bits=010",
    "permessage-bzip2, x-other; a=b",
]
ANSWERS = [
    "",
    "permessage-deflate",
    "permessage-deflate; server_max_window_bits=12",
    "permessage-deflate; server_max_window_bits=9; client_max_window_bits=9",
    "permessage-deflate; server_max_window_bits=12; client_max_window_bits=13",
    "permessage-deflate; server_max_window_bits=12; client_max_window_bits",
    "permessage-deflate; server_max_window_bits=12; server_no_context_takeover",
    "permessage-deflate; server_max_window_bits=12; client_no_context_takeover",
    "permessage-deflate; server_max_window_bits=12; server_max_window_bits=12",
    "permessage-deflate; server_max_window_bits=12, permessage-deflate; server_max_window_bits=12",
    "permessage-deflate; server_max_window_bits=12; unknown",
    "permessage-deflate; server_max_window_bits=12, unknown",
    "unknown",
]


def field_of(head: bytes, name: str = FIELD) -> list[str]:
    lines = [line.partition(":") for line in head.decode().split("\r\n")]
    return [value.strip() for found, _, value in lines if found.lower() == name.lower()]


def packed(data: bytes) -> bytes:
    stream = zlib.compressobj(wbits=-15)
    return (stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH))[:-4]


UNFINISHED = packed(b"an unfinished message")[:-1]


def masked(payload: bytes, first_byte: int) -> bytes:
    assert len(payload) < 126
    return bytes([first_byte, 0x80 | len(payload)]) + bytes(4) + payload


async def client_record(library: Library, answer: str, compression: str | None) -> list[Any]:
    """Return a client's offer, and its result for a response."""
    record = Record()
    line = f"{FIELD}: {answer}\r\n".encode() if answer else b""
    async with raw_server(ACCEPTED + line + b"\r\n", stays=True) as raw:
        connecting = library.connect(
            raw.uri, compression=compression, proxy=None, close_timeout=0.01
        )
        try:
            async with asyncio.timeout(BOUND):
                connection = await connecting
                record.note("open")
                await connection.close()
        except Exception as exc:
            record.note(type(exc).__name__)
        record.note(field_of(raw.requests[0]))
    return record.events


@pytest.mark.parametrize("compression", ["deflate", None])
@pytest.mark.parametrize("answer", ANSWERS)
async def test_the_client_offers_and_judges(answer: str, compression: str | None) -> None:
    assert await client_record(WSCOMPAT, answer, compression) == await client_record(
        WEBSOCKETS, answer, compression
    )


async def server_answer(library: Library, offer: str, compression: str | None) -> Any:
    async def stay(connection: Any) -> None:
        await connection.wait_closed()

    async with serving(library, stay, compression) as server:
        port = port_of(server)
        line = f"{FIELD}: {offer}\r\n\r\n".encode()
        async with raw_client(port, REQUEST + line) as raw:
            head = await raw.head()
            return head.split(b" ")[1], field_of(head)


@pytest.mark.parametrize("compression", ["deflate", None])
@pytest.mark.parametrize("offer", OFFERS)
async def test_the_server_answers(offer: str, compression: str | None) -> None:
    assert await server_answer(WSCOMPAT, offer, compression) == await server_answer(
        WEBSOCKETS, offer, compression
    )


async def exchange(connection: Any, record: Record) -> None:
    noise = os.urandom(3000)
    for message in (noise, noise * 4, "é" * 10_000, "", b"x", ["one", "two" * 500, ""], "end"):
        await connection.send(message)
        received = await connection.recv()
        record.note(received if isinstance(message, list) else received == message)


async def echo(connection: Any, record: Record) -> None:
    async for message in connection:
        await connection.send(message)
    record.note(connection.close_code)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize("sides", ["both", "client", "server"])
async def test_messages(pair: Pair, sides: str) -> None:
    options = Options(compression="deflate")
    if sides != "both":
        other = {"compression": None}
        options = Options(client=other if sides == "server" else {"compression": "deflate"})
    assert await converse(pair, exchange, echo, options) == await converse(
        MODEL, exchange, echo, options
    )


async def end_of(library: Library, frames: bytes, **options: Any) -> list[Any]:
    """Send frames to a server; return its CLOSE and the result of its handler."""
    record = Record()

    async def receive(connection: Any) -> None:
        while connection.close_code is None and len(record.events) < 5:
            result = await record.attempt(connection.recv())
            if result is None:
                break
        record.note(connection.close_code)

    async with serving(library, receive, "deflate", **options) as server:
        port = port_of(server)
        line = f"{FIELD}: permessage-deflate\r\n\r\n".encode()
        async with raw_client(port, REQUEST + line) as raw:
            await raw.head()
            raw.writer.write(frames)
            answer = await raw.rest()
    seen = [event if event[0] != "raised" else event[0] for event in record.events]
    return [*seen, answer[0], answer[2:4]]


@pytest.mark.parametrize(
    ("frames", "options"),
    [
        (masked(b"\xff\xff", 0xC1), {}),
        (masked(packed(b"\xff\xff"), 0xC1), {}),
        (masked(packed(b"fine"), 0xC1) + masked(b"\xff\xff", 0xC2), {}),
        (masked(packed(bytes(1001)), 0xC2), {"max_size": 1000}),
        (masked(packed(bytes(1001)), 0xC2), {"max_size": (None, 1000)}),
        (masked(packed(bytes(1001)), 0xC2), {"max_size": (1000, None)}),
        (masked(UNFINISHED, 0xC1) + masked(packed(b"next"), 0xC1), {}),
        (masked(packed(b"a"), 0x42) + masked(packed(b"b"), 0xC0), {}),
        (masked(packed(b"a"), 0xA1), {}),
    ],
    ids=[
        "corrupt",
        "not UTF-8",
        "corrupt after a good one",
        "too large",
        "frame too large",
        "message too large",
        "within a block",
        "bit on a continuation",
        "another bit",
    ],
)
async def test_bad_messages(frames: bytes, options: dict[str, Any]) -> None:
    assert await end_of(WSCOMPAT, frames, **options) == await end_of(WEBSOCKETS, frames, **options)


@pytest.mark.parametrize("limit", [1000, (None, 1000), (1000, None), None])
async def test_messages_of_the_limit(limit: Any) -> None:
    frames = masked(packed(bytes(1000)), 0xC2) + b"\x88\x80" + bytes(4)
    found = await end_of(WSCOMPAT, frames, max_size=limit)
    assert found == await end_of(WEBSOCKETS, frames, max_size=limit)
    assert ("gave", bytes(1000)) in found


# -- factories of compression among `extensions=`

FAST_CLIENT: list[dict[str, Any]] = [
    {},
    {"server_no_context_takeover": True, "client_no_context_takeover": True},
    {"server_max_window_bits": 10, "client_max_window_bits": 11},
    {"client_max_window_bits": None},
    {"compress_settings": {"level": 1, "memLevel": 9}},
]
SLOW_CLIENT: list[dict[str, Any]] = [
    {"server_max_window_bits": 8},
    {"compress_settings": {"strategy": 2}},
    {"compress_settings": {"level": -1}},
]
FAST_SERVER = [settings for settings in FAST_CLIENT if settings.get("client_max_window_bits", 1)]
SLOW_SERVER: list[dict[str, Any]] = [
    {"client_max_window_bits": 8},
    {"client_max_window_bits": 10, "require_client_max_window_bits": True},
    {"compress_settings": {"strategy": 2}},
]


def client_factory(library: Library, settings: dict[str, Any]) -> Any:
    module = importlib.import_module(f"{library.name}.extensions.permessage_deflate")
    return module.ClientPerMessageDeflateFactory(**settings)


def server_factory(library: Library, settings: dict[str, Any]) -> Any:
    module = importlib.import_module(f"{library.name}.extensions.permessage_deflate")
    return module.ServerPerMessageDeflateFactory(**settings)


def test_who_compresses() -> None:
    """wscore, unless it does not know how; `compression=` adds nothing to a factory of its own."""
    for compression in ("deflate", None):
        for settings in FAST_CLIENT:
            deflate, rest = client_extensions(compression, [client_factory(WSCOMPAT, settings)])
            assert (deflate is not None, rest) == (True, None), settings
        for settings in FAST_SERVER:
            deflate, rest = server_extensions(compression, [server_factory(WSCOMPAT, settings)])
            assert (deflate is not None, rest) == (True, None), settings
        for settings in SLOW_CLIENT:
            given = [client_factory(WSCOMPAT, settings)]
            assert client_extensions(compression, given) == (None, given)
        for settings in SLOW_SERVER:
            accepted = [server_factory(WSCOMPAT, settings)]
            assert server_extensions(compression, accepted) == (None, accepted)
    two = [client_factory(WSCOMPAT, {"server_max_window_bits": 10}), client_factory(WSCOMPAT, {})]
    assert client_extensions(None, two) == (None, two)
    assert client_extensions(None, None) == client_extensions(None, []) == (None, None)
    assert server_extensions(None, None) == (None, None)
    level = {"level": 2, "memLevel": 3}
    deflate, _ = client_extensions(None, [client_factory(WSCOMPAT, {"compress_settings": level})])
    assert deflate is not None
    assert (deflate.level, deflate.memory_level) == (2, 3)


@pytest.mark.parametrize("settings", [*FAST_CLIENT, *SLOW_CLIENT], ids=str)
async def test_what_a_factory_offers(settings: dict[str, Any]) -> None:
    offers = []
    for library in (WSCOMPAT, WEBSOCKETS):
        async with raw_server(ACCEPTED + b"\r\n", stays=True) as raw:
            connection = await library.connect(
                raw.uri,
                extensions=[client_factory(library, settings)],
                proxy=None,
                close_timeout=0.01,
            )
            await connection.close()
            offers.append(field_of(raw.requests[0]))
    assert [sorted(part_of(offer)) for offer in offers[0]] == [
        sorted(part_of(offer)) for offer in offers[1]
    ]


def part_of(offer: str) -> list[str]:
    """Return the parameters of an offer, whose order has no meaning."""
    return [part.strip() for part in offer.split(";")]


@pytest.mark.parametrize("server", [*FAST_SERVER, *SLOW_SERVER], ids=str)
@pytest.mark.parametrize("client", [*FAST_CLIENT, *SLOW_CLIENT], ids=str)
async def test_factories_of_both_sides(client: dict[str, Any], server: dict[str, Any]) -> None:
    async def client_script(connection: Any, record: Record) -> None:
        answer = connection.response.headers.get(FIELD)
        record.note(None if answer is None else sorted(part_of(answer)))
        for message in ("compressible, " * 100, b"compressible, " * 100):
            await connection.send(message)
            await record.attempt(connection.recv())

    async def server_script(connection: Any, record: Record) -> None:
        async for message in connection:
            await connection.send(message)

    def options(pair: Pair) -> Options:
        return Options(
            client={"extensions": [client_factory(pair.client, client)]},
            server={"extensions": [server_factory(pair.server, server)]},
            compression="deflate",
        )

    async def outcome(pair: Pair) -> Any:
        try:
            return await converse(pair, client_script, server_script, options(pair))
        except Exception as exc:
            return type(exc).__name__

    pair = Pair(WSCOMPAT, WSCOMPAT)
    assert await outcome(pair) == await outcome(MODEL)


# -- a WSDeflate of wscore, which the model does not have

CHOSEN = [
    wscore.WSDeflate(engine="zlib", level=1),
    wscore.WSDeflate(engine="isal", level=3, server_max_window_bits=10, client_max_window_bits=11),
    wscore.WSDeflate(engine="zlib-ng", server_no_context_takeover=True),
    wscore.WSDeflate(client_no_context_takeover=True, client_max_window_bits=None, min_size=0),
]


@pytest.mark.parametrize("deflate", CHOSEN, ids=str)
@pytest.mark.parametrize("logs", [False, True])
async def test_chosen_compression(deflate: wscore.WSDeflate, logs: bool) -> None:
    logger = logging.Logger("chosen", logging.DEBUG if logs else logging.INFO)
    for pair in PAIRS:
        client = {"logger": logger, "compression": "deflate"}
        server = {"logger": logger}
        if pair.client is WSCOMPAT:
            client["compression"] = deflate
        compression: Any = deflate if pair.server is WSCOMPAT else "deflate"
        options = Options(client=client, server=server, compression=compression)
        found = await converse(pair, exchange, echo, options)
        assert found == await converse(MODEL, exchange, echo, Options(compression="deflate"))


def test_chosen_compression_is_wscores() -> None:
    for deflate in CHOSEN:
        assert client_extensions(deflate, None) == (deflate, None)
        assert server_extensions(deflate, []) == (deflate, None)


async def test_chosen_engine() -> None:
    message = b"".join(b"%d, " % number for number in range(1000))
    packer = zlib.compressobj(2, wbits=-11, memLevel=9)
    expected = (packer.compress(message) + packer.flush(zlib.Z_SYNC_FLUSH))[:-4]

    async def tell(connection: Any) -> None:
        await connection.send(message)

    deflate = wscore.WSDeflate(engine="zlib", level=2, memory_level=9, server_max_window_bits=11)
    async with serving(WSCOMPAT, tell, deflate) as server:
        line = f"{FIELD}: permessage-deflate\r\n\r\n".encode()
        async with raw_client(port_of(server), REQUEST + line) as raw:
            head = await raw.head()
            assert field_of(head) == ["permessage-deflate; server_max_window_bits=11"]
            raw.writer.write_eof()
            frame = await raw.rest()
    assert frame[4:].startswith(expected)


@pytest.mark.parametrize("compression", ["lzma", True, {"level": 1}])
async def test_other_compression(compression: Any) -> None:
    for library in (WSCOMPAT, WEBSOCKETS):
        with pytest.raises(ValueError, match="unsupported compression"):
            library.connect("ws://localhost/", compression=compression)


def test_chosen_compression_with_extensions() -> None:
    deflate = wscore.WSDeflate()
    with pytest.raises(ValueError, match="cannot be combined"):
        client_extensions(deflate, [client_factory(WSCOMPAT, {})])
    with pytest.raises(ValueError, match="cannot be combined"):
        server_extensions(deflate, [server_factory(WSCOMPAT, {})])
