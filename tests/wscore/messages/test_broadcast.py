"""Broadcasting: the bytes that each peer gets, and the treatment of slow ones."""

import array
import contextlib
import os
import random
import socket
import zlib
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.tls import Tls
from tests.wscore.message_recorder import DEFLATE, TAIL, MessageRecorder, messages_to
from tests.wscore.packets import PacketPeer, frames_in, packet_peer
from tests.wscore.pairs import Pair, Setting, connected_pair
from tests.wscore.recorder import Recorder
from tests.wscore.wire import BINARY, CLOSE, TEXT, F, close
from wscore import WSCloseCode, WSDeflate, WSFrame, WSMsgType, WSSlowPeer, WSTransport, ws_broadcast

End = tuple[WSTransport, PacketPeer]


@contextlib.asynccontextmanager
async def connections(count: int, side: str, **options: int) -> AsyncIterator[list[End]]:
    async with contextlib.AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(packet_peer(side, Recorder(), **options))
            for _ in range(count)
        ]


def transports(ends: list[End]) -> list[WSTransport]:
    return [transport for transport, _ in ends]


def here(peer: PacketPeer) -> list[tuple[int, bytes]]:
    """Return the data that has arrived in one piece by now, without an iteration of the loop."""
    return frames_in(peer.sock.recv(1 << 20))


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        ("ä€😀", "ä€😀".encode()),
        ("", b""),
        (b"bytes", b"bytes"),
        (bytearray(b"bytearray"), b"bytearray"),
        (memoryview(b"view")[1:3], b"ie"),
        (array.array("H", [1, 2]), array.array("H", [1, 2]).tobytes()),
    ],
)
@pytest.mark.parametrize("msg_type", [WSMsgType.TEXT, WSMsgType.BINARY])
async def test_kinds_of_messages(
    side: str, msg_type: WSMsgType, message: str | bytes, payload: bytes
) -> None:
    async with connections(3, side) as ends:
        assert ws_broadcast(transports(ends), msg_type, message) == []
        for _, peer in ends:
            assert here(peer) == [(msg_type, payload)]
            assert peer.nothing_more()


@pytest.mark.parametrize("size", [125, 126, 16383, 16384, 65535, 65536, 100_000])
async def test_sizes(side: str, size: int) -> None:
    payload = (bytes(range(256)) * 400)[:size]
    async with connections(3, side) as ends:
        ws_broadcast(transports(ends), WSMsgType.BINARY, payload)
        for _, peer in ends:
            assert here(peer) == [(BINARY, payload)]


async def test_clients_mask_each_with_its_own_key() -> None:
    async with connections(8, "client") as ends:
        ws_broadcast(transports(ends), WSMsgType.BINARY, bytes(100))
        keys = {peer.sock.recv(1000)[2:6] for _, peer in ends}
        assert len(keys) == 8


async def test_clients_and_servers_together() -> None:
    async with connections(2, "client") as some, connections(2, "server") as others:
        ends = [some[0], others[0], some[1], others[1]]
        ws_broadcast(transports(ends), WSMsgType.TEXT, "all")
        for _, peer in ends:
            assert here(peer) == [(TEXT, b"all")]


@pytest.mark.parametrize("kind", [list, tuple, iter, frozenset, dict.fromkeys])
async def test_any_iterable(kind: type[list[WSTransport]]) -> None:
    async with connections(3, "server") as ends:
        ws_broadcast(kind(transports(ends)), WSMsgType.TEXT, "x")
        for _, peer in ends:
            assert here(peer) == [(TEXT, b"x")]


async def test_nobody() -> None:
    assert ws_broadcast([], WSMsgType.TEXT, "x") == []


async def test_iterable_that_raises() -> None:
    """The message is sent to none."""
    async with connections(2, "server") as ends:

        def some() -> Iterator[WSTransport]:
            yield ends[0][0]
            raise ValueError("on purpose")

        with pytest.raises(ValueError, match="on purpose"):
            ws_broadcast(some(), WSMsgType.TEXT, "x")
        assert ends[0][1].nothing_more()
        assert ends[1][1].nothing_more()


async def test_leaves_at_once_within_a_callback(side: str) -> None:
    """In order with the callback's sends before and after it."""
    early: list[list[tuple[int, bytes]]] = []

    async with connections(10, side) as ends:

        def spread(transport: WSTransport, frame: WSFrame) -> None:
            transport.send(WSMsgType.TEXT, "before")
            ws_broadcast([*transports(ends), transport], WSMsgType.TEXT, "x")
            early.extend(here(peer) for peer in (*(peer for _, peer in ends), first))
            transport.send(WSMsgType.TEXT, "after")
            ends[0][0].send(WSMsgType.TEXT, "after")

        async with packet_peer(side, Recorder(spread)) as (_, first):
            await first.send(F(TEXT))
            assert await first.frames() == [(TEXT, b"after")]
            assert await ends[0][1].frames() == [(TEXT, b"after")]
    assert early == [[(TEXT, b"x")]] * 10 + [[(TEXT, b"before"), (TEXT, b"x")]]


async def test_leaves_at_once_within_a_cork(side: str) -> None:
    async with connections(2, side) as ends:
        with ends[0][0].cork():
            ends[0][0].send(WSMsgType.TEXT, "a")
            ws_broadcast(transports(ends), WSMsgType.TEXT, "x")
            assert here(ends[0][1]) == [(TEXT, b"a"), (TEXT, b"x")]
            assert here(ends[1][1]) == [(TEXT, b"x")]


async def test_closed_ones_are_passed_over(side: str) -> None:
    async with connections(5, side) as ends:
        closing, disconnected, reset, gone, alive = ends
        closing[0].send_close(WSCloseCode.OK)
        disconnected[0].disconnect()
        reset[1].sock.close()
        gone[0].disconnect(graceful=False)
        await gone[0].wait_disconnected()
        assert ws_broadcast(transports(ends), WSMsgType.TEXT, "x") == []
        assert here(alive[1]) == [(TEXT, b"x")]
        assert here(closing[1]) == [(CLOSE, close(1000).payload)]
        assert closing[1].nothing_more()
        assert disconnected[1].nothing_more()
        assert gone[1].nothing_more()
        await reset[0].wait_disconnected()


async def test_peer_that_sent_close_still_gets_it(side: str) -> None:
    """Our own CLOSE is still to come (RFC 6455, 5.5.1)."""
    listener = Recorder()
    async with packet_peer(side, listener) as (transport, peer):
        await peer.send(close(1000))
        await listener.until("frame")
        ws_broadcast([transport], WSMsgType.TEXT, "x")
        assert here(peer) == [(TEXT, b"x")]


# Invalid arguments


@pytest.mark.parametrize(
    "msg_type", [WSMsgType.CONTINUATION, WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.PONG]
)
async def test_wrong_types(msg_type: WSMsgType) -> None:
    async with connections(1, "server") as ends:
        with pytest.raises(ValueError, match="TEXT or BINARY"):
            ws_broadcast(transports(ends), msg_type, b"x")
        assert ends[0][1].nothing_more()


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (None, TypeError),
        (7, TypeError),
        ([b"x"], TypeError),
        (memoryview(b"abcdef")[::2], BufferError),
        ("\ud800", UnicodeEncodeError),
    ],
)
async def test_wrong_messages(message: object, error: type[Exception]) -> None:
    async with connections(1, "server") as ends:
        with pytest.raises(error):
            ws_broadcast(transports(ends), WSMsgType.TEXT, message)  # type: ignore[arg-type]
        assert ends[0][1].nothing_more()


@pytest.mark.parametrize("when_slow", ["skip", None, 1])
async def test_wrong_policies(when_slow: object) -> None:
    """They are rejected at once, not when the first peer is slow."""
    with pytest.raises(TypeError, match="when_slow must be a WSSlowPeer"):
        ws_broadcast([], WSMsgType.TEXT, "x", when_slow=when_slow)  # type: ignore[arg-type]


@pytest.mark.parametrize("other", ["transport", None, WSTransport])
async def test_not_a_transport(other: object) -> None:
    async with connections(1, "server") as ends:
        wrong = [ends[0][0], other]
        with pytest.raises(TypeError):
            ws_broadcast(wrong, WSMsgType.TEXT, b"x")  # type: ignore[arg-type]
        assert ends[0][1].nothing_more()


# Slow peers


@contextlib.asynccontextmanager
async def one_slow_of_three(side: str) -> AsyncIterator[list[End]]:
    """Yield three connections; the second peer does not read, and its buffer is above the mark."""
    async with connections(3, side, kind=socket.SOCK_STREAM) as ends:
        slow = ends[1][0]
        while not slow.is_writing_paused:
            slow.send(WSMsgType.BINARY, bytes(60_000))
        yield ends


async def all_frames(peer: PacketPeer, until: tuple[int, bytes]) -> list[tuple[int, bytes]]:
    """Return the frames in the slow peer's stream, up to a certain one."""
    data = bytearray()
    last = until[1]
    masked = not peer.masks
    while True:
        data += await peer.read()
        if masked or data.endswith(last):
            with contextlib.suppress(AssertionError, IndexError):
                frames = frames_in(bytes(data))
                if frames[-1] == until:
                    return frames


async def test_slow_peer_waits(side: str) -> None:
    async with one_slow_of_three(side) as ends:
        assert ws_broadcast(transports(ends), WSMsgType.TEXT, "x") == []
        for _, peer in (ends[0], ends[2]):
            assert here(peer) == [(TEXT, b"x")]
        frames = await all_frames(ends[1][1], (TEXT, b"x"))
        assert set(frames[:-1]) == {(BINARY, bytes(60_000))}


async def test_slow_peer_is_skipped(side: str) -> None:
    async with one_slow_of_three(side) as ends:
        slow = ends[1][0]
        skipped = ws_broadcast(transports(ends), WSMsgType.TEXT, "x", when_slow=WSSlowPeer.SKIP)
        assert skipped == [slow]
        for _, peer in (ends[0], ends[2]):
            assert here(peer) == [(TEXT, b"x")]
        slow.send(WSMsgType.TEXT, "later")
        frames = await all_frames(ends[1][1], (TEXT, b"later"))
        assert (TEXT, b"x") not in frames
        assert slow.is_open


async def test_slow_peer_is_closed(side: str) -> None:
    async with one_slow_of_three(side) as ends:
        slow = ends[1][0]
        closed = ws_broadcast(transports(ends), WSMsgType.TEXT, "x", when_slow=WSSlowPeer.CLOSE)
        assert closed == [slow]
        assert not slow.is_open
        for transport, peer in (ends[0], ends[2]):
            assert transport.is_open
            assert here(peer) == [(TEXT, b"x")]
        assert slow.close_handshake is not None
        assert slow.close_handshake.sent is not None
        assert slow.close_handshake.sent.code == WSCloseCode.TRY_AGAIN_LATER
        frames = await all_frames(ends[1][1], (CLOSE, close(1013, "too slow").payload))
        assert (TEXT, b"x") not in frames
        ends[1][1].sock.close()
        await slow.wait_disconnected()


@pytest.mark.parametrize("when_slow", WSSlowPeer)
async def test_slow_peer_that_is_closing_is_passed_over(side: str, when_slow: WSSlowPeer) -> None:
    async with one_slow_of_three(side) as ends:
        slow = ends[1][0]
        slow.send_close(WSCloseCode.OK)
        assert ws_broadcast(transports(ends), WSMsgType.TEXT, "x", when_slow=when_slow) == []
        slow.disconnect(graceful=False)
        await slow.wait_disconnected()
        assert ws_broadcast(transports(ends), WSMsgType.TEXT, "x", when_slow=when_slow) == []


@pytest.mark.parametrize("when_slow", WSSlowPeer)
async def test_slow_peer_that_has_caught_up(side: str, when_slow: WSSlowPeer) -> None:
    async with one_slow_of_three(side) as ends:
        slow, peer = ends[1]
        slow.send(WSMsgType.TEXT, "last")
        await all_frames(peer, (TEXT, b"last"))
        assert not slow.is_writing_paused
        assert ws_broadcast(transports(ends), WSMsgType.TEXT, "x", when_slow=when_slow) == []
        assert await peer.frames() == [(TEXT, b"x")]


async def test_socket_takes_a_part(side: str) -> None:
    """The rest is kept, and counts as pending."""
    payload = bytes(range(251)) * 20_000
    async with connections(2, side, kind=socket.SOCK_STREAM) as ends:
        assert ws_broadcast(transports(ends), WSMsgType.BINARY, payload) == []
        for transport, peer in ends:
            assert transport.is_writing_paused
            transport.send(WSMsgType.TEXT, "behind it")
            assert await all_frames(peer, (TEXT, b"behind it")) == [
                (BINARY, payload),
                (TEXT, b"behind it"),
            ]


class Leaver(Recorder):
    """Takes its connection out of a set as soon as it is slow."""

    def __init__(self, group: set[WSTransport]):
        super().__init__()
        self.group = group

    def pause_writing(self) -> None:
        super().pause_writing()
        assert self.transport is not None
        self.group.remove(self.transport)


async def test_callbacks_may_change_the_set(side: str) -> None:
    """The message is sent to those that were in it at the beginning."""
    group: set[WSTransport] = set()
    payload = bytes(5_000_000)
    async with contextlib.AsyncExitStack() as stack:
        ends = [
            await stack.enter_async_context(
                packet_peer(side, Leaver(group), kind=socket.SOCK_STREAM)
            )
            for _ in range(3)
        ]
        group.update(transports(ends))
        ws_broadcast(group, WSMsgType.BINARY, payload)
        assert not group
        for transport, peer in ends:
            transport.send(WSMsgType.TEXT, "behind it")
            frames = await all_frames(peer, (TEXT, b"behind it"))
            assert frames == [(BINARY, payload), (TEXT, b"behind it")]


async def test_behind_what_is_held_back(side: str) -> None:
    async with connections(2, side) as ends:
        with ends[0][0].cork():
            ends[0][0].send(WSMsgType.TEXT, "first")
            ws_broadcast(transports(ends), WSMsgType.TEXT, "second")
            assert here(ends[0][1]) == [(TEXT, b"first"), (TEXT, b"second")]
            assert here(ends[1][1]) == [(TEXT, b"second")]


# Over a network, between two wscores


async def test_over_tcp_and_tls(both: Setting, tls: Tls) -> None:
    payload = bytes(range(256)) * 500
    async with contextlib.AsyncExitStack() as stack:
        pairs: list[Pair] = [
            await stack.enter_async_context(connected_pair(both)) for _ in range(5)
        ]
        for message in (b"small", payload):
            ws_broadcast([pair.server for pair in pairs], WSMsgType.BINARY, message)
            ws_broadcast([pair.client for pair in pairs], WSMsgType.BINARY, message)
        for pair in pairs:
            for recorder in (pair.at_client, pair.at_server):
                await recorder.until("frame", 2)
                assert recorder.seen == [(BINARY, b"small"), (BINARY, payload)]


@pytest.mark.parametrize("side", ["client", "server"])
async def test_compressed_for_those_who_agreed(side: str) -> None:
    """Each gets a message it can decompress, between its own that refer to earlier ones."""
    setting = Setting(side, None)
    noise, text = os.urandom(500), "what everybody gets " * 20
    terms = ["", "", f"; {side}_no_context_takeover", f"; {side}_max_window_bits=9", None]
    settings = WSDeflate()
    async with contextlib.AsyncExitStack() as stack:
        ends = []
        for term in terms:
            header = "" if term is None else DEFLATE.rstrip() + term + "\r\n"
            link = messages_to(setting, MessageRecorder(), header, deflate=settings)
            ends.append((term, zlib.decompressobj(-15), *await stack.enter_async_context(link)))
        for round_ in range(4):
            for _, _, transport, _ in ends:
                transport.send_message(WSMsgType.BINARY, noise + noise[round_:])
            assert ws_broadcast([end[2] for end in ends], WSMsgType.TEXT, text) == []
            ws_broadcast([end[2] for end in ends], WSMsgType.TEXT, "short")
            ws_broadcast([end[2] for end in ends], WSMsgType.TEXT, text, compress=False)
            for term, stream, _, peer in ends:
                frames = [await peer.read_frame() for _ in range(4)]
                bits = [0, 0] if term is None else [4, 4]
                assert [frame.rsv for frame in frames] == [*bits, 0, 0]
                payloads = [
                    stream.decompress(frame.payload + TAIL) if frame.rsv else frame.payload
                    for frame in frames
                ]
                assert payloads[0] == noise + noise[round_:]
                assert payloads[1:] == [text.encode(), b"short", text.encode()]


async def test_compressed_once_for_all() -> None:
    """The same bytes go to all connections of servers with the same parameters."""
    setting = Setting("server", None)
    async with contextlib.AsyncExitStack() as stack:
        ends = [
            await stack.enter_async_context(
                messages_to(setting, MessageRecorder(), DEFLATE, deflate=WSDeflate())
            )
            for _ in range(3)
        ]
        message = os.urandom(100) * 3
        ws_broadcast([transport for transport, _ in ends], WSMsgType.BINARY, message)
        first, *others = [await peer.read_frame() for _, peer in ends]
        assert zlib.decompressobj(-15).decompress(first.payload + TAIL) == message
        assert len(first.payload) < 200
        assert all(other == first for other in others)


@pytest.mark.parametrize("size", [128, 194, 256, 290, 400, 512, 513, 1000, 4000, 20_000])
async def test_small_messages_are_compressed_as_by_zlib(size: int) -> None:
    """At least as well as with the level of zlib that takes as long."""
    words = '{"id": %d, "symbol": "BTCUSD", "price": %d.25, "side": "buy", "time": 17%08d}, '
    rnd = random.Random(size)
    numbers = [tuple(rnd.randrange(10**n) for n in (6, 4, 8)) for _ in range(1 + size // 60)]
    text = "".join(words % each for each in numbers)[:size].encode()
    level = 6 if size <= 512 else 1
    stream = zlib.compressobj(level, zlib.DEFLATED, -15, 5)
    model = len(stream.compress(text) + stream.flush(zlib.Z_SYNC_FLUSH)) - len(TAIL)
    setting = Setting("server", None)
    async with messages_to(setting, MessageRecorder(), DEFLATE, deflate=WSDeflate()) as (
        transport,
        peer,
    ):
        for _ in range(3):
            ws_broadcast([transport], WSMsgType.TEXT, text)
            frame = await peer.read_frame()
            assert zlib.decompressobj(-15).decompress(frame.payload + TAIL) == text
            assert len(frame.payload) <= model * (1 if size <= 512 else 1.06)


@pytest.mark.parametrize("engine", ["isal", "zlib-ng", "zlib"])
async def test_every_engine_finds_repeats_in_small_messages(engine: str) -> None:
    """After a full flush isal finds none in the next 288 bytes."""
    message = os.urandom(60) * 3
    setting = Setting("server", None)
    settings = WSDeflate(engine=engine)
    async with messages_to(setting, MessageRecorder(), DEFLATE, deflate=settings) as (
        transport,
        peer,
    ):
        for _ in range(3):
            ws_broadcast([transport], WSMsgType.BINARY, message)
            assert len((await peer.read_frame()).payload) < 90
