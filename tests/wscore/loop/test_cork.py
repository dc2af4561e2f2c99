"""Explicit corking: a block's sends leave together, at its end or that of the iteration."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.wscore.packets import PacketPeer, frames_in, packet_peer
from tests.wscore.recorder import Recorder
from tests.wscore.wire import BINARY, CLOSE, PING, TEXT, F, close
from wscore import WSCloseCode, WSFrame, WSMsgType, WSTransport


def text(transport: WSTransport, *messages: str) -> None:
    for message in messages:
        transport.send(WSMsgType.TEXT, message)


def here(peer: PacketPeer) -> list[tuple[int, bytes]]:
    """Return the data that has arrived in one piece by now, without an iteration of the loop."""
    return frames_in(peer.sock.recv(1 << 20))


async def test_block_sends_once(side: str) -> None:
    async with packet_peer(side, Recorder()) as (transport, peer):
        with transport.cork():
            text(transport, "a", "b")
            transport.send_ping(b"c")
            assert peer.nothing_more()
        assert here(peer) == [(TEXT, b"a"), (TEXT, b"b"), (PING, b"c")]
        text(transport, "d")
        assert here(peer) == [(TEXT, b"d")]


async def test_block_that_sends_nothing(side: str) -> None:
    async with packet_peer(side, Recorder()) as (transport, peer):
        with transport.cork():
            pass
        assert peer.nothing_more()
        text(transport, "a")
        assert here(peer) == [(TEXT, b"a")]


async def test_holds_for_all_connections(side: str) -> None:
    async with (
        packet_peer(side, Recorder()) as (first, one),
        packet_peer(side, Recorder()) as (second, two),
    ):
        with first.cork():
            text(second, "a", "b")
            text(first, "c", "d")
            assert one.nothing_more()
            assert two.nothing_more()
        assert here(two) == [(TEXT, b"a"), (TEXT, b"b")]
        assert here(one) == [(TEXT, b"c"), (TEXT, b"d")]


async def test_more_connections_than_may_hold_back(side: str) -> None:
    """Some of them send immediately; nothing is lost, and the order is kept."""
    async with contextlib.AsyncExitStack() as stack:
        pairs = [await stack.enter_async_context(packet_peer(side, Recorder())) for _ in range(12)]
        with pairs[0][0].cork():
            for message in ("a", "b"):
                for transport, _ in pairs:
                    text(transport, message)
        for position, (_, peer) in enumerate(pairs):
            frames = here(peer)
            if position >= 8:
                frames += here(peer)
            assert frames == [(TEXT, b"a"), (TEXT, b"b")]
            assert peer.nothing_more()


async def test_nested_blocks_leave_with_the_outer_one(side: str) -> None:
    async with packet_peer(side, Recorder()) as (transport, peer):
        with transport.cork():
            text(transport, "a")
            with transport.cork():
                text(transport, "b")
            assert peer.nothing_more()
            text(transport, "c")
        assert here(peer) == [(TEXT, b"a"), (TEXT, b"b"), (TEXT, b"c")]


async def test_within_a_callback_it_leaves_with_the_callback(side: str) -> None:
    def reply(transport: WSTransport, frame: WSFrame) -> None:
        with transport.cork():
            text(transport, "a", "b")
        text(transport, "c")

    async with packet_peer(side, Recorder(reply)) as (_, peer):
        await peer.send(F(TEXT))
        assert await peer.frames() == [(TEXT, b"a"), (TEXT, b"b"), (TEXT, b"c")]


async def test_block_that_outlives_its_callback(side: str) -> None:
    """The read's sends stay after the block's, and both leave at the end of the iteration."""
    with contextlib.ExitStack() as blocks:

        def reply(transport: WSTransport, frame: WSFrame) -> None:
            text(transport, "a")
            blocks.enter_context(transport.cork())
            text(transport, "b")

        async with packet_peer(side, Recorder(reply)) as (transport, peer):
            await peer.send(F(TEXT))
            assert await peer.frames() == [(TEXT, b"a"), (TEXT, b"b")]
            text(transport, "c")
            assert here(peer) == [(TEXT, b"c")]


async def test_block_that_raises(side: str) -> None:
    async with packet_peer(side, Recorder()) as (transport, peer):
        with contextlib.suppress(ValueError), transport.cork():
            text(transport, "a", "b")
            raise ValueError("on purpose")
        assert here(peer) == [(TEXT, b"a"), (TEXT, b"b")]
        text(transport, "c")
        assert here(peer) == [(TEXT, b"c")]


async def test_block_that_suspends(side: str) -> None:
    """The held bytes leave with the iteration of the loop; the rest of the block is not corked."""
    async with packet_peer(side, Recorder()) as (transport, peer):
        with transport.cork():
            text(transport, "a", "b")
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert here(peer) == [(TEXT, b"a"), (TEXT, b"b")]
            text(transport, "c")
            assert here(peer) == [(TEXT, b"c")]
            text(transport, "d")
            assert here(peer) == [(TEXT, b"d")]
        assert peer.nothing_more()


async def test_block_that_waits_for_the_answer(side: str) -> None:
    """A cork that did not end with the iteration would be a deadlock."""
    listener = Recorder()
    async with packet_peer(side, listener) as (transport, peer):
        with transport.cork():
            text(transport, "question")
            assert await peer.frames() == [(TEXT, b"question")]
            await peer.send(F(TEXT, b"answer"))
            await listener.until("frame")
        assert listener.seen == [(TEXT, b"answer")]


async def test_block_that_is_cancelled_while_it_suspends(side: str) -> None:
    async with packet_peer(side, Recorder()) as (transport, peer):

        async def send_and_wait() -> None:
            with transport.cork():
                text(transport, "a", "b")
                await asyncio.get_running_loop().create_future()

        task = asyncio.create_task(send_and_wait())
        assert await peer.frames() == [(TEXT, b"a"), (TEXT, b"b")]
        task.cancel()
        await asyncio.wait([task])
        text(transport, "c")
        assert here(peer) == [(TEXT, b"c")]


async def test_blocks_of_two_tasks_that_end_crosswise(side: str) -> None:
    async with packet_peer(side, Recorder()) as (transport, peer):
        go = [asyncio.Event(), asyncio.Event()]

        async def block(number: int) -> None:
            with transport.cork():
                text(transport, f"{number}a")
                await go[number].wait()
                text(transport, f"{number}b")

        tasks = [asyncio.create_task(block(number)) for number in range(2)]
        frames = await peer.frames()
        while len(frames) < 2:
            frames += await peer.frames()
        assert frames == [(TEXT, b"0a"), (TEXT, b"1a")]
        for number in (0, 1):
            go[number].set()
            assert await peer.frames() == [(TEXT, b"%db" % number)]
        await asyncio.gather(*tasks)
        text(transport, "c")
        assert here(peer) == [(TEXT, b"c")]


async def test_block_in_a_resumed_generator(side: str) -> None:
    """A block that ends in a later iteration than it begins, and is ended from outside."""
    async with packet_peer(side, Recorder()) as (transport, peer):

        async def produce() -> AsyncIterator[None]:
            with transport.cork():
                text(transport, "a")
                yield
                text(transport, "b")

        producer = produce()
        await anext(producer)
        assert await peer.frames() == [(TEXT, b"a")]
        with pytest.raises(StopAsyncIteration):
            await anext(producer)
        assert await peer.frames() == [(TEXT, b"b")]


@pytest.mark.parametrize("graceful", [True, False])
async def test_connection_that_ends_within_the_block(side: str, graceful: bool) -> None:
    async with packet_peer(side, Recorder()) as (transport, peer):
        with transport.cork():
            text(transport, "a")
            transport.send_close(WSCloseCode.OK)
            transport.disconnect(graceful)
            text(transport, "unheard")
        assert here(peer) == [(TEXT, b"a"), (CLOSE, close(1000).payload)]
        assert await peer.read() == b""


async def test_large_messages_within_the_block(side: str) -> None:
    payload = bytes(range(256)) * 100
    async with packet_peer(side, Recorder()) as (transport, peer):
        with transport.cork():
            text(transport, "a")
            transport.send(WSMsgType.BINARY, payload)
            text(transport, "b")
        frames = here(peer)
        if len(frames) < 3:
            frames += here(peer)
        assert frames == [(TEXT, b"a"), (BINARY, payload), (TEXT, b"b")]


async def test_block_is_entered_once(side: str) -> None:
    async with packet_peer(side, Recorder()) as (transport, peer):
        cork = transport.cork()
        with cork as entered:
            assert entered is cork
            text(transport, "a")
            with pytest.raises(RuntimeError, match="entered only once"), cork:
                pass
        assert here(peer) == [(TEXT, b"a")]
        with cork:  # it has ended; the same object may be used again
            text(transport, "b", "c")
        assert here(peer) == [(TEXT, b"b"), (TEXT, b"c")]


async def test_many_blocks_in_one_turn(side: str) -> None:
    async with packet_peer(side, Recorder()) as (transport, peer):
        for number in range(50):
            with transport.cork():
                text(transport, f"{number}a", f"{number}b")
            assert here(peer) == [(TEXT, b"%da" % number), (TEXT, b"%db" % number)]
