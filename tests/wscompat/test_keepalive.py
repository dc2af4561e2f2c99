"""The keepalive of both APIs and peers that are slow: those that read on are kept."""

import asyncio
import threading
import time
from typing import Any

import pytest

from tests.wscompat.bare_peer import KINDS, Kind, against_raw_peer, serving
from tests.wscore.answering_thread import answering
from tests.wscore.pairs import Setting
from tests.wscore.raw_peer import BOUND
from tests.wscore.slow_peers import SlowReader, limit_buffer, not_reading
from tests.wscore.wire import BINARY, PING, PONG, TEXT, F

SOON = 0.02  # seconds
REPLY = 0.7  # seconds within which a ping is to be answered

# A transfer that takes more than twice as long: pieces, and seconds before each of them.
LARGE = 4 << 20
PIECE, PAUSE = LARGE // 60, REPLY / 20

PLAIN = Setting("server", None)
FAILED = (1011, "keepalive ping timeout")


def sent_close(connection: Any) -> tuple[int, str]:
    """Return the CLOSE that was sent."""
    sent = connection.close_exc.sent
    return int(sent.code), sent.reason


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_message_that_takes_longer_than_the_answer_may(kind: Kind) -> None:
    """A peer that reads slowly cannot answer a ping after a large message."""
    async with against_raw_peer(kind, PLAIN, ping_interval=SOON, ping_timeout=REPLY) as (
        connection,
        peer,
    ):
        limit_buffer(connection.transport)
        sending = asyncio.ensure_future(connection.send(bytes(LARGE)))
        reader = SlowReader(peer)
        while not sending.done() or connection.transport.get_write_buffer_size():
            await asyncio.sleep(PAUSE)
            await reader.read(PIECE)
        await sending
        # The time for the answer runs once the ping has left; much may lie in front of it.
        while (BINARY, LARGE) not in reader.frames:
            await reader.read(PIECE)
        count = len(reader.frames)
        while len(reader.frames) < count + 3:  # pings, the first of which came after the message
            await reader.read(PIECE)
        assert connection.state.name == "OPEN"


@pytest.mark.parametrize("waiting", [0, 1 << 20])
@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_peer_that_stops_reading(kind: Kind, waiting: int) -> None:
    """Whether the ping has left, or waits after much other data."""
    async with against_raw_peer(kind, PLAIN, ping_interval=SOON, ping_timeout=5 * SOON) as (
        connection,
        peer,
    ):
        limit_buffer(connection.transport)
        with not_reading(peer):
            sending = asyncio.ensure_future(connection.send(bytes(waiting)))
            async with asyncio.timeout(BOUND):
                await connection.wait_closed()
                await asyncio.wait([sending])
                sending.exception()
            assert sent_close(connection) == FAILED


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_answer_that_came_while_the_program_was_busy(
    kind: Kind,
) -> None:
    """It lies in the socket when the time is up, and is read first; each time."""
    reply = 2 * SOON
    busy = threading.Event()
    loop = asyncio.get_running_loop()
    ended: list[Any] = []

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

    async def handler(connection: Any) -> None:
        await connection.wait_closed()
        ended.append(connection.close_exc)

    async with (
        serving(kind, handler, ping_interval=SOON, ping_timeout=reply) as port,
        answering(port, None, before_pong) as client,
        asyncio.timeout(4 * BOUND),
    ):
        while client.pings < 9:  # which the one after the eighth answer is
            await asyncio.sleep(SOON)
            assert not ended


@pytest.mark.parametrize("kind", KINDS, ids=str)
async def test_answer_that_the_program_does_not_receive(kind: Kind) -> None:
    """While the queue is full the socket is not read; what lies there may be the answer."""
    options = {"ping_interval": SOON, "ping_timeout": 3 * SOON, "max_queue": 2}
    async with against_raw_peer(kind, PLAIN, **options) as (connection, peer):
        await peer.send(F(TEXT, b"1"), F(TEXT, b"2"))
        async with asyncio.timeout(BOUND):
            while connection.transport.is_reading():
                await asyncio.sleep(0)
        frame = await peer.read_frame()
        assert frame.opcode == PING
        await peer.send(F(PONG, frame.payload), F(TEXT, b"3"))
        await asyncio.sleep(12 * SOON)
        assert connection.state.name == "OPEN"
        async with asyncio.timeout(BOUND):
            assert [await connection.recv() for _ in range(3)] == ["1", "2", "3"]
        frame = await peer.read_frame()  # the next ping, so the answer was seen
        assert frame.opcode == PING
        assert connection.latency > 11 * SOON  # uvloop's timers may be early by a millisecond


async def test_pings_without_a_timeout_do_not_pile_up() -> None:
    async with against_raw_peer(KINDS[0], PLAIN, ping_interval=0.001, ping_timeout=None) as (
        connection,
        peer,
    ):
        limit_buffer(connection.transport)
        with not_reading(peer):
            sending = asyncio.ensure_future(connection.send(bytes(1 << 20)))
            async with asyncio.timeout(BOUND):
                while connection._drained is None:
                    await asyncio.sleep(0)
                size = -1
                while size != (size := connection.transport.get_write_buffer_size()):
                    await asyncio.sleep(0.02)  # many times the interval
        while (await peer.read_frame()).opcode != BINARY:
            pass
        assert (await peer.read_frame()).opcode == PING
        await sending
