"""Memory between the socket and the parser: it grows for large frames, and is freed again."""

import array
import asyncio
import contextlib
import fcntl
import gc
import random
import termios
import tracemalloc
from collections.abc import Iterator

import pytest

from tests.wscore.pairs import Setting, against_raw_peer
from tests.wscore.raw_peer import BOUND, RawPeer
from tests.wscore.recorder import Recorder
from tests.wscore.wire import BINARY, F
from wscore import WSTransport

MIB = 1 << 20


class Counter(Recorder):
    """Counts bytes instead of keeping them."""

    def on_ws_frame(self, transport, frame):  # type: ignore[no-untyped-def]
        self.sizes = [*getattr(self, "sizes", []), frame.payload_size]
        self._happened("frame")


@pytest.fixture
def traced() -> Iterator[None]:
    """Count the memory from Python's allocators, including the buffers."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def in_use() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.parametrize("size", [300_000, 3 * MIB, 9 * MIB])
async def test_large_frames_leave_no_memory(size: int, setting: Setting, traced: None) -> None:
    listener = Counter()
    wire = F(BINARY, bytes(size)).wire(setting.side == "server")
    async with against_raw_peer(setting, listener) as (_, peer):
        await peer.send(F(BINARY, bytes(200_000)))
        await listener.until("frame")
        before = in_use()
        for turn in range(3):
            await peer.send(wire)
            await listener.until("frame", 2 + turn)
            await peer.send(F(BINARY, b"small"))
            await listener.until("frame", 3 + 2 * turn - turn)
        await peer.send(F(BINARY, b"small"))
        await listener.until("frame", 8)
        # The loop keeps the memory for another one, but not for long.
        async with asyncio.timeout(BOUND):
            while in_use() - before >= 2.5 * MIB:
                await asyncio.sleep(0.05)
    assert listener.sizes.count(size) == 3


async def test_idle_connections_share_their_memory(traced: None) -> None:
    """A connection without an incomplete frame holds little memory."""
    async with (
        against_raw_peer(Setting("server", None), Counter()) as (_, first),
        against_raw_peer(Setting("server", None), Counter()) as (_, second),
    ):
        await first.send(F(BINARY, b"x"))
        await second.send(F(BINARY, b"x"))
        before = in_use()
        listeners = [Counter() for _ in range(20)]
        await self_and_rest(listeners, before)


async def self_and_rest(listeners: list[Counter], before: int) -> None:
    """Open one connection inside the other, and measure in the innermost."""
    if not listeners:
        assert in_use() - before < 20 * 100_000  # both ends, and asyncio's streams
        return
    async with against_raw_peer(Setting("server", None), listeners[0]) as (_, peer):
        await peer.send(F(BINARY, b"x"))
        await listeners[0].until("frame")
        await self_and_rest(listeners[1:], before)


KIB = 1 << 10
MANY = 20  # connections: more than there is spare memory for


def unread_by(transport: WSTransport) -> int:
    """Return how many bytes are in the system's receive buffer of a connection."""
    size = array.array("i", [0])
    sock = transport.underlying_transport.get_extra_info("socket")
    fcntl.ioctl(sock.fileno(), termios.FIONREAD, size)
    return size[0]


async def is_read(transport: WSTransport) -> None:
    """Wait until all sent bytes have been received and parsed."""
    async with asyncio.timeout(BOUND):
        while unread_by(transport):
            await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("small", [0, 3, 500], ids=["alone", "in one read", "over the budget"])
@pytest.mark.parametrize(
    ("size", "held"),
    [(100, 100), (17 * KIB, 17 * KIB), (60 * KIB, 60 * KIB), (100 * KIB, 256 * KIB)],
)
async def test_a_partial_frame_holds_memory_of_its_size(
    size: int, held: int, small: int, setting: Setting, traced: None
) -> None:
    """It does not keep the block that it was received into."""
    payload = random.Random(size).randbytes(2 * size)
    async with contextlib.AsyncExitStack() as stack:
        ends = []
        for _ in range(MANY):
            listener = Recorder()
            connection = against_raw_peer(setting, listener)
            ends.append((listener, *await stack.enter_async_context(connection)))
        wire = F(BINARY, b"x").wire(ends[0][2].masks) * small
        frame = F(BINARY, payload).wire(ends[0][2].masks)
        used = 0
        for listener, transport, peer in ends:
            before = in_use()
            await peer.send(wire, frame[:size])
            await is_read(transport)
            assert len(listener.frames) == small
            listener.frames.clear()
            listener.events.clear()
            used += in_use() - before
        assert used < MANY * (held + 4 * KIB) + 2 * 256 * KIB  # the loop keeps two blocks
        for listener, _, peer in ends:
            await peer.send(frame[size:])
            await listener.until("frame")
            assert listener.frames[0].payload == payload


@pytest.mark.parametrize("viewed", [False, True], ids=["free", "viewed"])
async def test_large_frames_share_memory(viewed: bool, setting: Setting, traced: None) -> None:
    """The next one is received into the memory of the last one, unless that has memoryviews."""
    views = []

    class Viewer(Recorder):
        def on_ws_frame(self, transport, frame):  # type: ignore[no-untyped-def]
            view = frame.get_payload_as_memoryview()
            views.append(view if viewed else bytes(view[:8]))
            self._happened("frame")

    listener = Viewer()
    payloads = [b"%08d" % number + bytes(4 * MIB) for number in range(3)]
    async with against_raw_peer(setting, listener) as (transport, peer):
        frames = [F(BINARY, payload).wire(peer.masks) for payload in payloads]
        before = in_use()
        for number, frame in enumerate(frames):
            await peer.send(frame[:MIB])
            await is_read(transport)
            blocks = number + 1 if viewed else 1
            assert blocks * 4 * MIB <= in_use() - before < blocks * 4 * MIB + 2 * MIB
            await peer.send(frame[MIB:])
            await listener.until("frame", number + 1)
    assert [bytes(view[:8]) for view in views] == [payload[:8] for payload in payloads]


async def test_a_large_frame_stays_where_it_begins(setting: Setting, traced: None) -> None:
    """As its parts arrive its memory is not reallocated, and they are not copied."""
    payload = random.Random(1).randbytes(4 * MIB)
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        frame = F(BINARY, payload).wire(peer.masks)
        await peer.send(frame[:MIB])
        await is_read(transport)
        used, end = in_use(), 2 * MIB
        for begin in range(MIB, end, 100 * KIB):
            part = frame[begin : min(begin + 100 * KIB, end)]
            tracemalloc.reset_peak()
            await peer.send(part)
            await is_read(transport)
            assert tracemalloc.get_traced_memory()[1] - used < MIB
        await peer.send(frame[end:])
        await listener.until("frame")
        assert listener.frames[0].payload == payload


@pytest.mark.parametrize("behind", ["large", "small"])
async def test_much_behind_a_frame_that_is_looked_at(behind: str, setting: Setting) -> None:
    """More bytes than fit into a usual block move out of a block with memoryviews."""
    payloads = [bytes([number]) * (300 * KIB) for number in range(1, 5)]
    views = []
    counts = []

    class Viewer(Recorder):
        def on_ws_frame(self, transport, frame):  # type: ignore[no-untyped-def]
            if frame.payload_size == 300 * KIB:
                views.append(frame.get_payload_as_memoryview())
            else:
                payload = frame.get_payload_as_bytes()
                counts.append((len(payload), len(set(payload))))
            self._happened("frame")

    listener = Viewer()
    size, count = (900 * KIB, 1) if behind == "large" else (200, 4500)
    async with against_raw_peer(setting, listener) as (transport, peer):
        begin = F(BINARY, b"z" * (1200 * KIB)).wire(peer.masks)
        rest = F(BINARY, b"b" * size).wire(peer.masks) * count
        for number, payload in enumerate(payloads, 1):
            await peer.send(begin)
            await listener.until("frame", (number - 1) * (count + 2) + 1)
            frame = F(BINARY, payload).wire(peer.masks)
            await peer.send(frame[: 200 * KIB])
            await is_read(transport)
            await peer.send(frame[200 * KIB :] + rest)
            await listener.until("frame", number * (count + 2))
    assert views == payloads
    assert counts == ([(1200 * KIB, 1)] + [(size, 1)] * count) * len(payloads)


async def test_a_frame_holds_no_block_that_is_much_larger(traced: None) -> None:
    """The block of a much larger frame is not reused for it."""
    large, small = (F(BINARY, bytes(size)).wire(True) for size in (8 * MIB, 300 * KIB))
    listener = Counter()
    async with contextlib.AsyncExitStack() as stack:

        async def connect() -> tuple[WSTransport, RawPeer]:
            connection = against_raw_peer(Setting("server", None), listener)
            return await stack.enter_async_context(connection)

        _, feeder = await connect()
        ends = [await connect() for _ in range(4)]
        before = in_use()
        for number, (transport, peer) in enumerate(ends, 1):
            await feeder.send(large)
            await listener.until("frame", number)
            await peer.send(small[:1000])
            await is_read(transport)
            await peer.send(small[1000:2000])
            await is_read(transport)
        assert in_use() - before < 8 * MIB + len(ends) * 2 * 300 * KIB


async def test_header_alone_costs_nothing(traced: None) -> None:
    """The memory for a frame is allocated when its bytes arrive, not when they are announced."""
    listener = Counter()
    async with against_raw_peer(Setting("server", None), listener) as (_, peer):
        await peer.send(F(BINARY, b"x"))
        await listener.until("frame")
        await peer.send(F(BINARY, b"abc", length=b"\x7f" + (5 * MIB).to_bytes(8, "big")))
        await peer.send(b"x")


@pytest.mark.parametrize("seed", range(4))
async def test_partial_frames_of_two_connections(seed: int, plain: Setting) -> None:
    """They alternate receiving into the same memory, each in the middle of a frame."""
    source = random.Random(seed)
    payloads = [
        [source.randbytes(source.choice((10, 5_000, 20_000, 100_000, 700_000))) for _ in range(12)]
        for _ in range(2)
    ]
    masked = plain.side == "server"
    streams = [b"".join(F(BINARY, p).wire(masked) for p in own) for own in payloads]
    listeners = [Recorder(), Recorder()]
    async with (
        against_raw_peer(plain, listeners[0]) as (_, first),
        against_raw_peer(plain, listeners[1]) as (_, second),
    ):
        positions = [0, 0]
        while any(p < len(s) for p, s in zip(positions, streams, strict=True)):
            turn = source.randrange(2)
            size = source.choice((1, 7, 1_000, 16_000, 17_000, 250_000, 300_000))
            peer = (first, second)[turn]
            begin = positions[turn]
            await peer.send(streams[turn][begin : begin + size])
            positions[turn] = begin + size
        for listener, own in zip(listeners, payloads, strict=True):
            await listener.until("frame", len(own))
            assert [frame.payload for frame in listener.frames] == own


async def test_partial_frame_at_the_end_of_a_full_read(plain: Setting) -> None:
    """A full read is followed by one without data, and then by another connection's."""
    room = 256 * 1024
    frames = [F(BINARY, b"a" * (room - 10_000)), F(BINARY, b"b" * 20_000)]
    listeners = [Recorder(), Recorder()]
    async with (
        against_raw_peer(plain, listeners[0]) as (_, first),
        against_raw_peer(plain, listeners[1]) as (_, second),
    ):
        data = b"".join(frame.wire(first.masks) for frame in frames)
        await first.send(data[:room])
        await listeners[0].until("frame")
        await second.send(F(BINARY, b"c" * 100_000))
        await listeners[1].until("frame")
        await first.send(data[room:])
        await listeners[0].until("frame", 2)
        assert [frame.payload for frame in listeners[0].frames] == [f.payload for f in frames]


@pytest.mark.parametrize("seed", range(4))
async def test_views_of_partial_frames(seed: int, plain: Setting) -> None:
    """Some views are kept, while frames arrive in pieces on two connections."""
    source = random.Random(seed)
    kept: list[tuple[memoryview, bytes]] = []

    def keep(_: object, frame) -> None:  # type: ignore[no-untyped-def]
        if source.random() < 0.4:
            kept.append((frame.get_payload_as_memoryview(), frame.get_payload_as_bytes()))
        if len(kept) > 5:
            del kept[source.randrange(len(kept))]
        assert all(bytes(view) == copy for view, copy in kept)

    masked = plain.side == "server"
    streams = [
        b"".join(
            F(BINARY, source.randbytes(source.choice((10, 3_000, 90_000, 400_000)))).wire(masked)
            for _ in range(15)
        )
        for _ in range(2)
    ]
    listeners = [Recorder(keep), Recorder(keep)]
    async with (
        against_raw_peer(plain, listeners[0]) as (_, first),
        against_raw_peer(plain, listeners[1]) as (_, second),
    ):
        for peer, stream in ((first, streams[0]), (second, streams[1])):
            await peer.send(stream[:1000])
        positions = [1000, 1000]
        while any(p < len(s) for p, s in zip(positions, streams, strict=True)):
            turn = source.randrange(2)
            begin = positions[turn]
            size = source.choice((1, 1_000, 20_000, 260_000))
            await (first, second)[turn].send(streams[turn][begin : begin + size])
            positions[turn] = begin + size
        for listener in listeners:
            await listener.until("frame", 15)
    assert all(bytes(view) == copy for view, copy in kept)
