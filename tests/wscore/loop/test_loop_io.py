"""The state that connections of one loop share: isolated memory, and corking."""

import asyncio
import contextlib
import gc
import random
import socket
import threading
import time
import warnings
import weakref
from collections.abc import AsyncIterator

import pytest
import uvloop

from tests.wscore.packets import PacketPeer, frames_in, packet_peer
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.wire import BINARY, CONTINUATION, TEXT, F, request
from wscore import WSFrame, WSMsgType, WSTransport, ws_create_server

STREAM = socket.SOCK_STREAM
MIB = 1 << 20


@contextlib.asynccontextmanager
async def connections(
    count: int, side: str, kind: int = socket.SOCK_SEQPACKET
) -> AsyncIterator[tuple[list[Recorder], list[PacketPeer]]]:
    async with contextlib.AsyncExitStack() as stack:
        listeners = [Recorder() for _ in range(count)]
        peers = [
            (await stack.enter_async_context(packet_peer(side, listener, kind=kind)))[1]
            for listener in listeners
        ]
        yield listeners, peers


async def test_frames_byte_by_byte_on_several_connections(side: str) -> None:
    """Each connection gets one byte in turn, and never one of another connection."""
    async with connections(4, side) as (listeners, peers):
        wires = [
            b"".join(
                F(TEXT, bytes([65 + own]) * (20 + own), fin=fin).wire(peer.masks)
                if opcode == TEXT
                else F(CONTINUATION, bytes([97 + own]) * 130).wire(peer.masks)
                for opcode, fin in ((TEXT, False), (CONTINUATION, True), (TEXT, True))
            )
            for own, peer in enumerate(peers)
        ]
        for position in range(max(map(len, wires))):
            for wire, peer in zip(wires, peers, strict=True):
                if position < len(wire):
                    peer.sock.send(wire[position : position + 1])
            await asyncio.sleep(0)
        for own, listener in enumerate(listeners):
            await listener.until("frame", 3)
            upper, lower = bytes([65 + own]), bytes([97 + own])
            assert listener.seen == [
                (TEXT, upper * (20 + own)),
                (CONTINUATION, lower * 130),
                (TEXT, upper * (20 + own)),
            ]


@pytest.mark.parametrize("seed", range(4))
async def test_pieces_of_any_size_on_several_connections(seed: int, side: str) -> None:
    source = random.Random(seed)
    sizes = (0, 5, 125, 126, 5_000, 16_384, 65_536, 200_000)
    async with connections(5, side) as (listeners, peers):
        payloads = [[source.randbytes(source.choice(sizes)) for _ in range(8)] for _ in peers]
        rest = {
            peer: b"".join(F(BINARY, payload).wire(peer.masks) for payload in own)
            for peer, own in zip(peers, payloads, strict=True)
        }
        while rest:
            peer = source.choice(list(rest))
            size = source.choice((1, 3, 1_000, 16_385, 60_000))
            await peer.send(rest[peer][:size])
            rest[peer] = rest[peer][size:]
            if not rest[peer]:
                del rest[peer]
        for listener, own in zip(listeners, payloads, strict=True):
            await listener.until("frame", len(own))
            assert [payload for _, payload in listener.seen] == own


@pytest.mark.parametrize("size", [300_000, 3 * MIB])
async def test_large_message_then_small_ones(side: str, size: int) -> None:
    """No byte of the large one appears in later messages, on this connection or another."""
    async with connections(2, side, STREAM) as (listeners, (first, second)):
        large = b"\xaa" * size
        for turn in range(3):
            await first.send(F(BINARY, large))
            for number in range(5):
                await first.send(F(TEXT, b"first %d" % number))
                await second.send(F(TEXT, b"second %d" % number))
            for listener, count in zip(listeners, (6, 5), strict=True):
                await listener.until("frame", count * (turn + 1))
        assert listeners[0].seen == [
            (BINARY, large), *((TEXT, b"first %d" % number) for number in range(5)),
        ] * 3  # fmt: skip
        assert listeners[1].seen == [(TEXT, b"second %d" % n) for n in range(5)] * 3


async def test_connection_that_ends_within_a_frame(side: str) -> None:
    """Its received bytes are dropped."""
    async with connections(2, side) as (listeners, (first, second)):
        begun = F(BINARY, b"\xaa" * 50_000).wire(first.masks)
        await first.send(begun[:30_000])
        await second.send(F(TEXT, b"a"))
        await listeners[1].until("frame")
        first.sock.close()
        await listeners[0].until("disconnected")
        await second.send(F(BINARY, b"\xbb" * 50_000))
        await listeners[1].until("frame", 2)
        assert listeners[1].seen == [(TEXT, b"a"), (BINARY, b"\xbb" * 50_000)]
        assert listeners[0].frames == []


@pytest.mark.parametrize("count", [1, 8, 9, 30])
async def test_many_begun_frames(side: str, count: int) -> None:
    """Several times more of them than spare blocks."""
    async with connections(count, side) as (listeners, peers):
        for turn in range(3):
            wires = [
                F(BINARY, bytes([own + turn]) * 60_000).wire(peer.masks)
                for own, peer in enumerate(peers)
            ]
            for begin, end in ((0, 3), (3, 20_000), (20_000, 70_000)):
                for wire, peer in zip(wires, peers, strict=True):
                    await peer.send(wire[begin:end])
            for own, listener in enumerate(listeners):
                await listener.until("frame", turn + 1)
                assert listener.seen[-1] == (BINARY, bytes([own + turn]) * 60_000)


async def test_read_within_a_callback(side: str) -> None:
    """A connection opened while another's frames are delivered gets its own memory."""
    delivered = []

    def nested(transport: WSTransport, frame: WSFrame) -> None:
        view = frame.get_payload_as_memoryview()
        task_listener.transport.underlying_transport.pause_reading()  # type: ignore[union-attr]
        task_listener.transport.underlying_transport.resume_reading()  # type: ignore[union-attr]
        delivered.append((bytes(view), frame.get_payload_as_bytes()))

    task_listener = Recorder()
    async with (
        packet_peer(side, task_listener) as (_, other),
        packet_peer(side, Recorder(nested)) as (_, peer),
    ):
        other.sock.send(F(BINARY, b"\xbb" * 5_000).wire(other.masks))
        peer.sock.send(F(BINARY, b"\xaa" * 5_000).wire(peer.masks))
        await task_listener.until("frame")
        while not delivered:
            await asyncio.sleep(0)
    assert delivered == [(b"\xaa" * 5_000,) * 2]
    assert task_listener.seen == [(BINARY, b"\xbb" * 5_000)]


async def test_views_outlive_the_read(side: str) -> None:
    """Memory with live memoryviews is not received into again."""
    kept: list[memoryview] = []
    async with (
        packet_peer(side, Recorder(lambda _, f: kept.append(f.get_payload_as_memoryview()))) as (
            _,
            first,
        ),
        connections(1, side) as (listeners, (second,)),
    ):
        for number in range(12):
            await first.send(F(BINARY, bytes([number]) * 9_000))
            await second.send(F(BINARY, b"\xff" * 9_000))
            await listeners[0].until("frame", number + 1)
        while len(kept) < 12:
            await asyncio.sleep(0)
        assert [bytes(view) for view in kept] == [bytes([n]) * 9_000 for n in range(12)]


# Send buffers


async def test_send_buffers_are_reused_empty(side: str) -> None:
    """More connections with pending bytes than spare buffers, including large ones."""
    async with contextlib.AsyncExitStack() as stack:
        pairs = [
            await stack.enter_async_context(packet_peer(side, Recorder(), kind=STREAM))
            for _ in range(12)
        ]
        for turn in range(2):
            payloads = [bytes([own + turn]) * (MIB + own) for own in range(len(pairs))]
            for (transport, _), payload in zip(pairs, payloads, strict=True):
                transport.send(WSMsgType.BINARY, payload)
                transport.send(WSMsgType.TEXT, "end")
            for (transport, peer), payload in zip(pairs, payloads, strict=True):
                data = bytearray()
                mask = 4 if side == "client" else 0
                while len(data) < len(payload) + 10 + 5 + 2 * mask:
                    data += await peer.read()
                assert frames_in(bytes(data)) == [(BINARY, payload), (TEXT, b"end")]
                assert transport.underlying_transport.get_write_buffer_size() == 0


async def test_buffer_that_grows_while_it_is_sent(side: str) -> None:
    """Frames are appended to pending bytes, whose sent part is discarded now and then."""
    source = random.Random(1)
    async with packet_peer(side, Recorder(), kind=STREAM) as (transport, peer):
        sent, data = [], bytearray()
        for _ in range(400):
            payload = source.randbytes(source.choice((10, 3_000, 15_000, 40_000)))
            transport.send(WSMsgType.BINARY, payload)
            sent.append((BINARY, payload))
            if source.random() < 0.6 and not peer.nothing_more():
                data += peer.sock.recv(source.choice((1_000, 50_000)))
                await asyncio.sleep(0)
        while transport.underlying_transport.get_write_buffer_size() or not peer.nothing_more():
            data += await peer.read()
        assert frames_in(bytes(data)) == sent


# Loops


def test_loops_in_threads_share_nothing() -> None:
    """Two loops at the same time, each with connections in the middle of frames."""
    failures: list[BaseException] = []

    async def exchange(own: int) -> None:
        async with connections(3, "server") as (listeners, peers), asyncio.timeout(BOUND):
            for number in range(30):
                payload = bytes([own * 100 + number]) * 20_000
                wires = [F(BINARY, payload).wire(True) for _ in peers]
                for begin, end in ((0, 7), (7, 10_000), (10_000, 30_000)):
                    for peer, wire in zip(peers, wires, strict=True):
                        await peer.send(wire[begin:end])
                for listener in listeners:
                    await listener.until("frame", number + 1)
                    assert listener.seen[-1] == (BINARY, payload)

    def run(own: int) -> None:
        try:
            asyncio.run(exchange(own))
        except BaseException as exc:
            failures.append(exc)

    threads = [threading.Thread(target=run, args=(own,)) for own in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(4 * BOUND)
    assert failures == []


def test_loops_one_after_the_other() -> None:
    """A cork that was open when a loop ended does not affect the next one."""

    async def leave_corked() -> None:
        async with packet_peer("server", Recorder()) as (transport, _):
            transport.cork().__enter__()

    async def use() -> None:
        async with packet_peer("server", Recorder()) as (transport, peer):
            transport.send(WSMsgType.TEXT, "a")
            assert frames_in(peer.sock.recv(100)) == [(TEXT, b"a")]

    for _ in range(3):
        asyncio.run(leave_corked())
        asyncio.run(use())


# Loops that end


def test_loop_that_ends_before_all_was_parsed() -> None:
    """It is freed, with its connections, though they were scheduled for its next iteration."""

    class Slow(Recorder):
        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            super().on_ws_frame(transport, frame)
            time.sleep(0.001)

    async def receive_some() -> weakref.ref[Slow]:
        listener = Slow()
        server = await ws_create_server(lambda _: listener, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(request())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(F(TEXT, b"x").wire(masked=True) * 2000)
        await listener.until("frame", 64)
        assert listener.transport is not None
        assert listener.transport.underlying_transport.get_protocol().has_unparsed
        writer.transport.abort()
        return weakref.ref(listener)

    for new_loop in (asyncio.new_event_loop, uvloop.new_event_loop):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            with asyncio.Runner(loop_factory=new_loop) as runner:
                left = runner.run(receive_some())
            gc.collect()
        assert left() is None
