"""Endless pings: all are answered while the peer reads, one at a time while it does not."""

import asyncio
import logging
from typing import Any

import pytest

from tests.wscore.pairs import Setting, against_raw_peer
from tests.wscore.recorder import Recorder
from tests.wscore.slow_peers import (
    MANY,
    Reader,
    check_bounded,
    limit_buffer,
    not_reading,
    numbered,
    read_pongs,
    send_pings,
)
from tests.wscore.wire import BINARY, CLOSE, PING, PONG, TEXT, F
from wscore import WSFrame, WSMsgType, WSTransport

LIMIT = 64 * 1024  # bytes: the high-water mark
RECORDS = 2048  # bytes that TLS adds to that


def answering(transport: WSTransport, frame: WSFrame) -> None:
    """Answers pings as auto pong does."""
    if frame.msg_type == WSMsgType.PING:
        transport.answer_ping(frame.get_payload_as_bytes())


KINDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "callbacks": (Recorder, {}),
    "callbacks that answer": (lambda: Recorder(answering), {"enable_auto_pong": False}),
    "messages": (Reader, {}),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
async def test_peer_that_does_not_read(setting: Setting, kind: Any) -> None:
    new_listener, options = kind
    listener = new_listener()
    async with against_raw_peer(setting, listener, **options) as (transport, peer):
        below = transport.underlying_transport
        limit_buffer(below)
        with not_reading(peer):
            await send_pings(peer, range(MANY))
            await peer.send(F(TEXT, b"that was all"))
            await listener.until("frame", 1 if not options else MANY + 1)
            assert below.get_write_buffer_size() <= LIMIT + 127 + RECORDS
        check_bounded(await read_pongs(peer, MANY - 1), MANY)
        # From here on there is room again.
        await send_pings(peer, range(5))
        assert await read_pongs(peer, 4) == [0, 1, 2, 3, 4]


async def test_peer_that_reads(setting: Setting) -> None:
    """However many arrive with one read of the socket."""
    async with against_raw_peer(setting, Recorder()) as (_, peer):
        pings = [F(PING, b"%d" % number) for number in range(20_000)]
        sending = asyncio.ensure_future(peer.send(*pings))
        for number in range(len(pings)):
            assert (await peer.read_frame()).payload == b"%d" % number
        await sending


async def test_nothing_is_held_back_below_a_small_limit(plain: Setting) -> None:
    """More is pending than the limit allows, but only until the callback ends."""
    listener = Recorder()
    async with against_raw_peer(plain, listener) as (transport, peer):
        transport.underlying_transport.set_write_buffer_limits(100)
        await peer.send(*(F(PING, numbered(number)) for number in range(1000)))
        assert await read_pongs(peer, 999) == list(range(1000))


async def test_program_that_sends_all_the_time(setting: Setting) -> None:
    """The pong need not wait until nothing else is pending."""

    class Streaming(Recorder):
        rounds = 0

        def resume_writing(self) -> None:
            assert self.transport is not None
            self.rounds += 1
            if self.rounds < 50:
                self.transport.send(WSMsgType.BINARY, bytes(2 * LIMIT))

    listener = Streaming()
    async with against_raw_peer(setting, listener) as (transport, peer):
        limit_buffer(transport.underlying_transport)
        with not_reading(peer):
            while not transport.is_writing_paused:
                transport.send(WSMsgType.BINARY, bytes(LIMIT))
            await peer.send(F(PING, b"first"), F(PING, b"second"), F(TEXT))
            await listener.until("frame")
            assert listener.seen == [(TEXT, b"")]
        while (frame := await peer.read_frame()).opcode == BINARY:
            pass
        assert (frame.opcode, frame.payload) == (PONG, b"second")
        assert listener.rounds < 5


async def test_pong_that_waits_when_the_connection_closes(setting: Setting) -> None:
    """Nothing may follow a CLOSE (RFC 6455, 5.5.1)."""
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        limit_buffer(transport.underlying_transport)
        with not_reading(peer):
            while not transport.is_writing_paused:
                transport.send(WSMsgType.BINARY, bytes(LIMIT))
            await peer.send(F(PING, b"late"), F(TEXT))
            await listener.until("frame")
            transport.send_close(1000)
        while (frame := await peer.read_frame()).opcode == BINARY:
            pass
        assert frame.opcode == CLOSE
        transport.disconnect()
        assert await peer.read_to_end() == b""


async def test_answer_ping_says_whether_it_was_sent(plain: Setting) -> None:
    async with against_raw_peer(plain, Recorder()) as (transport, peer):
        assert transport.answer_ping() is True
        assert transport.answer_ping("é") is True
        assert transport.answer_ping(memoryview(b"aXbX")[::2]) is True
        payloads = [(await peer.read_frame()).payload for _ in range(3)]
        assert payloads == [b"", "é".encode(), b"ab"]
        limit_buffer(transport.underlying_transport)
        with not_reading(peer):
            while not transport.is_writing_paused:
                transport.send(WSMsgType.BINARY, bytes(LIMIT))
            assert transport.answer_ping(b"1") is False
            assert transport.answer_ping(b"2") is False
        while (frame := await peer.read_frame()).opcode == BINARY:
            pass
        assert frame.payload == b"2"
        with pytest.raises(ValueError, match="at most 125 bytes"):
            transport.answer_ping(bytes(126))
        with pytest.raises(TypeError):
            transport.answer_ping(1)  # type: ignore[arg-type]
        transport.send_close(1000)
        assert transport.answer_ping(b"3") is False


async def test_debug_logs_change_nothing(plain: Setting) -> None:
    logger = logging.getLogger("flood")
    logger.setLevel(1)
    listener = Recorder()
    async with against_raw_peer(plain, listener, logger_name=logger) as (transport, peer):
        below = transport.underlying_transport
        limit_buffer(below)
        with not_reading(peer):
            await send_pings(peer, range(MANY))
            await peer.send(F(TEXT))
            await listener.until("frame")
            assert below.get_write_buffer_size() <= LIMIT + 127
        check_bounded(await read_pongs(peer, MANY - 1), MANY)
