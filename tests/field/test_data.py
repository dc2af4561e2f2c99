"""Nothing that was sent is lost, doubled or changed, whatever else happens meanwhile."""

import asyncio
import contextlib
import logging
import random
import time
import zlib
from typing import Any

import pytest

from tests.field.ends import CompatEnd, CoreEnd, End, Message, Setting
from tests.field.peer import BOUND, Peer
from tests.support.leaks import LoopErrors
from tests.wscore import wire
from tests.wscore.raw_peer import ReceivedFrame

KIB = 1 << 10
SENT = [b"%04d" % number + bytes(30_000) for number in range(10)]


async def read_while_sending(peer: Peer) -> list[ReceivedFrame]:
    """Read up to the end of the connection, and never stop sending; the end must be orderly."""
    chunk = peer.encode(wire.F(wire.BINARY, bytes(1000))) * 64
    frames: list[ReceivedFrame] = []
    with contextlib.suppress(EOFError):
        while True:
            # It may have closed its own direction of TCP by now.
            with contextlib.suppress(ConnectionError):
                peer.push(chunk)
            frames.append(await peer.read_frame())
            if frames[-1].opcode == wire.CLOSE:
                await peer.answer_close(frames[-1])
                frames += await peer.read_frames()
                break
    return frames


@pytest.mark.field("the end while the peer sends")
async def test_what_was_sent_before_the_end_arrives(setting: Setting) -> None:
    async with setting.pair() as (end, peer):
        # Nobody receives, so that there is unread input in the socket at the end.
        peer.fill(peer.encode(wire.F(wire.BINARY, bytes(1000))) * 64)
        for message in SENT:
            if isinstance(end, CoreEnd):
                end.core.send_message(2, message)
            else:
                await asyncio.wait([asyncio.ensure_future(end.send(message))], timeout=0)
        closing = asyncio.create_task(end.close())
        async with asyncio.timeout(BOUND):
            frames = await read_while_sending(peer)
            peer.sock.close()
            await closing
    assert [frame.payload for frame in frames if frame.opcode == wire.BINARY] == SENT
    assert frames[-1].close_code == 1000


@pytest.mark.field("the end while the peer sends")
async def test_what_a_handler_sent_before_its_end_arrives(setting: Setting) -> None:
    """The handler of a server returns; a client that is used by ``async with`` does likewise."""
    async with setting.pair() as (end, peer):
        if isinstance(end, CoreEnd):  # it has no handlers: this is what its callbacks do
            end.core.send_message(1, "the last words")
            end.core.send_close(1000)
            end.core.disconnect()
            closing = asyncio.create_task(end.wait_closed())
        elif setting.side == "server":
            await end.send("the last words")
            peer.fill(peer.encode(wire.F(wire.BINARY, bytes(1000))) * 64)
            end.over.set()
            closing = asyncio.create_task(end.wait_closed())
        else:
            await end.send("the last words")
            peer.fill(peer.encode(wire.F(wire.BINARY, bytes(1000))) * 64)
            assert isinstance(end, CompatEnd)
            closing = asyncio.create_task(end.connection.__aexit__(None, None, None))
        async with asyncio.timeout(BOUND):
            frames = await read_while_sending(peer)
            peer.sock.close()
            await closing
    assert [frame.payload for frame in frames if frame.opcode == wire.TEXT] == [b"the last words"]
    assert frames[-1].close_code == 1000


def numbered(count: int, start: int = 0) -> tuple[list[str], list[wire.F]]:
    """Messages with a number and a checksum each, and their frames: every third has three."""
    messages, frames = [], []
    for number in range(start, start + count):
        text = f"{number}:" + "x" * (number % 50)
        text += f":{zlib.crc32(text.encode()):08x}"
        messages.append(text)
        data = text.encode()
        if number % 3:
            frames.append(wire.F(wire.TEXT, data))
        else:
            frames.append(wire.F(wire.TEXT, data[:1], fin=False))
            frames.append(wire.F(wire.CONTINUATION, data[1:5], fin=False))
            frames.append(wire.F(wire.CONTINUATION, data[5:]))
    return messages, frames


@pytest.mark.field("close while receiving")
async def test_who_receives_gets_all_up_to_the_close_of_the_peer(setting: Setting) -> None:
    async with setting.pair() as (end, peer):
        got: list[Message] = []
        consuming = asyncio.create_task(end.consume(got.append))
        before, frames = numbered(100)
        await peer.send(*frames)
        # Not all of it is received when the other task closes.
        closing = asyncio.create_task(start_closing(end))
        after: list[str] = []
        # The peer answers when it has sent what it has.
        for start in range(100, 400, 50):
            messages, frames = numbered(50, start)
            after += messages
            await peer.send(*frames)
            await asyncio.sleep(0)
        await peer.send(wire.close(1000))
        async with asyncio.timeout(BOUND):
            frames_got = await peer.read_frames()
            peer.sock.close()
            await consuming
            await closing
        assert frames_got[-1].close_code == 1000
    assert got == before + after


async def start_closing(end: End) -> None:
    """Close: in wscore by a CLOSE only, which says nothing of what one wants to receive."""
    if isinstance(end, CoreEnd):
        end.core.send_close(1000)
    else:
        await end.close()


@pytest.mark.field("cancelled recv")
async def test_a_cancelled_recv_loses_nothing(setting: Setting) -> None:
    chance = random.Random(4)
    async with setting.pair() as (end, peer):
        expected, frames = numbered(300)
        data = peer.encode(*frames)
        got: list[Message] = []

        async def send() -> None:
            rest = data
            while rest:
                size = chance.randrange(1, 200)
                await peer.send(rest[:size])
                rest = rest[size:]
                for _ in range(chance.randrange(3)):
                    await asyncio.sleep(0)

        sending = asyncio.create_task(send())
        async with asyncio.timeout(BOUND):
            while len(got) < len(expected):
                if chance.randrange(2):
                    receiving = asyncio.ensure_future(end.receive())
                    for _ in range(chance.randrange(4)):
                        await asyncio.sleep(0)
                    receiving.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        got.append(await receiving)
                else:
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(chance.random() / 1000):
                            got.append(await end.receive())
            await sending
    assert got == expected


class OddError(Exception):
    """What user code raises."""


@pytest.mark.field("exceptions of the program")
async def test_an_exception_ends_its_own_connection_only(
    setting: Setting, no_leaks: LoopErrors, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(message: Message) -> None:
        raise OddError(message)

    async with setting.opened(2) as ((end, peer), (other, other_peer)):
        consuming = asyncio.create_task(run(setting, end, fail))
        await asyncio.sleep(0)
        await peer.send(wire.F(wire.TEXT, b"hello"))
        async with asyncio.timeout(BOUND):
            frames = await peer.read_frames()
            peer.sock.close()
            with contextlib.suppress(OddError):
                await consuming
        assert frames[-1].close_code == 1011
        await other_peer.send(wire.F(wire.TEXT, b"still there"))
        async with asyncio.timeout(BOUND):
            assert await other.receive() == "still there"


async def run(setting: Setting, end: End, on_message: Any) -> None:
    """Consume as a program does: what it raises leaves the handler, or the client's block."""
    try:
        await end.consume(on_message)
    except OddError as exc:
        if isinstance(end, CompatEnd):
            await end.connection.__aexit__(type(exc), exc, exc.__traceback__)
        elif isinstance(end, CoreEnd):
            end.core.fail(1011, "handler failed")
        raise


PAUSE, PATIENCE = 0.05, 0.15  # seconds between pings, and for the answer


@pytest.mark.field("keepalive")
async def test_a_pong_that_lies_in_the_socket_counts(setting: Setting) -> None:
    async with setting.pair(keepalive=(PAUSE, PATIENCE)) as (end, peer):
        for _ in range(2):
            ping = await peer.read_frame()
            assert ping.opcode == wire.PING
            assert peer.push(wire.F(wire.PONG, ping.payload))
            time.sleep(PATIENCE + 0.01)  # the loop is blocked beyond the deadline
        await peer.send(wire.F(wire.TEXT, b"still here"))
        async with asyncio.timeout(BOUND):
            assert await end.receive() == "still here"


@pytest.mark.field("keepalive")
async def test_a_peer_that_does_not_answer_is_found(setting: Setting) -> None:
    async with setting.pair(keepalive=(PAUSE, PATIENCE)) as (end, peer):
        consuming = asyncio.create_task(end.consume(lambda message: None))
        async with asyncio.timeout(BOUND):
            frames = await peer.read_frames()
            peer.sock.close()
            await consuming
        assert frames[-1].close_code == 1011


WATCHES = ["logger", "debug mode", "subclass"]


@pytest.mark.parametrize("watch", WATCHES)
@pytest.mark.field("watching changes nothing")
async def test_who_watches_changes_nothing(setting: Setting, watch: str) -> None:
    loop = asyncio.get_running_loop()
    options: dict[str, Any] = {}
    if watch == "logger":
        options["logger"] = logger = logging.Logger("field", 1)
        logger.addHandler(logging.NullHandler())
    elif watch == "subclass":
        options["subclass"] = lambda cls: type("Derived", (cls,), {})
    plain = await conversation(setting)
    loop.set_debug(watch == "debug mode")
    try:
        watched = await conversation(setting, **options)
    finally:
        loop.set_debug(False)
    assert watched == plain


async def conversation(setting: Setting, **options: Any) -> tuple[list[Any], list[Message]]:
    """Say all there is to say; what both sides receive."""
    got: list[Message] = []
    async with setting.pair(deflate=True, **options) as (end, peer):
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        first = packer.compress(b"abc") + packer.flush(zlib.Z_FINISH)
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        second = packer.compress(b"def") + packer.flush(zlib.Z_SYNC_FLUSH)
        await peer.send(
            wire.F(wire.TEXT, b"plain"),
            wire.F(wire.PING, b"?"),
            wire.F(wire.TEXT, (first + second)[:-4], rsv=4),  # a final block within a message
            wire.F(wire.BINARY, b"in ", fin=False),
            wire.F(wire.PONG, b"unasked"),
            wire.F(wire.CONTINUATION, b"parts"),
        )
        async with asyncio.timeout(BOUND):
            got += [await end.receive() for _ in range(3)]
        await end.send("small")
        await end.send(b"large" * 100)
        await end.send("large" * 100)
        closing = asyncio.create_task(end.close())
        await asyncio.sleep(0)
        await peer.send(wire.close(1000))
        async with asyncio.timeout(BOUND):
            frames = await peer.read_frames()
            peer.sock.close()
            await closing
    assert got == ["plain", "abcdef", b"in parts"]
    return [(frame.opcode, frame.payload, frame.fin, frame.rsv) for frame in frames], got
