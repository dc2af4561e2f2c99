"""Our own transport, what asyncio asks of it: what it tells, its limits, its end."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.campaign.link import Link, enter
from tests.support.skips import lacking
from tests.support.tls import Tls
from tests.wscore.packets import PacketPeer, frames_in, packet_peer
from tests.wscore.pairs import Setting, against_raw_peer
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.socket_pairs import MIB, connection, fill, pattern, read_bytes
from tests.wscore.wire import BINARY, CLOSE, TEXT, F, close, request
from wscore import WSFrame, WSMsgType, WSTransport, ws_create_server
from wscore.sockets.socket_transport import SocketTransport

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


# The end


async def test_close_sends_what_waits(side: str) -> None:
    listener = Recorder()
    async with connection(side, listener) as (_, below, peer):
        sent = fill(below, 200_000)
        below.close()
        below.close()
        assert len(await read_bytes(peer, sent)) == sent
        assert await peer.read() == b""
        assert "disconnected" not in listener.events
        peer.sock.close()
        await listener.until("disconnected")
    assert listener.events.count("disconnected") == 1


async def test_close_while_the_peer_is_sending(side: str) -> None:
    """On a Unix socket; over TCP and TLS see `test_transport`."""
    listener = Recorder()
    async with connection(side, listener) as (transport, below, peer):
        flood = asyncio.create_task(send_on(peer))
        await listener.until("frame", 5)
        below.write(pattern(300_000))
        transport.disconnect()
        seen = len(listener.frames)
        assert await read_bytes(peer, 300_000) == pattern(300_000)
        assert await peer.read() == b""
        flood.cancel()
        peer.sock.close()
        await listener.until("disconnected")
        assert transport.lost_exception is None
        assert len(listener.frames) == seen


async def send_on(peer: PacketPeer) -> None:
    while True:
        await peer.send(F(BINARY, bytes(10_000)))
        await asyncio.sleep(0)


async def test_slow_peer_gets_all(side: str) -> None:
    """It takes several times what the end may take without any progress."""
    listener = Recorder()
    options = {"disconnect_timeout": 0.5}
    async with packet_peer(side, listener, kind=socket.SOCK_STREAM, **options) as (transport, peer):
        transport.underlying_transport.write(pattern(3 * MIB))
        transport.disconnect()
        data = bytearray()
        while len(data) < 3 * MIB:
            assert "disconnected" not in listener.events
            data += await read_bytes(peer, 200_000 if len(data) < 2 * MIB else 3 * MIB - len(data))
            await asyncio.sleep(0.15)
        assert data == pattern(3 * MIB)
        peer.sock.close()
        await listener.until("disconnected")
        assert transport.lost_exception is None


async def test_peer_that_takes_too_little(side: str) -> None:
    """Some bytes now and then do not hold the connection."""
    listener = Recorder()
    options = {"disconnect_timeout": 0.2}
    async with packet_peer(side, listener, kind=socket.SOCK_STREAM, **options) as (transport, peer):
        transport.underlying_transport.write(pattern(3 * MIB))
        transport.disconnect()
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(BOUND):
            while "disconnected" not in listener.events:
                await loop.sock_recv(peer.sock, 10)
                await asyncio.sleep(0.01)
        assert isinstance(transport.lost_exception, TimeoutError)


async def test_no_limit_for_the_end(side: str) -> None:
    listener = Recorder()
    options = {"disconnect_timeout": None}
    async with packet_peer(side, listener, **options) as (transport, peer):
        transport.disconnect()
        assert await peer.read() == b""
        peer.sock.close()
        await listener.until("disconnected")


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


# The end, on a link that is cut


@pytest.fixture
def link() -> Iterator[Link]:
    try:
        link = Link(seed=1, listen=1)
    except OSError:
        pytest.skip(lacking("network namespaces of our own"))
    yield link
    link.close()


def connect_across(link: Link, address: tuple[str, int]) -> socket.socket:
    enter(link.client_namespace)  # this thread
    return socket.create_connection(address, BOUND)


@pytest.mark.parametrize("sends", [False, True], ids=["idle", "sends"])
async def test_link_that_is_cut(link: Link, sends: bool, security: Tls | None) -> None:
    """It is an error if the peer has not got what was sent; the end alone it need not get."""
    listener = Recorder()
    server = await ws_create_server(
        lambda _: listener,
        sock=link.listening[0],
        ssl=security and security.server,
        disconnect_timeout=0.6,
    )
    with ThreadPoolExecutor(1) as executor:
        sock = await asyncio.get_running_loop().run_in_executor(
            executor, connect_across, link, link.listening[0].getsockname()
        )
    reader, writer = await asyncio.open_connection(
        sock=sock,
        ssl=security and security.client,
        server_hostname="127.0.0.1" if security else None,
    )
    async with server, asyncio.timeout(BOUND), contextlib.AsyncExitStack() as stack:
        stack.callback(writer.transport.abort)
        writer.write(request())
        await reader.readuntil(b"\r\n\r\n")
        await listener.until("connected")
        assert listener.transport is not None
        listener.transport.send(WSMsgType.TEXT, "first")
        assert (await reader.readexactly(7))[2:] == b"first"
        await asyncio.sleep(0.3)  # until that is acknowledged
        link.cut()
        if sends:
            listener.transport.send(WSMsgType.TEXT, "last")
        listener.transport.disconnect()
        await listener.until("disconnected")
        error = listener.transport.lost_exception
        assert isinstance(error, TimeoutError) if sends else error is None
