"""All settings of permessage-deflate, with every engine, against other libraries at either end.

Each test is one pair of libraries and one engine; it goes through all settings, each with its own
connection and a few messages that are the same in every run.
"""

import asyncio
import contextlib
import itertools
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any, NamedTuple

import picows.websockets
import pytest
import websockets.asyncio.client
import websockets.asyncio.server
from websockets.exceptions import NegotiationError
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)

from tests.wscore.raw_peer import BOUND
from wscore import (
    WSDeflate,
    WSDeflateParameters,
    WSInvalidHeaderError,
    WSMessageReader,
    WSMsgType,
    WSTransport,
    ws_connect,
    ws_create_server,
)

ENGINES = ["zlib", "zlib-ng", "isal"]
BITS = [None, 9, 13]  # of our own settings
PEERS_BITS = [None, 8, 11]  # of the peer's
FLAGS = [False, True]


class Settings(NamedTuple):
    """The settings of one side.

    Attributes:
        server_no_context: whether the server must compress each message independently.
        client_no_context: whether the client must.
        server_bits: the largest window of the server; None for any.
        client_bits: the same for the client.
    """

    server_no_context: bool
    client_no_context: bool
    server_bits: int | None
    client_bits: int | None


def settings(bits: list[int | None]) -> Iterator[Settings]:
    """Return all combinations."""
    return itertools.starmap(Settings, itertools.product(FLAGS, FLAGS, bits, bits))


def pairs_of_settings() -> list[tuple[Settings, Settings]]:
    """Combine each of ours with one of a peer's, so that all of both are used."""
    ours, theirs = list(settings(BITS)), list(settings(PEERS_BITS))
    random.Random(7692).shuffle(theirs)
    return list(zip(ours, itertools.cycle(theirs), strict=False))


def messages(seed: int) -> list[str | bytes]:
    """Return messages that compress, that do not, and that repeat earlier ones."""
    rng = random.Random(seed)
    words = [rng.randbytes(rng.randrange(2, 9)).hex() for _ in range(50)]
    text = " ".join(rng.choice(words) for _ in range(rng.randrange(2000)))
    noise = rng.randbytes(rng.randrange(6000))
    return [text, noise, "", text[: rng.randrange(len(text) + 1)], noise + noise, text + "é€"]


def our_deflate(engine: str, chosen: Settings) -> WSDeflate:
    return WSDeflate(
        server_no_context_takeover=chosen.server_no_context,
        client_no_context_takeover=chosen.client_no_context,
        server_max_window_bits=chosen.server_bits,
        client_max_window_bits=chosen.client_bits,
        engine=engine,
        min_size=0,
    )


class Echo(WSMessageReader):
    """Echoes messages, compressed as negotiated."""

    async def run(self, transport: WSTransport) -> None:
        async for message in self:
            msg_type = WSMsgType.TEXT if isinstance(message, str) else WSMsgType.BINARY
            transport.send_message(msg_type, message)

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self.task = asyncio.get_running_loop().create_task(self.run(transport))


async def echo(connection: Any) -> None:
    """Echo messages on a peer, every second one in fragments."""
    number = 0
    async for message in connection:
        number += 1
        half = len(message) // 2
        await connection.send([message[:half], message[half:]] if number % 2 else message)


def check(agreed: WSDeflateParameters | None, chosen: Settings) -> None:
    """Check that the negotiated parameters, if any, satisfy our own settings."""
    if agreed is None:
        return
    assert agreed.server_no_context_takeover >= chosen.server_no_context
    assert agreed.server_max_window_bits <= (chosen.server_bits or 15)
    assert agreed.client_no_context_takeover >= chosen.client_no_context


async def talk_with_server(url: str, engine: str, number: int, chosen: Settings) -> bool:
    """Be the client of a peer; return whether compression was negotiated."""
    transport, reader = await ws_connect(WSMessageReader, url, deflate=our_deflate(engine, chosen))
    check(transport.deflate, chosen)
    for message in messages(number):
        text = isinstance(message, str)
        transport.send_message(WSMsgType.TEXT if text else WSMsgType.BINARY, message)
    for message in messages(number):
        assert await reader.recv() == message
    transport.send_close()
    transport.disconnect()
    await transport.wait_disconnected()
    return transport.deflate is not None


async def talk_with_client(connection: Any, number: int) -> None:
    """Connect a peer's client to our server."""
    async with connection as peer:
        for message in messages(number):
            half = len(message) // 2
            await peer.send(message if number % 2 else [message[:half], message[half:]])
            assert await peer.recv() == message


def windows(chosen: Settings, lowest: int, other: str) -> dict[str, Any]:
    """Return the arguments of a factory of websockets; its own window has at least 9 bits."""
    bits = {"server": chosen.server_bits, "client": chosen.client_bits}
    own = "client" if other == "server" else "server"
    bits[own] = bits[own] and max(bits[own] or 0, lowest)
    return {
        "server_no_context_takeover": chosen.server_no_context,
        "client_no_context_takeover": chosen.client_no_context,
        "server_max_window_bits": bits["server"],
        "client_max_window_bits": bits["client"],
    }


@contextlib.asynccontextmanager
async def our_server(deflate: WSDeflate) -> AsyncIterator[str]:
    """Yield the URL of a server of ours."""
    server = await ws_create_server(lambda _: Echo(), "127.0.0.1", 0, deflate=deflate)
    yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    server.close()
    await server.wait_closed()


@contextlib.asynccontextmanager
async def peers_server(peer: str, chosen: Settings) -> AsyncIterator[str]:
    """Yield the URL of another library's server; picows has its own settings."""
    if peer == "websockets":
        factory = ServerPerMessageDeflateFactory(**windows(chosen, 9, "client"))
        serving = websockets.asyncio.server.serve(echo, "127.0.0.1", 0, extensions=[factory])
    else:
        serving = picows.websockets.serve(echo, "127.0.0.1", 0)
    async with serving as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}/"


def peers_client(peer: str, url: str, chosen: Settings) -> Any:
    """Return an unopened connection of another library's client."""
    if peer == "picows":
        return picows.websockets.connect(url, proxy=None)
    factory = ClientPerMessageDeflateFactory(**windows(chosen, 9, "server"))
    return websockets.asyncio.client.connect(url, proxy=None, extensions=[factory])


@pytest.mark.parametrize("peer", ["websockets", "picows"])
@pytest.mark.parametrize("engine", ENGINES)
async def test_our_client(peer: str, engine: str) -> None:
    compressed = 0
    async with asyncio.timeout(10 * BOUND):
        for number, (ours, theirs) in enumerate(pairs_of_settings()):
            async with peers_server(peer, theirs) as url:
                try:
                    compressed += await talk_with_server(url, engine, number, ours)
                except WSInvalidHeaderError:  # the response does not match the offer, or has 8 bits
                    with pytest.raises(NegotiationError):
                        await peers_client("websockets", url, ours)
    assert compressed >= (18 if peer == "websockets" else 1)  # picows keeps to its own settings


@pytest.mark.parametrize("peer", ["websockets", "picows"])
@pytest.mark.parametrize("engine", ENGINES)
async def test_our_server(peer: str, engine: str) -> None:
    async with asyncio.timeout(10 * BOUND):
        for number, (ours, theirs) in enumerate(pairs_of_settings()):
            async with our_server(our_deflate(engine, ours)) as url:
                await talk_with_client(peers_client(peer, url, theirs), number)
