"""One connection that always has more to read must leave the loop to the others.

The events between two iterations of the loop are counted, never timed. The numbers are those of
`read_budget.pxd`.
"""

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import AsyncIterator, Callable

import pytest

from tests.support.skips import lacking
from tests.support.tls import Tls
from tests.wscore.packets import PacketPeer, packet_peer, server_protocol
from tests.wscore.pairs import Setting, connected_pair, until_gone
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.wire import CONTINUATION, TEXT, F, request, status_of
from wscore import WSFrame, WSListener, WSMessageReader, WSMsgType, WSTransport, ws_create_server

FRAMES_AT_ONCE = 64
MOST_AT_ONCE = 1024
COUNT = 3000
FLOOD = [F(TEXT, b"%06d" % number) for number in range(COUNT)]
QUEUE = 16  # frames
LONG = bytes(2000)
FULL_READ = 256 * 1024 // len(LONG)  # frames
READS = 4


class Iterations:
    """Counts the iterations of the running loop."""

    def __init__(self) -> None:
        self.count = 0
        self._loop = asyncio.get_running_loop()
        self._handle = self._loop.call_soon(self._iterated)

    def _iterated(self) -> None:
        self.count += 1
        self._handle = self._loop.call_soon(self._iterated)

    def stop(self) -> None:
        self._handle.cancel()


@pytest.fixture
async def iterations() -> AsyncIterator[Iterations]:
    counter = Iterations()
    yield counter
    counter.stop()


class Counting:
    """Records in which iteration of the loop each message was handled.

    Args:
        iterations: of the loop.
        work: handles a message; if it is `busy`, 64 of them take more than a round's time.
    """

    def __init__(self, iterations: Iterations, work: Callable[[], None]) -> None:
        self.iterations = iterations
        self.work = work
        self.payloads: list[bytes] = []
        self.last: list[bool] = []
        self.per_iteration: dict[int, int] = {}
        self.done = asyncio.Event()

    def handle(self, payload: bytes) -> None:
        self.payloads.append(payload)
        at = self.iterations.count
        self.per_iteration[at] = self.per_iteration.get(at, 0) + 1
        self.work()
        if len(self.payloads) == COUNT:
            self.done.set()

    def on_frame(self, _: WSTransport, frame: WSFrame) -> None:
        self.last.append(frame.last_in_buffer)
        self.handle(frame.get_payload_as_bytes())

    async def read(self, reader: WSMessageReader) -> None:
        async for message in reader:
            assert isinstance(message, str)
            self.handle(message.encode())

    def most(self) -> int:
        return max(self.per_iteration.values())

    def is_complete(self) -> bool:
        return self.payloads == [frame.payload for frame in FLOOD]


def busy() -> None:
    end = time.perf_counter() + 20e-6
    while time.perf_counter() < end:
        pass


def idle() -> None:
    pass


async def flood(pair_client: WSTransport) -> None:
    for frame in FLOOD:
        pair_client.send(WSMsgType.TEXT, frame.payload)


@pytest.mark.parametrize(("work", "most"), [(busy, FRAMES_AT_ONCE), (idle, MOST_AT_ONCE)])
async def test_callbacks(
    both: Setting, work: Callable[[], None], most: int, iterations: Iterations
) -> None:
    counting = Counting(iterations, work)
    async with connected_pair(both, Recorder(), Recorder(counting.on_frame)) as pair:
        await flood(pair.client)
        async with asyncio.timeout(4 * BOUND):
            await counting.done.wait()
    assert counting.is_complete()
    assert counting.most() <= most
    assert sum(counting.last) >= COUNT // most  # each part has a last frame


class Counted(WSListener):
    """Costs less than a recorder."""

    def __init__(self, counting: Counting) -> None:
        self.handle = counting.handle

    def on_ws_frame(self, _: WSTransport, frame: WSFrame) -> None:
        self.handle(frame.get_payload_as_bytes())


def send_all(port: int, data: bytes) -> None:
    """Be a client that refills its socket while the handler works."""
    with socket.create_connection(("127.0.0.1", port), BOUND) as sock:
        sock.sendall(request())
        sock.recv(4096)
        sock.sendall(data)
        sock.recv(1)


async def receive_from_a_full_socket(counting: Counting) -> None:
    """Receive messages from a socket that always has more than a read returns."""
    server = await ws_create_server(lambda _: Counted(counting), "127.0.0.1", 0)
    data = F(TEXT, LONG).wire(masked=True) * COUNT
    async with server, asyncio.timeout(4 * BOUND):
        port = server.sockets[0].getsockname()[1]
        sending = asyncio.create_task(asyncio.to_thread(send_all, port, data))
        await counting.done.wait()
        server.close_clients()
        await sending
    assert counting.payloads == [LONG] * COUNT


@pytest.mark.parametrize(("work", "most"), [(busy, FRAMES_AT_ONCE), (idle, READS * FULL_READ)])
async def test_a_socket_that_is_always_full(
    work: Callable[[], None], most: int, iterations: Iterations
) -> None:
    """In one iteration there are at most four reads, and only one if that has taken long."""
    counting = Counting(iterations, work)
    await receive_from_a_full_socket(counting)
    assert counting.most() <= most


@pytest.mark.skipif(
    "libasan" in os.environ.get("LD_PRELOAD", ""),
    reason=lacking("the speed at which a second read begins within a turn; ASan takes it"),
)
async def test_a_socket_that_is_always_full_after_slow_messages(iterations: Iterations) -> None:
    """The budget ends a read; when messages are fast again there are several at once."""

    def work() -> None:
        if len(counting.payloads) < COUNT // 6:
            busy()

    counting = Counting(iterations, work)
    await receive_from_a_full_socket(counting)
    assert FULL_READ < counting.most() <= READS * FULL_READ


async def test_connections_that_were_often_alone(iterations: Iterations) -> None:
    """When all have more than one read of data, none is read twice in an iteration."""
    countings = [Counting(iterations, idle) for _ in range(4)]
    left = list(countings)
    server = await ws_create_server(lambda _: Counted(left.pop()), "127.0.0.1", 0)
    writers = []
    async with server, asyncio.timeout(4 * BOUND):
        for _ in countings:
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            writers.append(writer)
            writer.write(request())
            await reader.readuntil(b"\r\n\r\n")
        for counting, writer in zip(reversed(countings), writers, strict=True):
            for number in range(12):
                writer.write(F(TEXT, LONG).wire(masked=True))
                while len(counting.payloads) <= number:
                    await asyncio.sleep(0)
        for counting in countings:
            counting.per_iteration.clear()
        for writer in writers:
            writer.write(F(TEXT, LONG).wire(masked=True) * (COUNT - 12))
        for counting in countings:
            await counting.done.wait()
        server.close_clients()
        for writer in writers:
            writer.transport.abort()
    most = {at: most for counting in countings for at, most in counting.per_iteration.items()}
    together = [
        max(counting.per_iteration.get(at, 0) for counting in countings)
        for at in most
        if sum(at in counting.per_iteration for counting in countings) > 1
    ]
    assert sum(count > FULL_READ for count in together) <= 1  # by the one that had read last


class Reader(WSMessageReader):
    """Can be one end of a pair."""

    async def until(self, event: str) -> None:
        assert event == "connected"
        while self.transport is None:
            await asyncio.sleep(0)


@pytest.mark.parametrize("stream", [False, True])
async def test_messages(security: Tls | None, stream: bool, iterations: Iterations) -> None:
    """The waiting task is resumed in place, and no more often than the budget allows.

    When it begins to receive there may be a part in the queue, and another part is read in the same
    iteration.
    """
    counting = Counting(iterations, busy)
    reader = Reader(stream=stream)
    async with connected_pair(Setting("both", security), Recorder(), reader) as pair:  # type: ignore[arg-type]
        task = asyncio.create_task(counting.read(reader))
        await flood(pair.client)
        async with asyncio.timeout(4 * BOUND):
            await counting.done.wait()
        task.cancel()
    assert counting.is_complete()
    assert counting.most() <= 2 * FRAMES_AT_ONCE


async def test_a_queue_that_nobody_reads(side: str, iterations: Iterations) -> None:
    """It is full after one part of a read, not after the whole read."""
    counting = Counting(iterations, idle)
    reader = WSMessageReader(high=QUEUE)
    async with packet_peer(side, reader, kind=socket.SOCK_STREAM) as (transport, peer):
        await peer.send(*FLOOD)
        async with asyncio.timeout(BOUND):
            while transport.underlying_transport.is_reading():
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        began = iterations.count
        task = asyncio.create_task(counting.read(reader))
        async with asyncio.timeout(BOUND):
            await counting.done.wait()
        task.cancel()
    assert counting.is_complete()
    first = min(counting.per_iteration)
    assert first - began <= 1
    assert QUEUE <= counting.per_iteration[first] <= 2 * FRAMES_AT_ONCE


async def test_others_have_their_part_in_between(side: str) -> None:
    """No connection gets a second part before each has had its first."""
    order: list[str] = []

    def note(name: str) -> Recorder:
        def on_frame(_: WSTransport, frame: WSFrame) -> None:
            busy()
            order.append(name)

        return Recorder(on_frame)

    async with contextlib.AsyncExitStack() as stack:
        peers = [
            (
                await stack.enter_async_context(
                    packet_peer(side, note(name), kind=socket.SOCK_STREAM)
                )
            )[1]
            for name in "abc"
        ]
        for peer in peers[:2]:
            await peer.send(*FLOOD[:1000])
        await peers[2].send(FLOOD[0])
        async with asyncio.timeout(4 * BOUND):
            while len(order) < 2001:
                await asyncio.sleep(0)
    assert order.index("c") <= 3 * FRAMES_AT_ONCE
    parts = [order[0]]
    for name in order:
        if name != parts[-1]:
            parts.append(name)
    alternating = [name for name in parts if name != "c"]
    assert len(alternating) >= 2 * (1000 // FRAMES_AT_ONCE)


async def test_many_that_flood(side: str, iterations: Iterations) -> None:
    """The loop iterates before all of them have had their part, and none is left out."""
    count = 30
    countings = [Counting(iterations, busy) for _ in range(count)]
    async with contextlib.AsyncExitStack() as stack:
        for counting in countings:
            _, peer = await stack.enter_async_context(
                packet_peer(side, Recorder(counting.on_frame), kind=socket.SOCK_STREAM)
            )
            await peer.send(*FLOOD[:200])
        async with asyncio.timeout(4 * BOUND):
            while any(len(counting.payloads) < 200 for counting in countings):
                await asyncio.sleep(0)
        together: dict[int, int] = {}
        for counting in countings:
            for at, handled in counting.per_iteration.items():
                together[at] = together.get(at, 0) + handled
    # 64 frames take 1.3 ms here; four connections are called between two readings of the clock, and
    # both the ready ones and those with unparsed input have a share.
    assert max(together.values()) <= 2 * (4 + 2) * FRAMES_AT_ONCE


async def test_a_timer_fires_in_between(side: str) -> None:
    loop = asyncio.get_running_loop()
    handled = 0
    fired_after = -1

    def fire() -> None:
        nonlocal fired_after
        fired_after = handled

    def on_frame(_: WSTransport, __: WSFrame) -> None:
        nonlocal handled
        if handled == 0:
            loop.call_later(0, fire)
        handled += 1
        busy()

    async with packet_peer(side, Recorder(on_frame), kind=socket.SOCK_STREAM) as (_, peer):
        await peer.send(*FLOOD)
        async with asyncio.timeout(4 * BOUND):
            while handled < COUNT:
                await asyncio.sleep(0)
    assert 0 < fired_after <= 2 * FRAMES_AT_ONCE


async def test_the_peer_resets_meanwhile(side: str) -> None:
    """Data received before the reset is delivered before the connection is lost."""

    def on_frame(transport: WSTransport, _: WSFrame) -> None:
        transport.send(WSMsgType.TEXT, "answer")
        busy()

    listener = Recorder(on_frame)
    async with packet_peer(side, listener, kind=socket.SOCK_STREAM) as (transport, peer):
        await peer.send(*FLOOD[:1000])
        peer.sock.close()  # so that the replies fail
        await until_gone(transport)
        assert listener.events == ["connected", *["frame"] * 1000, "disconnected"]
        assert transport.lost_exception is not None


async def test_the_peer_ends_behind_a_flood(both: Setting) -> None:
    """Its EOF, of TLS or of TCP, is reported after all data sent before it."""
    listener = Recorder(lambda transport, _: busy())
    async with connected_pair(both, Recorder(), listener) as pair:
        await flood(pair.client)
        pair.client.disconnect()
        await listener.until("disconnected")
    assert [frame.payload for frame in listener.frames] == [frame.payload for frame in FLOOD]


async def test_reading_is_paused_meanwhile(both: Setting) -> None:
    """After a part nothing is delivered until reading resumes, with the rest."""

    def on_frame(transport: WSTransport, _: WSFrame) -> None:
        if len(listener.frames) == 1:
            transport.underlying_transport.pause_reading()

    listener = Recorder(on_frame)
    async with connected_pair(both, Recorder(), listener) as pair:
        await flood(pair.client)
        await listener.until("frame")
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(listener.frames) <= FRAMES_AT_ONCE
        pair.server.underlying_transport.resume_reading()
        await listener.until("frame", COUNT)
    assert [frame.payload for frame in listener.frames] == [frame.payload for frame in FLOOD]


@pytest.mark.parametrize("graceful", [True, False])
async def test_disconnected_meanwhile(side: str, graceful: bool) -> None:
    """The rest is not delivered."""

    def on_frame(transport: WSTransport, _: WSFrame) -> None:
        if len(listener.frames) == FRAMES_AT_ONCE:
            asyncio.get_running_loop().call_soon(transport.disconnect, graceful)
        busy()

    listener = Recorder(on_frame)
    async with packet_peer(side, listener, kind=socket.SOCK_STREAM) as (transport, peer):
        await peer.send(*FLOOD)
        if graceful:
            while await peer.read():  # until our side ends
                pass
            peer.sock.close()
        await until_gone(transport)
        assert FRAMES_AT_ONCE <= len(listener.frames) <= 2 * FRAMES_AT_ONCE


async def test_fragments_in_pieces(side: str, iterations: Iterations) -> None:
    """A message of very many fragments, for a reader that takes pieces."""
    reader = WSMessageReader(stream=True)
    pieces = [F(TEXT, b"", fin=False), *[F(CONTINUATION, b"x", fin=False)] * 1000, F(CONTINUATION)]
    per_iteration: dict[int, int] = {}

    async def read() -> None:
        async for _ in reader.recv_streaming():
            busy()
            per_iteration[iterations.count] = per_iteration.get(iterations.count, 0) + 1

    async with packet_peer(side, reader, kind=socket.SOCK_STREAM) as (_, peer):
        task = asyncio.create_task(read())
        await peer.send(*pieces)
        async with asyncio.timeout(BOUND):
            await task
    assert sum(per_iteration.values()) == len(pieces)
    assert max(per_iteration.values()) <= 2 * FRAMES_AT_ONCE


@contextlib.asynccontextmanager
async def on_a_transport_of_the_loop(
    listener: Recorder,
) -> AsyncIterator[tuple[WSTransport, PacketPeer]]:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.setblocking(False)
        protocol = server_protocol(listener)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, ours)
        peer = PacketPeer(theirs, masks=True)
        await peer.send(request())
        assert status_of(await peer.read()) == 101
        yield protocol.transport, peer


async def test_a_transport_of_the_loop(iterations: Iterations) -> None:
    """Where connections run on the loop's own transports, the loop iterates as often."""
    counting = Counting(iterations, busy)
    listener = Recorder(counting.on_frame)
    async with on_a_transport_of_the_loop(listener) as (transport, peer):
        await peer.send(*FLOOD)
        async with asyncio.timeout(4 * BOUND):
            await counting.done.wait()
        transport.disconnect(graceful=False)
        await until_gone(transport)
    assert counting.is_complete()
    assert counting.most() <= FRAMES_AT_ONCE


async def test_a_transport_of_the_loop_is_lost_meanwhile() -> None:
    listener = Recorder(lambda transport, _: busy())
    async with on_a_transport_of_the_loop(listener) as (transport, peer):
        await peer.send(*FLOOD[:1000])
        await listener.until("frame")
        transport.underlying_transport.abort()
        await until_gone(transport)
        assert listener.events == ["connected", *["frame"] * 1000, "disconnected"]


async def test_busy_polling_ends(side: str, iterations: Iterations) -> None:
    """It ends when its time is up, even if there is always more to read."""
    sock: list[socket.socket] = []
    seen: list[int] = []

    def on_frame(_: WSTransport, frame: WSFrame) -> None:
        seen.append(iterations.count)
        if len(seen) < 50:
            sock[0].send(FLOOD[0].wire(masked=side == "server"))

    async with packet_peer(side, Recorder(on_frame), kind=socket.SOCK_STREAM, busy_poll_us=1) as (
        _,
        peer,
    ):
        sock.append(peer.sock)
        await peer.send(FLOOD[0])
        async with asyncio.timeout(BOUND):
            while len(seen) < 50:
                await asyncio.sleep(0)
    assert len(set(seen)) >= 25  # one read, and one more if the clock has not moved


async def test_busy_polling_keeps_to_the_budget(side: str, iterations: Iterations) -> None:
    counting = Counting(iterations, busy)
    async with packet_peer(
        side, Recorder(counting.on_frame), kind=socket.SOCK_STREAM, busy_poll_us=20_000
    ) as (_, peer):
        await peer.send(*FLOOD)
        async with asyncio.timeout(4 * BOUND):
            await counting.done.wait()
    assert counting.most() <= FRAMES_AT_ONCE
