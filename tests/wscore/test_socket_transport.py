"""Our own transport: the methods of asyncio's, partial writes, half-closed and reset peers."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator

import pytest

from tests.support.leaks import open_sockets
from tests.wscore import wire
from tests.wscore.packets import PacketPeer, frames_in, packet_peer
from tests.wscore.pairs import Setting, against_raw_peer
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.servers import LOOPBACK, port_of
from tests.wscore.tls_peer import raw_client
from tests.wscore.wire import BINARY, CLOSE, TEXT, F, close
from wscore import WSFrame, WSMsgType, WSTransport, ws_create_server
from wscore.socket_transport import SocketTransport

STREAM = socket.SOCK_STREAM
LARGE = 16 * 1024  # bytes of payload that are sent from where they are
MIB = 1 << 20

Connection = tuple[WSTransport, SocketTransport, PacketPeer]


@contextlib.asynccontextmanager
async def connection(
    side: str, listener: Recorder | None = None, kind: int = STREAM
) -> AsyncIterator[Connection]:
    async with packet_peer(side, listener or Recorder(), kind=kind) as (transport, peer):
        below = transport.underlying_transport
        assert isinstance(below, SocketTransport)
        yield transport, below, peer


async def read_bytes(peer: PacketPeer, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        data += await peer.read()
    return bytes(data)


def pattern(size: int) -> bytes:
    """Bytes of which no part looks like another near it."""
    return b"".join(struct.pack("!I", n * 2654435761 & 0xFFFFFFFF) for n in range(size // 4 + 1))[
        :size
    ]


def reset(sock: socket.socket) -> None:
    """Close a TCP socket the hard way."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def fill(below: SocketTransport, least: int = 1) -> int:
    """Send until the system takes no more and at least so many bytes wait; how many went in."""
    sent = 0
    while below.get_write_buffer_size() < least:
        below.write(bytes(60_000))
        sent += 60_000
    return sent


# What a transport tells


async def test_extra_info() -> None:
    async with against_raw_peer(Setting("server", None), Recorder()) as (transport, peer):
        below = transport.underlying_transport
        assert below.get_extra_info("peername") == peer.writer.get_extra_info("sockname")
        assert below.get_extra_info("sockname") == peer.writer.get_extra_info("peername")
        assert below.get_extra_info("socket").getsockname() == below.get_extra_info("sockname")
        assert below.get_extra_info("ssl_object") is None
        assert below.get_extra_info("nothing known") is None
        assert below.get_extra_info("nothing known", 7) == 7


@pytest.mark.parametrize("kind", ["client", "server"])
async def test_socket_that_was_closed_behind_our_back(kind: str) -> None:
    """The connection can still be ended, and its listener is told."""
    listener = Recorder()
    async with against_raw_peer(Setting(kind, None), listener) as (transport, _):
        transport.underlying_transport.get_extra_info("socket").close()
        transport.disconnect(graceful=False)
        await listener.until("disconnected")


@pytest.mark.parametrize("kind", ["client", "server"])
async def test_tcp_options(kind: str) -> None:
    """Small messages must not wait for acknowledgements."""
    async with against_raw_peer(Setting(kind, None), Recorder()) as (transport, _):
        assert isinstance(transport.underlying_transport, SocketTransport)
        sock = transport.underlying_transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not sock.getblocking()


async def test_states(side: str) -> None:
    async with connection(side) as (transport, below, _):
        assert repr(below).startswith("<SocketTransport open fd=")
        assert below.is_reading()
        assert not below.is_closing()
        assert below.can_write_eof()
        assert below.get_protocol().transport is transport
        fill(below)
        below.close()
        assert below.is_closing()
        assert not below.is_reading()
        assert repr(below).startswith("<SocketTransport closing fd=")
        below.abort()
        assert repr(below).startswith("<SocketTransport closed fd=")
        assert below.is_closing()


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


# Flow control


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, (16384, 65536)),
        ({"high": 1000}, (250, 1000)),
        ({"low": 1000}, (1000, 4000)),
        ({"high": 1000, "low": 1000}, (1000, 1000)),
        ({"high": 0}, (0, 0)),
        ({"high": 7, "low": 0}, (0, 7)),
    ],
)
async def test_limits(given: dict[str, int], expected: tuple[int, int]) -> None:
    async with connection("server") as (_, below, _):
        assert below.get_write_buffer_limits() == (16384, 65536)
        below.set_write_buffer_limits(**given)
        assert below.get_write_buffer_limits() == expected


@pytest.mark.parametrize("given", [{"high": 1, "low": 2}, {"high": -1}, {"low": -1, "high": 5}])
async def test_wrong_limits(given: dict[str, int]) -> None:
    async with connection("server") as (_, below, _):
        with pytest.raises(ValueError):
            below.set_write_buffer_limits(**given)
        assert below.get_write_buffer_limits() == (16384, 65536)


class Sizes(Recorder):
    """Notes how much waited when it was told to pause, and to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.at_pause: list[int] = []
        self.at_resume: list[int] = []

    def pause_writing(self) -> None:
        self.at_pause.append(self.waiting())
        super().pause_writing()

    def resume_writing(self) -> None:
        self.at_resume.append(self.waiting())
        super().resume_writing()

    def waiting(self) -> int:
        assert self.transport is not None
        return self.transport.underlying_transport.get_write_buffer_size()


@pytest.mark.parametrize("high", [0, 1000, 65536, 500_000])
async def test_pause_and_resume_writing(side: str, high: int) -> None:
    listener = Sizes()
    async with connection(side, listener) as (transport, below, peer):
        below.set_write_buffer_limits(high)
        for count in (1, 2, 3):
            while not transport.is_writing_paused:
                assert below.get_write_buffer_size() <= high
                below.write(bytes(1000))
            assert high < listener.at_pause[-1] <= high + 1000
            below.write(bytes(1000))
            assert listener.events.count("paused") == count
            while transport.is_writing_paused:
                assert below.get_write_buffer_size() > high // 4
                await peer.read()
            assert listener.at_resume[-1] <= high // 4
            assert listener.events == ["connected", *["paused", "resumed"] * count]


async def test_marks_that_change_while_bytes_wait(side: str) -> None:
    listener = Recorder()
    async with connection(side, listener) as (transport, below, _):
        fill(below, 100)
        size = below.get_write_buffer_size()
        below.set_write_buffer_limits(10 * size)
        assert not transport.is_writing_paused
        below.set_write_buffer_limits(size - 1)
        assert transport.is_writing_paused
        below.set_write_buffer_limits(10 * size, size)
        assert not transport.is_writing_paused
        assert listener.events == ["connected", "paused", "resumed"]


async def test_marks_within_a_callback(side: str) -> None:
    """Bytes that are held back count; when they have left, writing goes on."""

    def reply(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.BINARY, bytes(2000))
        assert transport.is_writing_paused

    listener = Recorder(reply)
    async with connection(side, listener) as (transport, below, peer):
        below.set_write_buffer_limits(1000)
        await peer.send(F(TEXT))
        assert frames_in(await peer.read()) == [(BINARY, bytes(2000))]
        await listener.until("resumed")
        assert not transport.is_writing_paused


async def test_marks_within_a_callback_that_sends_a_large_frame(side: str) -> None:
    def reply(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(WSMsgType.BINARY, bytes(2000))
        transport.send(WSMsgType.BINARY, bytes(20_000))

    listener = Recorder(reply)
    async with connection(side, listener) as (transport, below, peer):
        below.set_write_buffer_limits(1000)
        await peer.send(F(TEXT))
        await peer.read()
        await listener.until("resumed")
        assert not transport.is_writing_paused


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


# The end


async def test_close_sends_what_waits(side: str) -> None:
    listener = Recorder()
    async with connection(side, listener) as (_, below, peer):
        sent = fill(below, 200_000)
        below.close()
        below.close()
        assert len(await read_bytes(peer, sent)) == sent
        assert await peer.read() == b""
        await listener.until("disconnected")
    assert listener.events.count("disconnected") == 1


async def test_abort_does_not_wait(side: str) -> None:
    listener = Recorder()
    async with connection(side, listener) as (transport, below, _):
        fill(below, 200_000)
        below.abort()
        below.abort()
        assert below.get_write_buffer_size() == 0
        await listener.until("disconnected")
        assert transport.lost_exception is None
    assert listener.events.count("disconnected") == 1


async def test_abort_while_closing(side: str) -> None:
    listener = Recorder()
    async with connection(side, listener) as (_, below, _):
        fill(below, 200_000)
        below.close()
        await asyncio.sleep(0)
        assert "disconnected" not in listener.events
        below.abort()
        await listener.until("disconnected")


async def test_end_is_told_after_the_callback(side: str) -> None:
    def end(transport: WSTransport, frame: WSFrame) -> None:
        transport.underlying_transport.abort()
        assert "disconnected" not in listener.events

    listener = Recorder(end)
    async with connection(side, listener) as (_, _, peer):
        await peer.send(F(TEXT))
        await listener.until("disconnected")


async def test_half_close_after_all_is_sent(side: str) -> None:
    listener = Recorder()
    async with connection(side, listener) as (_, below, peer):
        sent = fill(below, 200_000)
        below.write_eof()
        below.write_eof()
        below.write(b"unsent")
        assert not below.is_closing()
        assert len(await read_bytes(peer, sent)) == sent
        assert await peer.read() == b""
        await peer.send(F(TEXT, b"still heard"))
        await listener.until("frame")
        assert listener.seen == [(TEXT, b"still heard")]


async def test_half_close_with_nothing_to_send(side: str) -> None:
    listener = Recorder()
    async with connection(side, listener) as (transport, below, peer):
        below.write_eof()
        transport.send(WSMsgType.TEXT, "unsent")
        assert await peer.read() == b""
        await peer.send(F(TEXT, b"still heard"))
        await listener.until("frame")
        peer.sock.shutdown(socket.SHUT_WR)
        await listener.until("disconnected")


async def test_peer_that_closes_its_direction(side: str) -> None:
    """Ours is closed too, but only once everything is sent."""
    listener = Recorder()
    async with connection(side, listener) as (_, below, peer):
        sent = fill(below, 200_000)
        peer.sock.shutdown(socket.SHUT_WR)
        while not below.is_closing():
            await asyncio.sleep(0)
        assert "disconnected" not in listener.events
        assert len(await read_bytes(peer, sent)) == sent
        assert await peer.read() == b""
        await listener.until("disconnected")


async def test_last_words_and_the_end_in_one_read(side: str) -> None:
    listener = Recorder()
    async with connection(side, listener) as (transport, _, peer):
        peer.sock.send(F(TEXT, b"last").wire(peer.masks) + close(1000).wire(peer.masks))
        peer.sock.shutdown(socket.SHUT_WR)
        await listener.until("disconnected")
        assert transport.lost_exception is None
    assert [opcode for opcode, _ in listener.seen] == [TEXT, CLOSE]


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
            while not transport.is_disconnected:
                transport.send(WSMsgType.BINARY, bytes(size))
                await asyncio.sleep(0)
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
                case "abort":
                    below.abort()
                case "peer":
                    peer.sock.close()
                case "eof":
                    below.write_eof()
                    peer.sock.close()
            await listener.until("disconnected")
        assert open_sockets() == before
