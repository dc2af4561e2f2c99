"""Pings without end, to and from both APIs: bounded while the peer does not read."""

import asyncio
from typing import Any

import pytest

from tests.support.tls import Tls
from tests.wscompat.bare_peer import KINDS, Kind, against_raw_peer
from tests.wscore.pairs import Setting
from tests.wscore.raw_peer import BOUND
from tests.wscore.slow_peers import (
    MANY,
    check_bounded,
    limit_buffer,
    not_reading,
    numbered,
    read_pongs,
    send_pings,
)
from tests.wscore.wire import PING, PONG, TEXT, F
from wscompat.exceptions import ConnectionClosedError

LIMIT = 32 * 1024  # bytes
RECORDS = 2048  # bytes that TLS adds to so much
AHEAD = 64 * 1024  # bytes that are held back before a transport of the loop sees them


@pytest.fixture(params=["server", "client"])
def side(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["plain", "tls"])
def setting(request: pytest.FixtureRequest, side: str, tls: Tls) -> Setting:
    return Setting(side, tls if request.param == "tls" else None)


def skip_impossible(kind: Kind, setting: Setting) -> Setting:
    """Skip clients with a transport of the loop, which is tested on the server only."""
    return Setting("server", setting.tls) if kind.foreign else setting


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_peer_that_does_not_read(kind: Kind, setting: Setting) -> None:
    setting = skip_impossible(kind, setting)
    async with against_raw_peer(kind, setting, write_limit=LIMIT) as (connection, peer):
        below = connection.transport
        limit_buffer(below)
        with not_reading(peer):
            await send_pings(peer, range(MANY))
            await peer.send(F(TEXT, b"that was all"))
            async with asyncio.timeout(BOUND):
                assert await connection.recv() == "that was all"
            bound = LIMIT + 127 + RECORDS + (AHEAD if kind.foreign else 0)
            assert below.get_write_buffer_size() <= bound
        check_bounded(await read_pongs(peer, MANY - 1), MANY)
        await send_pings(peer, range(5))
        assert await read_pongs(peer, 4) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_peer_that_reads(kind: Kind, setting: Setting) -> None:
    setting = skip_impossible(kind, setting)
    async with against_raw_peer(kind, setting, write_limit=1000) as (_, peer):
        sending = asyncio.ensure_future(send_pings(peer, range(3000)))
        assert await read_pongs(peer, 2999) == list(range(3000))
        await sending


@pytest.mark.parametrize("kind", KINDS, ids=str)
@pytest.mark.parametrize("name", ["ping", "pong"])
async def test_own_pings_and_pongs_wait(kind: Kind, name: str, setting: Setting) -> None:
    """They are bounded like messages, as in the model."""
    setting = skip_impossible(kind, setting)
    async with against_raw_peer(kind, setting, write_limit=LIMIT) as (connection, peer):
        below = connection.transport
        limit_buffer(below)
        sent = 0

        async def send_all() -> None:
            nonlocal sent
            while sent < MANY:
                sent += 1
                await getattr(connection, name)(numbered(sent - 1))

        with not_reading(peer):
            sending = asyncio.ensure_future(send_all())
            async with asyncio.timeout(BOUND):
                while connection._drained is None:
                    await asyncio.sleep(0)
            assert sent < MANY // 2
            assert below.get_write_buffer_size() <= LIMIT + 2 * 127 + RECORDS
        found: list[Any] = []
        while len(found) < MANY:
            frame = await peer.read_frame()
            assert frame.opcode == (PING if name == "ping" else PONG)
            found.append(frame.payload)
        await sending
        assert found == [numbered(number) for number in range(MANY)]


async def test_waiting_ends_with_the_connection() -> None:
    async with against_raw_peer(KINDS[0], Setting("server", None)) as (connection, peer):
        limit_buffer(connection.transport)

        async def ping() -> None:
            while True:
                await connection.ping()

        with not_reading(peer):
            pinging = asyncio.ensure_future(ping())
            async with asyncio.timeout(BOUND):
                while connection._drained is None:
                    await asyncio.sleep(0)
                connection.transport.abort()
                with pytest.raises(ConnectionClosedError):
                    await pinging
