"""Measuring round-trip times with pings whose pongs are known."""

import asyncio

import pytest

from tests.wscore import wire
from tests.wscore.pairs import Setting, against_raw_peer, connected_pair
from tests.wscore.raw_peer import BOUND
from tests.wscore.recorder import Recorder

PING, PONG = 9, 10


async def test_each_round_is_measured_and_its_pong_not_shown(both: Setting) -> None:
    async with connected_pair(both) as pair:
        for transport in (pair.client, pair.server):
            times = await transport.measure_roundtrip_time(3)
            assert len(times) == 3
            assert all(0 < time < BOUND for time in times)
        assert pair.at_client.frames == []
        assert pair.at_server.frames == []


async def test_no_round_at_all(plain: Setting) -> None:
    async with against_raw_peer(plain, Recorder()) as (transport, _):
        assert await transport.measure_roundtrip_time(0) == []


async def test_measurements_side_by_side(both: Setting) -> None:
    async with connected_pair(both) as pair:
        measured = await asyncio.gather(*(pair.client.measure_roundtrip_time(2) for _ in range(5)))
        assert [len(times) for times in measured] == [2] * 5


async def test_other_pongs_do_not_count(plain: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(plain, listener) as (transport, peer):
        measuring = asyncio.ensure_future(transport.measure_roundtrip_time(1))
        ping = await peer.read_frame()
        assert ping.opcode == PING
        await peer.send(wire.F(PONG, b"unsolicited"))
        await listener.until("frame")
        assert listener.seen == [(PONG, b"unsolicited")]
        assert not measuring.done()
        await peer.send(wire.F(PONG, ping.payload))
        async with asyncio.timeout(BOUND):
            assert len(await measuring) == 1
        assert listener.seen == [(PONG, b"unsolicited")]


async def test_a_pong_is_taken_once(plain: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(plain, listener) as (transport, peer):
        measuring = asyncio.ensure_future(transport.measure_roundtrip_time(1))
        ping = await peer.read_frame()
        await peer.send(wire.F(PONG, ping.payload))
        async with asyncio.timeout(BOUND):
            await measuring
        await peer.send(wire.F(PONG, ping.payload))
        await listener.until("frame")
        assert listener.seen == [(PONG, ping.payload)]


async def test_the_connection_is_lost_while_measuring(plain: Setting) -> None:
    async with against_raw_peer(plain, Recorder()) as (transport, peer):
        measuring = asyncio.ensure_future(transport.measure_roundtrip_time(1))
        await peer.read_frame()
        peer.reset()
        with pytest.raises(ConnectionResetError):
            async with asyncio.timeout(BOUND):
                await measuring


async def test_the_connection_is_gone(plain: Setting) -> None:
    async with against_raw_peer(plain, Recorder()) as (transport, _):
        transport.disconnect()
        await transport.wait_disconnected()
        with pytest.raises(ConnectionResetError):
            await transport.measure_roundtrip_time(1)


async def test_cancelled_while_measuring(plain: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(plain, listener) as (transport, peer):
        measuring = asyncio.ensure_future(transport.measure_roundtrip_time(1))
        ping = await peer.read_frame()
        measuring.cancel()
        with pytest.raises(asyncio.CancelledError):
            await measuring
        # Its pong is nobody's now, so the listener sees it.
        await peer.send(wire.F(PONG, ping.payload))
        await listener.until("frame")
        assert listener.seen == [(PONG, ping.payload)]
