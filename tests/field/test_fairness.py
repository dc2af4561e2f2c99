"""No peer keeps the loop from iterating, and none keeps the others waiting."""

import asyncio
import contextlib
import socket
import struct
import sys
import time
import zlib

import pytest

from tests.field.ends import CompatEnd, CoreEnd, End, Message, Setting, port_of
from tests.field.iterations import Iterations, iterations
from tests.field.peer import BOUND, Peer, connected
from tests.support.skips import lacking
from tests.wscore import wire
from wscompat.asyncio.server import broadcast
from wscore import WSMsgType, ws_broadcast

if sys.platform != "win32":
    import fcntl
    import termios

# The budget of one connection in one iteration, for user code that takes its time.
BUDGET = 64
HANDLING = 20_000  # nanoseconds: after 64 messages the time of the budget is over, too
MESSAGES = 2000
INFLATED = 4 << 20  # bytes of a message that was a thousandth of it when compressed
AT_ONCE = 4  # such messages; a reader may hand over what had waited, and as many again


def work() -> None:
    """Take some time, as user code does."""
    end = time.perf_counter_ns() + HANDLING
    while time.perf_counter_ns() < end:
        pass


class Flood:
    """What refills a peer's socket whenever a message is handled.

    Attributes:
        over: set when enough messages were handled.
    """

    def __init__(self, peer: Peer, counted: Iterations) -> None:
        self.over = asyncio.Event()
        self._peer = peer
        self._counted = counted
        self._chunk = peer.encode(wire.F(wire.BINARY, bytes(100))) * BUDGET

    def begin(self) -> None:
        """Fill the socket for the first time, when somebody receives."""
        self._peer.fill(self._chunk)

    def handle(self, message: Message) -> None:
        assert len(message) == 100
        self._counted.event()
        work()
        if self._counted.events < MESSAGES:
            self._peer.fill(self._chunk)
        else:
            self.over.set()


async def flooded(setting: Setting, *, iterating: bool, **options: int) -> Iterations:
    """Consume a flood; what was counted."""
    async with setting.pair(**options) as (end, peer):
        with iterations() as counted:
            flood = Flood(peer, counted)
            consuming = asyncio.create_task(end.consume(flood.handle, iterating=iterating))
            await asyncio.sleep(0)
            flood.begin()
            async with asyncio.timeout(BOUND):
                await flood.over.wait()
        consuming.cancel()
        return counted


@pytest.mark.field("one fast peer")
async def test_the_loop_iterates_while_a_peer_sends_faster_than_it_is_handled(
    setting: Setting,
) -> None:
    counted = await flooded(setting, iterating=False)
    assert counted.most <= BUDGET


@pytest.mark.field("one fast peer")
async def test_the_loop_iterates_between_messages_that_inflate_to_much(setting: Setting) -> None:
    """A few bytes of each were received, with one read of the socket, and megabytes are made."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(bytes(INFLATED)) + packer.flush(zlib.Z_SYNC_FLUSH)
    frames = [wire.F(wire.BINARY, packed[:-4], rsv=4)] * 32
    over = asyncio.Event()

    def handle(message: Message) -> None:
        assert len(message) == INFLATED
        counted.event()
        if counted.events == len(frames):
            over.set()

    async with setting.pair(deflate=True, max_size=INFLATED) as (end, peer):
        with iterations() as counted:
            consuming = asyncio.create_task(end.consume(handle))
            await asyncio.sleep(0)
            await peer.send(*frames)
            async with asyncio.timeout(BOUND):
                await over.wait()
        consuming.cancel()
    assert counted.most <= 2 * AT_ONCE


@pytest.mark.field("messages always there")
async def test_awaiting_messages_that_are_there_ends_with_the_budget(setting: Setting) -> None:
    counted = await flooded(setting, iterating=True)
    assert counted.most <= BUDGET


@pytest.mark.field("messages always there")
async def test_a_timeout_around_messages_that_are_there_ends_in_time(setting: Setting) -> None:
    """The loop's timers run: the deadline is over when the iteration ends in which it was set."""
    async with setting.pair() as (end, peer):
        with iterations() as counted:
            flood = Flood(peer, counted)
            flood.begin()
            await end.receive()  # from here on there is more
            handled = counted.events
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0):
                    await end.consume(flood.handle, iterating=True)
        assert counted.events - handled <= 2 * BUDGET


@pytest.mark.field("messages always there")
async def test_messages_that_were_queued_before(setting: Setting) -> None:
    """However many there are: nobody was awaiting them while they came."""
    async with setting.pair(max_queue=EACH) as (end, peer):
        assert peer.push(peer.encode(wire.F(wire.BINARY, bytes(10))) * EACH)
        await asyncio.sleep(0.02)
        over = asyncio.Event()

        def handle(message: Message) -> None:
            counted.event()
            work()
            if counted.events == EACH:
                over.set()

        with iterations() as counted:
            consuming = asyncio.create_task(end.consume(handle, iterating=True))
            async with asyncio.timeout(BOUND):
                await over.wait()
        consuming.cancel()
        assert counted.most <= BUDGET


@pytest.mark.field("busy polling")
async def test_busy_polling_ends_with_the_budget_while_data_keeps_coming(setting: Setting) -> None:
    counted = await flooded(setting, iterating=False, busy_poll_us=5_000)
    assert counted.most <= BUDGET


CONNECTIONS = 8
EACH = 5 * BUDGET  # messages on each of them


@pytest.mark.field("many ready at once")
async def test_each_has_its_turn_before_one_has_its_second(setting: Setting) -> None:
    order: list[int] = []
    async with setting.opened(CONNECTIONS) as pairs:
        over = asyncio.Event()

        def handle(number: int) -> None:
            if not order or order[-1] != number:
                order.append(number)
            counts[number] += 1
            work()
            if sum(counts) == CONNECTIONS * EACH:
                over.set()

        counts = [0] * CONNECTIONS
        consuming = [
            asyncio.create_task(end.consume(lambda _, number=number: handle(number)))
            for number, (end, _) in enumerate(pairs)
        ]
        await asyncio.sleep(0)
        for _, peer in pairs:
            assert peer.push(peer.encode(wire.F(wire.TEXT, b"?")) * EACH)
        async with asyncio.timeout(BOUND):
            await over.wait()
        for task in consuming:
            task.cancel()
    assert len(order) >= 2 * CONNECTIONS, "all had one turn only"
    for place, number in enumerate(order):
        if number in order[place + 1 :]:
            following = order.index(number, place + 1)
            between = set(order[place + 1 : following])
            waiting = {other for other in range(CONNECTIONS) if other in order[place + 1 :]}
            assert waiting - {number} <= between, f"{number} came twice: {order}"


@pytest.mark.field("thousands at once")
async def test_a_broadcast_serves_all_in_one_call(setting: Setting) -> None:
    """Nothing is left for later: what it costs is stated, and the peer that does not read waits."""
    async with setting.opened(20) as pairs:
        send_to_all([end for end, _ in pairs], "to all")
        with iterations() as counted:
            for _, peer in pairs:
                assert (await peer.read_frame()).payload == b"to all"
        assert counted.count <= 3 * len(pairs), "it took further iterations to send"


def send_to_all(ends: list[End], message: str) -> None:
    """Broadcast as the interface does."""
    if isinstance(ends[0], CoreEnd):
        ws_broadcast(
            [end.core for end in ends if isinstance(end, CoreEnd)], WSMsgType.TEXT, message
        )
    else:
        broadcast([end.connection for end in ends if isinstance(end, CompatEnd)], message)


@pytest.mark.field("thousands at once")
async def test_the_close_of_a_server_ends_all(setting: Setting) -> None:
    """Each connection gets its CLOSE, and the loop iterates while they end."""
    ends: list[End] = []
    async with contextlib.AsyncExitStack() as stack:
        server = await setting.start(ends.append)
        context = setting.tls and setting.tls.client
        peers = []
        for _ in range(20):
            peer = await stack.enter_async_context(connected(port_of(server), context))
            await peer.shake_hands()
            await peer.send(wire.request())
            assert wire.status_of(await peer.read_head()) == 101
            peers.append(peer)
        server.close()
        for end in ends:
            if isinstance(end, CoreEnd):  # the listening socket only: connections are the user's
                end.core.send_close(1001)
                end.core.disconnect()
        async with asyncio.timeout(BOUND):
            ended = await asyncio.gather(*(peer.read_frames() for peer in peers))
            for end in ends:
                end.over.set()
            await server.wait_closed()
    assert [[frame.close_code for frame in frames] for frames in ended] == [[1001]] * len(peers)


SIZE = 16 * 1024 * 1024  # bytes of one message
READ = 1024 * 1024  # bytes of it that one read may bring


@pytest.mark.skipif(sys.platform != "linux", reason=lacking("TCP_INFO"))
@pytest.mark.field("a large payload")
async def test_the_loop_iterates_after_each_read_of_a_large_message(setting: Setting) -> None:
    async with setting.pair(max_size=SIZE) as (end, peer):
        receiving = asyncio.ensure_future(end.receive())
        peer.push(wire.F(wire.BINARY, bytes(SIZE)))
        sock = end.transport.get_extra_info("socket")
        read, before = [], bytes_read(sock)
        async with asyncio.timeout(BOUND):
            while not receiving.done():
                peer.push()
                await asyncio.sleep(0)
                now = bytes_read(sock)
                read.append(now - before)
                before = now
            assert len(await receiving) == SIZE
    assert max(read) <= 2 * READ  # there may be two between two looks of this test


def bytes_read(sock: socket.socket) -> int:
    """Return how many bytes the program has taken from a socket."""
    received = bytes_received(sock)
    while True:
        (queued,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.FIONREAD, bytes(4)))
        before, received = received, bytes_received(sock)
        if received == before:  # else some of what is queued may not be in the first count
            return int(received - queued)


def bytes_received(sock: socket.socket) -> int:
    """Return how many bytes the kernel has received, those that nobody has read included."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
    (received,) = struct.unpack_from("Q", info, 128)
    return int(received)
