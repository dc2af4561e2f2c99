"""Who is given up for not answering a ping: who does not take what is sent, and nobody else.

By the auto ping of wscore; `tests/wscompat/test_keepalive.py` has it for wscompat.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.tls import Tls
from tests.wscore.answering_thread import answering
from tests.wscore.connection.test_heartbeat import SOON, auto_ping
from tests.wscore.packets import packet_peer
from tests.wscore.pairs import Setting, against_raw_peer, serving
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.slow_peers import Reader, SlowReader, limit_buffer, not_reading
from tests.wscore.wire import BINARY, PING, PONG, TEXT, F
from wscore import WSAutoPingStrategy, WSCloseCode, WSMsgType
from wscore.connection.auto_ping import auto_ping_maker
from wscore.connection.ping_watch import PingWatch

PERIODIC = WSAutoPingStrategy.PING_PERIODICALLY
MIB = 1 << 20
REPLY = 1.0  # seconds within which a ping is to be answered

# A transfer that takes more than twice as long: pieces, and seconds before each of them.
LARGE = 4 * MIB
PIECE, PAUSE = LARGE // 60, REPLY / 25


def sent_code(transport: Any) -> int:
    """Return the code of the CLOSE that was sent."""
    assert transport.close_handshake is not None
    assert transport.close_handshake.sent is not None
    return int(transport.close_handshake.sent.code)


async def test_message_that_takes_longer_than_the_answer_may(setting: Setting) -> None:
    """A peer that reads slowly cannot answer a ping that stands behind a large message."""
    options = auto_ping(SOON, REPLY, auto_ping_strategy=PERIODIC)
    async with against_raw_peer(setting, Recorder(), **options) as (transport, peer):
        limit_buffer(transport.underlying_transport)
        assert (await peer.read_frame()).opcode == PING
        transport.send(WSMsgType.BINARY, bytes(LARGE))
        await peer.send(F(PONG))
        reader = SlowReader(peer)
        while transport.underlying_transport.get_write_buffer_size():
            await asyncio.sleep(PAUSE)
            await reader.read(PIECE)
        # The time for the answer runs once the ping has left; much may lie in front of it.
        while not reader.frames or reader.frames[-1][0] != PING:
            await reader.read(MIB)
        assert (BINARY, LARGE) in reader.frames
        assert transport.is_open


@pytest.mark.parametrize("waiting", [0, MIB])
async def test_peer_that_stops_reading(setting: Setting, waiting: int) -> None:
    """Whether the ping has left, or waits behind much else."""
    listener = Recorder()
    async with against_raw_peer(setting, listener, **auto_ping(SOON, 5 * SOON)) as (
        transport,
        peer,
    ):
        limit_buffer(transport.underlying_transport)
        with not_reading(peer):
            transport.send(WSMsgType.BINARY, bytes(waiting))
            await listener.until("disconnected")
            assert sent_code(transport) == WSCloseCode.INTERNAL_ERROR


async def test_peer_whose_system_acknowledges_all_the_same(plain: Setting) -> None:
    """What is sent behind the ping fits into its memory, so that this alone shows nothing."""
    listener = Recorder()
    async with against_raw_peer(plain, listener, **auto_ping(SOON, REPLY)) as (transport, peer):
        with not_reading(peer):
            async with asyncio.timeout(BOUND):
                while not transport.is_disconnected:
                    transport.send(WSMsgType.BINARY, bytes(100))
                    await asyncio.sleep(SOON)
            assert sent_code(transport) == WSCloseCode.INTERNAL_ERROR


async def test_unix_socket(side: str) -> None:
    """There the system says otherwise how much the peer has not taken."""
    make = auto_ping_maker(True, PERIODIC, SOON, REPLY)
    listener = Recorder()
    async with packet_peer(side, listener, kind=socket.SOCK_STREAM, make_auto_ping=make) as (
        transport,
        peer,
    ):
        transport.send(WSMsgType.BINARY, bytes(MIB // 4))
        left = MIB // 4
        while left > 0:
            await asyncio.sleep(PAUSE * 2)
            left -= len(peer.sock.recv(MIB // 80))
        assert transport.is_open
        await listener.until("disconnected")  # it has not answered any
        assert sent_code(transport) == WSCloseCode.INTERNAL_ERROR


async def test_answer_that_came_while_the_program_was_busy(security: Tls | None) -> None:
    """It lies in the socket when the time is up, and is read first; each time."""
    reply = 5 * SOON
    busy = threading.Event()
    loop = asyncio.get_running_loop()

    def be_busy() -> None:
        until = time.monotonic() + 3 * reply
        busy.set()
        assert client.answers.acquire(timeout=BOUND)
        time.sleep(max(0, until - time.monotonic()))

    def before_pong() -> None:
        """Answer when the loop does nothing any more."""
        busy.clear()
        loop.call_soon_threadsafe(be_busy)
        assert busy.wait(BOUND)

    listener = Recorder()
    setting = Setting("server", security)
    options = auto_ping(SOON, reply)
    async with serving(setting, lambda _: listener, **options) as port:
        async with (
            answering(port, security and security.client, before_pong) as client,
            asyncio.timeout(4 * BOUND),
        ):
            while client.pings < 9:  # which the one after the eighth answer is
                await asyncio.sleep(SOON)
                assert "disconnected" not in listener.events
        assert listener.transport is not None
        listener.transport.disconnect(graceful=False)
        await listener.until("disconnected")


@pytest.mark.parametrize(("size", "count"), [(60_000, 15), (1, 3000)])
async def test_answer_behind_much_else(size: int, count: int, setting: Setting) -> None:
    """Behind more than one read of the socket brings, or one iteration of the loop parses."""
    reply = 4 * SOON

    def slowly(transport: Any, frame: Any) -> None:
        if frame.get_payload_as_bytes() == b"begin":
            time.sleep(2 * reply)  # all that follows has come when the time is up

    listener = Recorder(slowly)
    async with against_raw_peer(setting, listener, **auto_ping(SOON, reply)) as (transport, peer):
        assert (await peer.read_frame()).opcode == PING
        much = [F(BINARY, bytes(size))] * count
        await peer.send(F(TEXT, b"begin"), *much, F(PONG), F(TEXT, b"end"))
        await listener.until("frame", count + 2)
        assert transport.is_open


async def test_peer_that_sends_all_the_time_and_does_not_answer(plain: Setting) -> None:
    options = auto_ping(SOON, 5 * SOON, auto_ping_strategy=PERIODIC)
    async with against_raw_peer(plain, Recorder(), **options) as (transport, peer):
        frames = F(BINARY, bytes(60_000)).wire(peer.masks)
        async with asyncio.timeout(BOUND):
            while not transport.is_disconnected:
                await peer.send(frames)
        assert sent_code(transport) == WSCloseCode.INTERNAL_ERROR


@contextlib.asynccontextmanager
async def full_queue(setting: Setting, reply: float) -> AsyncIterator[tuple[Reader, Any, Any]]:
    """Yield a connection that is not read, because nobody receives; the peer has got a ping."""
    reader = Reader(high=2)
    options = auto_ping(SOON, reply)
    async with against_raw_peer(setting, reader, **options) as (transport, peer):  # type: ignore[arg-type]
        await peer.send(F(TEXT, b"1"), F(TEXT, b"2"))
        async with asyncio.timeout(BOUND):
            while transport.underlying_transport.is_reading():
                await asyncio.sleep(0)
        assert (await peer.read_frame()).opcode == PING
        yield reader, transport, peer


async def test_answer_that_the_program_does_not_read(setting: Setting) -> None:
    """While the queue is full the socket is not read; what lies there may be the answer."""
    async with full_queue(setting, 3 * SOON) as (reader, transport, peer):
        await peer.send(F(PONG), F(TEXT, b"3"))
        await asyncio.sleep(12 * SOON)
        assert transport.is_open
        async with asyncio.timeout(BOUND):
            assert [await reader.recv() for _ in range(3)] == ["1", "2", "3"]
        assert (await peer.read_frame()).opcode == PING  # the next one, so the answer was seen
        await peer.send(F(PONG))
        assert transport.is_open


async def test_no_answer_while_the_program_does_not_read(setting: Setting) -> None:
    """Nothing lies there."""
    async with full_queue(setting, 3 * SOON) as (reader, transport, _):
        await reader.until("disconnected")
        assert sent_code(transport) == WSCloseCode.INTERNAL_ERROR


async def test_watch_that_is_stopped(plain: Setting) -> None:
    """It can be stopped at any time, and more than once, and then says nothing."""
    given_up: list[int] = []
    async with against_raw_peer(plain, Recorder()) as (transport, _):
        watches = [PingWatch(transport, timeout, lambda: given_up.append(1)) for timeout in (0, 9)]
        for watch in watches:
            watch.stop()
            watch.stop()
        given = asyncio.Event()
        PingWatch(transport, 0, given.set)
        async with asyncio.timeout(BOUND):
            await given.wait()
        assert not given_up
        with pytest.raises(TypeError):
            PingWatch(None, 1, given.set)  # type: ignore[arg-type]
