"""Corking: the bytes a callback sends leave in one system call, in order, in all cases."""

import asyncio
import contextlib
import logging
import socket
import ssl

import pytest

from tests.support.leaks import LoopErrors
from tests.support.tls import Tls
from tests.wscore import wire
from tests.wscore.packets import frames_in, packet_peer
from tests.wscore.pairs import Setting, serving
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.wire import BINARY, CLOSE, PING, PONG, TEXT, F, close
from wscore import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport

ENOUGH = 64 * 1024  # bytes held back are sent before the callback ends
LARGE = 16 * 1024  # bytes of payload that are sent without a copy


async def test_callback_sends_once(side: str) -> None:
    def reply(transport: WSTransport, frame: WSFrame) -> None:
        for n in range(5):
            transport.send(WSMsgType.BINARY, b"%d" % n)

    async with packet_peer(side, Recorder(reply)) as (_, peer):
        await peer.send(F(TEXT))
        assert await peer.frames() == [(BINARY, b"%d" % n) for n in range(5)]


async def test_all_frames_of_one_read_send_once(side: str) -> None:
    """The callback is that of the loop, not each call of the listener."""

    def reply(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(frame.msg_type, frame.get_payload_as_bytes())

    async with packet_peer(side, Recorder(reply)) as (_, peer):
        await peer.send(*(F(TEXT, b"%d" % n) for n in range(50)))
        assert await peer.frames() == [(TEXT, b"%d" % n) for n in range(50)]


async def test_outside_of_callbacks_each_send_leaves_at_once(side: str) -> None:
    async with packet_peer(side, Recorder()) as (transport, peer):
        transport.send(WSMsgType.TEXT, "a")
        assert frames_in(peer.sock.recv(1000)) == [(TEXT, b"a")]  # already, not later
        transport.send(WSMsgType.TEXT, "b")
        transport.send_ping(b"c")
        assert await peer.frames() == [(TEXT, b"b")]
        assert await peer.frames() == [(PING, b"c")]


async def test_order_of_all_kinds_of_frames(side: str) -> None:
    def reply(transport: WSTransport, frame: WSFrame) -> None:
        if frame.get_payload_as_bytes() == b"last":
            transport.send(WSMsgType.TEXT, "1")
            transport.send_ping(b"2")
            transport.send(WSMsgType.BINARY, b"3")
            transport.send_pong(b"4")
            transport.send_close(WSCloseCode.OK, "5")
            transport.send(WSMsgType.TEXT, "not any more")
            transport.disconnect()

    async with packet_peer(side, Recorder(reply)) as (_, peer):
        await peer.send(F(PING, b"0"), F(TEXT, b"not yet"), F(PING, b"0a"), F(TEXT, b"last"))
        assert await peer.frames() == [
            (PONG, b"0"),
            (PONG, b"0a"),
            (TEXT, b"1"),
            (PING, b"2"),
            (BINARY, b"3"),
            (PONG, b"4"),
            (CLOSE, close(1000, "5").payload),
        ]
        assert await peer.read() == b""


async def test_automatic_pongs_leave_with_what_is_sent(side: str) -> None:
    def reply(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.TEXT, "reply")

    async with packet_peer(side, Recorder(reply)) as (_, peer):
        await peer.send(F(PING, b"a"), F(TEXT), F(PING, b"b"), F(TEXT))
        assert await peer.frames() == [
            (PONG, b"a"), (TEXT, b"reply"), (PONG, b"b"), (TEXT, b"reply"),
        ]  # fmt: skip


@pytest.mark.parametrize("graceful", [True, False])
async def test_disconnect_flushes(side: str, graceful: bool) -> None:
    def reply(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.TEXT, "last words")
        transport.disconnect(graceful)
        transport.send(WSMsgType.TEXT, "unheard")

    async with packet_peer(side, Recorder(reply)) as (_, peer):
        await peer.send(F(TEXT))
        assert await peer.frames() == [(TEXT, b"last words")]
        assert await peer.read() == b""


async def test_protocol_error_after_sends(side: str) -> None:
    """Frames sent before the peer's error was detected precede our CLOSE."""

    def reply(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.TEXT, "reply")

    async with packet_peer(side, Recorder(reply)) as (_, peer):
        await peer.send(F(TEXT), F(3))
        frames = await peer.frames()
        assert frames[0] == (TEXT, b"reply")
        assert frames[1][0] == CLOSE
        assert frames[1][1][:2] == (1002).to_bytes(2, "big")


async def test_callback_that_raises(side: str, caplog: pytest.LogCaptureFixture) -> None:
    def fail(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.TEXT, "before")
        raise ValueError("on purpose")

    async with packet_peer(side, Recorder(fail), disconnect_on_exception=False) as (_, peer):
        await peer.send(F(TEXT), F(TEXT))
        assert await peer.frames() == [(TEXT, b"before")] * 2
    assert "on purpose" in caplog.text


async def test_callback_that_raises_and_closes(side: str, caplog: pytest.LogCaptureFixture) -> None:
    def fail(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.TEXT, "before")
        raise ValueError("on purpose")

    async with packet_peer(side, Recorder(fail)) as (_, peer):
        await peer.send(F(TEXT), F(TEXT))
        assert await peer.frames() == [(TEXT, b"before"), (CLOSE, close(1011).payload)]
    assert [r.levelno for r in caplog.records if "on purpose" in str(r.exc_info)] == [logging.ERROR]


class EndOfAll(BaseException):
    """Like KeyboardInterrupt, which test runners handle specially."""


async def test_exception_that_nobody_catches(side: str, no_leaks: LoopErrors) -> None:
    """It leaves nothing corked, neither these sends nor later ones."""

    def fail(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.TEXT, "before")
        raise EndOfAll

    async with (
        packet_peer(side, Recorder()) as (other, others_peer),
        packet_peer(side, Recorder(fail)) as (_, peer),
    ):
        loop = asyncio.get_running_loop()
        caught = loop.create_future()
        loop.set_exception_handler(lambda _, context: caught.set_result(context["exception"]))
        await peer.send(F(TEXT))
        assert await peer.frames() == [(TEXT, b"before"), (CLOSE, close(1011).payload)]
        async with asyncio.timeout(BOUND):
            assert isinstance(await caught, EndOfAll)
        other.send(WSMsgType.TEXT, "later")
        assert await others_peer.frames() == [(TEXT, b"later")]


# How much is held back


async def test_more_than_enough_leaves_earlier(side: str) -> None:
    """Tens of KiB need not wait for the end of a long callback."""
    seen_early = []
    piece = bytes(4000)

    def reply(transport: WSTransport, frame: WSFrame) -> None:
        for n in range(40):
            transport.send(WSMsgType.BINARY, piece)
            if n * len(piece) > ENOUGH and not seen_early:
                seen_early.append(peer.sock.recv(1 << 20))

    async with packet_peer(side, Recorder(reply)) as (_, peer):
        await peer.send(F(TEXT))
        second, third = await peer.frames(), await peer.frames()
        first = frames_in(seen_early[0])
        for early in (first, second):
            assert ENOUGH - len(piece) < len(early) * len(piece) < ENOUGH + len(piece)
        assert len(first) + len(second) + len(third) == 40


async def test_held_back_bytes_are_in_the_write_buffer(side: str) -> None:
    sizes = []

    def reply(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.BINARY, bytes(1000))
        sizes.append(transport.underlying_transport.get_write_buffer_size())
        transport.send(WSMsgType.BINARY, bytes(1000))
        sizes.append(transport.underlying_transport.get_write_buffer_size())

    async with packet_peer(side, Recorder(reply)) as (transport, peer):
        await peer.send(F(TEXT))
        await peer.read()
        header = 8 if side == "client" else 4
        assert sizes == [1000 + header, 2000 + 2 * header]
        assert transport.underlying_transport.get_write_buffer_size() == 0


@pytest.mark.parametrize("size", [LARGE - 1, LARGE, LARGE + 1, 50_000])
async def test_large_frame_keeps_the_order(side: str, size: int) -> None:
    def reply(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.TEXT, "before")
        transport.send(WSMsgType.BINARY, payload)
        transport.send(WSMsgType.TEXT, "after")

    payload = bytes(range(256)) * (size // 256) + bytes(size % 256)
    async with packet_peer(side, Recorder(reply)) as (_, peer):
        await peer.send(F(TEXT))
        frames = await peer.frames()
        if len(frames) < 3:
            frames += await peer.frames()
        assert frames == [(TEXT, b"before"), (BINARY, payload), (TEXT, b"after")]


async def test_sent_memory_may_be_changed_at_once(side: str) -> None:
    """The held bytes are a copy."""
    memory = bytearray(b"first")

    def reply(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.BINARY, memory)
        memory[:] = b"other"
        transport.send(WSMsgType.BINARY, memory)

    async with packet_peer(side, Recorder(reply)) as (_, peer):
        await peer.send(F(TEXT))
        assert await peer.frames() == [(BINARY, b"first"), (BINARY, b"other")]


# Several connections


@pytest.mark.parametrize("count", [2, 8, 9, 20])
async def test_sends_to_other_connections(side: str, count: int) -> None:
    """They are held with the callback's own; with many, some leave at once. None is lost."""
    others: list[WSTransport] = []

    def spread(transport: WSTransport, frame: WSFrame) -> None:
        for text in ("a", "b"):
            for other in others:
                other.send(WSMsgType.TEXT, text)
            transport.send(WSMsgType.TEXT, text)

    async with contextlib.AsyncExitStack() as stack:
        peers = []
        for _ in range(count):
            other, peer = await stack.enter_async_context(packet_peer(side, Recorder()))
            others.append(other)
            peers.append(peer)
        _, first = await stack.enter_async_context(packet_peer(side, Recorder(spread)))
        for _ in range(2):
            await first.send(F(TEXT))
            for position, peer in enumerate([*peers, first]):
                frames = await peer.frames()
                if position < 8:
                    assert len(frames) == 2
                while len(frames) < 2:
                    frames += await peer.frames()
                assert frames == [(TEXT, b"a"), (TEXT, b"b")]
                assert peer.nothing_more()


async def test_peer_that_is_gone_takes_no_other_with_it(side: str) -> None:
    """The failure of a flush is reported only to its own connection."""
    listener = Recorder()

    def spread(transport: WSTransport, frame: WSFrame) -> None:
        gone.send(WSMsgType.TEXT, "to nobody")
        transport.send(WSMsgType.TEXT, "reply")
        alive.send(WSMsgType.TEXT, "hello")

    async with (
        packet_peer(side, listener) as (gone, dead),
        packet_peer(side, Recorder()) as (alive, peer),
        packet_peer(side, Recorder(spread)) as (_, first),
    ):
        dead.sock.close()
        await first.send(F(TEXT))
        assert await first.frames() == [(TEXT, b"reply")]
        assert await peer.frames() == [(TEXT, b"hello")]
        await listener.until("disconnected")


# Over TLS, where each write becomes a record


class Echo(WSListener):
    """Replies twice to each frame."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        for _ in range(2):
            transport.send(frame.msg_type, frame.get_payload_as_bytes())


async def test_one_record_over_tls(tls: Tls) -> None:
    """OpenSSL returns data record by record to a peer that reads by itself."""

    def talk(port: int) -> tuple[bytes, bytes]:
        with (
            socket.create_connection(("127.0.0.1", port), BOUND) as plain,
            tls.client.wrap_socket(plain, server_hostname="127.0.0.1") as peer,
        ):
            peer.sendall(wire.request())
            head = peer.recv(65536)
            peer.sendall(b"".join(F(TEXT, b"%d" % n).wire(True) for n in range(10)))
            replies = peer.recv(65536)
            peer.sendall(close(1000).wire(True))
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                peer.unwrap()
        return head, replies

    async with serving(Setting("server", tls), lambda _: Echo()) as port:
        head, replies = await asyncio.to_thread(talk, port)
    assert wire.status_of(head) == 101
    assert frames_in(replies) == [(TEXT, b"%d" % (n // 2)) for n in range(20)]
