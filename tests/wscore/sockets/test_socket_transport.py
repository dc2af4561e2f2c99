"""Our own transport, the way of the data: partial writes, reading, reset peers."""

import asyncio
import contextlib
import socket
import ssl
import time
from typing import Any

import pytest

from tests.support.leaks import open_sockets
from tests.support.tls import Tls
from tests.wscore import wire
from tests.wscore.packets import PacketPeer, frames_in, packet_peer
from tests.wscore.pairs import Setting, against_raw_peer
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.servers import LOOPBACK, port_of
from tests.wscore.socket_pairs import LARGE, MIB, connection, fill, pattern, read_bytes, reset
from tests.wscore.tls_peer import raw_client
from tests.wscore.wire import BINARY, TEXT, F, request
from wscore import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

# Writing


async def test_write_and_writelines(side: str) -> None:
    async with connection(side, kind=socket.SOCK_SEQPACKET) as (_, below, peer):
        below.write(b"bytes")
        below.write(bytearray(b"bytearray"))
        below.write(memoryview(b"memoryview")[1:4])
        below.write(b"")
        below.writelines([b"a", bytearray(b"b"), memoryview(b"c")])
        below.writelines([])
        assert [await peer.read() for _ in range(4)] == [b"bytes", b"bytearray", b"emo", b"abc"]
        assert peer.nothing_more()


@pytest.mark.parametrize("wrong", ["text", 7, ["a"]])
async def test_writing_what_is_not_bytes(side: str, wrong: bytes) -> None:
    async with connection(side) as (_, below, peer):
        with pytest.raises(TypeError):
            below.write(wrong)
        assert peer.nothing_more()


@pytest.mark.parametrize("size", [LARGE - 1, LARGE, 100_000, 3 * MIB])
async def test_partial_writes_keep_every_byte(side: str, size: int) -> None:
    async with connection(side) as (_, below, peer):
        pieces = [pattern(size), b"small", pattern(size // 2), b"", b"end"]
        for piece in pieces:
            below.write(piece)
        whole = b"".join(pieces)
        assert await read_bytes(peer, len(whole)) == whole
        assert below.get_write_buffer_size() == 0


@pytest.mark.parametrize("size", [LARGE - 1, LARGE, LARGE + 1, 200_000, 2 * MIB])
async def test_large_frames_to_a_slow_peer(side: str, size: int) -> None:
    """Header, payload and what comes after, when the system takes only a part at a time."""
    payloads = [pattern(size), b"small", pattern(size + 7)[7:], b"", pattern(size)]
    async with connection(side) as (transport, below, peer):
        below.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        for payload in payloads:
            transport.send(WSMsgType.BINARY, payload)
        overhead = 10 + (4 if side == "client" else 0)
        data = bytearray()
        async with asyncio.timeout(BOUND):
            while True:
                data += await peer.read()
                if below.get_write_buffer_size() == 0 and peer.nothing_more():
                    break
        assert len(data) <= sum(map(len, payloads)) + overhead * len(payloads)
        assert frames_in(bytes(data)) == [(BINARY, payload) for payload in payloads]


async def test_large_payload_may_be_changed_once_sent(side: str) -> None:
    """What the system did not take at once was copied."""
    memory = bytearray(pattern(2 * MIB))
    expected = bytes(memory)
    async with connection(side) as (transport, below, peer):
        transport.send(WSMsgType.BINARY, memory)
        assert below.get_write_buffer_size() > 0
        memory[:] = bytes(len(memory))
        overhead = 14 if side == "client" else 10
        data = await read_bytes(peer, len(expected) + overhead)
        assert frames_in(data) == [(BINARY, expected)]


async def test_large_payload_in_place(side: str) -> None:
    memory = bytearray(14) + pattern(MIB)
    async with connection(side) as (transport, _, peer):
        transport.send(WSMsgType.TEXT, "before")
        transport.send_reuse_external_bytearray(WSMsgType.BINARY, memory, 14)
        transport.send(WSMsgType.TEXT, "after")
        mask = 4 if side == "client" else 0
        data = await read_bytes(peer, MIB + 10 + mask + 8 + mask + 7 + mask)
        assert frames_in(data) == [(TEXT, b"before"), (BINARY, pattern(MIB)), (TEXT, b"after")]


async def test_nothing_is_written_once_closing(side: str) -> None:
    async with connection(side) as (_, below, peer):
        below.write(b"before")
        below.close()
        below.write(b"after")
        below.writelines([b"after"])
        assert await peer.read() == b"before"
        assert await peer.read() == b""


# Reading


async def test_pause_and_resume_reading(side: str) -> None:
    listener = Recorder()
    async with connection(side, listener) as (_, below, peer):
        below.pause_reading()
        below.pause_reading()
        assert not below.is_reading()
        await peer.send(F(TEXT, b"a"))
        await peer.send(F(TEXT, b"b"))
        for _ in range(5):
            await asyncio.sleep(0)
        assert listener.frames == []
        below.resume_reading()
        below.resume_reading()
        assert below.is_reading()
        await listener.until("frame", 2)
        assert listener.seen == [(TEXT, b"a"), (TEXT, b"b")]


async def test_pause_within_a_callback(side: str) -> None:
    """What was read with it is still delivered; what comes then is not, until reading goes on."""

    def pause(transport: WSTransport, frame: WSFrame) -> None:
        transport.underlying_transport.pause_reading()

    listener = Recorder(pause)
    async with connection(side, listener, socket.SOCK_SEQPACKET) as (_, below, peer):
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"))
        await peer.send(F(TEXT, b"c"))
        await listener.until("frame", 2)
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(listener.frames) == 2
        below.resume_reading()
        await listener.until("frame", 3)


async def test_reading_is_not_resumed_once_closing(side: str) -> None:
    async with connection(side) as (_, below, _):
        fill(below)
        below.close()
        below.resume_reading()
        assert not below.is_reading()


async def test_peer_that_fills_the_buffer_exactly(side: str) -> None:
    """As many bytes as one read can bring, and more behind them."""
    listener = Recorder()
    payload = pattern(262_144 - 14)
    async with connection(side, listener) as (_, _, peer):
        await peer.send(F(BINARY, payload), F(BINARY, payload), F(TEXT, b"end"))
        await listener.until("frame", 3)
    assert listener.seen == [(BINARY, payload), (BINARY, payload), (TEXT, b"end")]


# A peer that resets the connection


async def test_reset_behind_the_last_words() -> None:
    """Both are there when the loop looks; libuv tells of it once only."""
    listener = Recorder()
    server = await ws_create_server(lambda _: listener, LOOPBACK, 0)
    async with server, raw_client(port_of(server)) as sock:
        sock.send(wire.request())
        await listener.until("connected")
        sock.send(F(TEXT, b"last").wire(True))
        reset(sock)
        await listener.until("disconnected")
        assert listener.seen == [(TEXT, b"last")]


async def test_reset_while_reading(side: str) -> None:
    listener = Recorder()
    async with against_raw_peer(Setting(side, None), listener) as (transport, peer):
        peer.reset()
        await listener.until("disconnected")
        assert isinstance(transport.lost_exception, ConnectionResetError)


@pytest.mark.parametrize("size", [100, 100_000])
async def test_reset_while_writing(side: str, size: int) -> None:
    """Sending fails, or reading does, whichever is first; nothing is raised by `send`."""
    listener = Recorder()
    async with against_raw_peer(Setting(side, None), listener) as (transport, peer):
        transport.underlying_transport.pause_reading()
        fill(transport.underlying_transport, 100_000)
        peer.reset()
        async with asyncio.timeout(BOUND):
            while "disconnected" not in listener.events:
                transport.send(WSMsgType.BINARY, bytes(size))
                await asyncio.sleep(0)
        assert transport.is_disconnected
        assert isinstance(transport.lost_exception, ConnectionError)
        transport.send(WSMsgType.BINARY, bytes(size))
    assert listener.events.count("disconnected") == 1


@pytest.mark.parametrize("size", [100, LARGE, 100_000])
async def test_sending_to_a_closed_peer(side: str, size: int) -> None:
    """No signal, no exception: the connection is lost, and its listener told."""
    listener = Recorder()
    async with connection(side, listener) as (transport, below, peer):
        below.pause_reading()
        peer.sock.close()
        transport.send(WSMsgType.BINARY, bytes(size))
        transport.send(WSMsgType.BINARY, bytes(size))
        await listener.until("disconnected")
        assert isinstance(transport.lost_exception, BrokenPipeError)


async def test_closing_towards_a_closed_peer(side: str) -> None:
    listener = Recorder()
    async with connection(side, listener) as (_, below, peer):
        fill(below, 100_000)
        below.close()
        peer.sock.close()
        await listener.until("disconnected")


# Addresses, descriptors


async def test_addresses_after_the_end() -> None:
    listener = Recorder()
    async with against_raw_peer(Setting("server", None), listener) as (transport, peer):
        below = transport.underlying_transport
        names = below.get_extra_info("sockname"), below.get_extra_info("peername")
        assert None not in names
        peer.reset()
        await listener.until("disconnected")
        assert (below.get_extra_info("sockname"), below.get_extra_info("peername")) == names


async def test_no_descriptor_is_left(side: str) -> None:
    before = open_sockets()
    for end in ("close", "abort", "peer", "eof"):
        listener = Recorder()
        async with connection(side, listener) as (_, below, peer):
            match end:
                case "close":
                    below.close()
                    peer.sock.close()
                case "abort":
                    below.abort()
                case "peer":
                    peer.sock.close()
                case "eof":
                    below.write_eof()
                    peer.sock.close()
            await listener.until("disconnected")
        assert open_sockets() == before


# A callback that runs the loop, as programs in notebooks do with the help of other packages


def turns(loop: Any, count: int = 20) -> None:
    """Run some turns of a loop of asyncio within one of its callbacks."""
    for _ in range(count):
        loop.call_soon(int)  # lest it wait
        loop._run_once()


async def alone(listener: Recorder, peer: PacketPeer) -> None:
    """Send often enough that the loop itself watches the connection, without the watcher."""
    for count in range(1, 20):
        await peer.send(F(TEXT, b"alone"))
        await listener.until("frame", count)
    listener.frames.clear()


def test_no_read_begins_within_a_read(side: str) -> None:
    """Not even if the loop is run: the frame of the callback stays what it is."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        listener = Recorder()
        async with packet_peer(side, listener) as (transport, peer):
            await alone(listener, peer)

            def nested(_: WSTransport, frame: WSFrame) -> None:
                listener.on_frame = None
                below = transport.underlying_transport
                below.pause_reading()
                below.resume_reading()  # now by the watcher
                peer.sock.send(F(BINARY, b"c" * 5_000).wire(peer.masks))
                view = frame.get_payload_as_memoryview()
                turns(loop)
                assert len(listener.frames) == 1
                assert bytes(view) == frame.get_payload_as_bytes() == b"a" * 5_000

            listener.on_frame = nested
            await peer.send(F(BINARY, b"a" * 5_000), F(BINARY, b"b" * 5_000))
            await listener.until("frame", 22)
            assert [seen.payload[:1] for seen in listener.frames] == [b"a", b"b", b"c"]
            assert not transport.is_disconnected

    asyncio.run(main())


def test_connection_is_lost_within_a_read(side: str) -> None:
    """What was being delivered is still there for the rest of the callback; no more comes."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        listener = Recorder()
        seen = loop.create_future()

        def nested(transport: WSTransport, frame: WSFrame) -> None:
            transport.disconnect(graceful=False)
            turns(loop)
            seen.set_result((listener.events[-1], frame.get_payload_as_bytes()))

        async with packet_peer(side, listener) as (_, peer):
            await alone(listener, peer)
            listener.on_frame = nested
            await peer.send(F(BINARY, b"a" * 5_000), F(BINARY, b"b" * 5_000))
            async with asyncio.timeout(BOUND):
                assert await seen == ("disconnected", b"a" * 5_000)
        assert len(listener.frames) == 1

    asyncio.run(main())


class Ending(WSListener):
    """Ends the connection within a callback, and runs the loop until it is lost."""

    def __init__(self, at: int, slow: bool) -> None:
        self.at = at
        self.slow = slow
        self.count = 0
        self.lost = asyncio.Event()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.count += 1
        if self.slow:  # the budget is over at each opportunity
            end = time.perf_counter() + 20e-6
            while time.perf_counter() < end:
                pass
        if self.count == self.at:
            transport.disconnect(graceful=False)
            end = time.perf_counter() + BOUND
            while not self.lost.is_set() and time.perf_counter() < end:
                turns(asyncio.get_running_loop(), 1)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.lost.set()


def flood(port: int, context: ssl.SSLContext | None, data: bytes) -> None:
    """Be a client that sends all it has, unless the connection ends before."""
    sock = socket.create_connection((LOOPBACK, port), BOUND)
    if context is not None:
        sock = context.wrap_socket(sock, server_hostname="localhost")
    with contextlib.suppress(OSError), sock:
        sock.sendall(request())
        sock.recv(4096)
        sock.sendall(data)
        sock.recv(1)


@pytest.mark.parametrize("busy_poll_us", [0, 50])
@pytest.mark.parametrize(
    ("size", "at", "slow"),
    [(8000, 100, False), (8000, 100, True), (50, 6000, False), (50, 100, True)],
)
def test_connection_is_lost_within_a_flood(
    size: int, at: int, slow: bool, busy_poll_us: int, security: Tls | None
) -> None:
    """Within a second read of the same turn, and within what the budget has left for the next."""

    async def main() -> None:
        listener = Ending(at, slow)
        server = await ws_create_server(
            lambda _: listener,
            LOOPBACK,
            0,
            ssl=None if security is None else security.server,
            busy_poll_us=busy_poll_us,
        )
        data = F(BINARY, bytes(size)).wire(masked=True) * (4_000_000 // size)
        async with server, asyncio.timeout(4 * BOUND):
            port = server.sockets[0].getsockname()[1]
            context = None if security is None else security.client
            sending = asyncio.to_thread(flood, port, context, data)
            await asyncio.gather(sending, listener.lost.wait())
        assert listener.count == at

    asyncio.run(main())


async def test_nobody_receives_into_the_memory_of_a_frame(side: str) -> None:
    """Nor does a transport of the loop's own, which asks the protocol for memory."""
    refusals = []

    def receive(transport: WSTransport, frame: WSFrame) -> None:
        protocol: Any = transport.underlying_transport.get_protocol()
        try:
            protocol.get_buffer(-1)
        except RuntimeError as exc:
            refusals.append((str(exc), frame.get_payload_as_bytes()))

    async with packet_peer(side, Recorder(receive)) as (_, peer):
        await peer.send(F(BINARY, b"a" * 5_000))
        async with asyncio.timeout(BOUND):
            while not refusals:
                await asyncio.sleep(0)
    assert [payload for _, payload in refusals] == [b"a" * 5_000]
    assert "within a callback" in refusals[0][0]
