"""TLS inside a transport: against a real TLS server, over a plain connection and over TLS."""

import asyncio
import functools
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from tests.support.tls import Tls
from wsproxy.tls_layer import TlsLayer, TlsTransport


class Upper(asyncio.Protocol):
    """Write down what it is told."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.data = bytearray()
        self.transport: Any = None
        self.lost = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data

    def eof_received(self) -> None:
        self.events.append("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")
        self.lost.set_result(exc)

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")


class Peer:
    """The server's side, driven by the test itself, with Python's own TLS objects."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self.sock = sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    async def do(self, action: Callable[[], Any]) -> Any:
        """Repeat the action, carrying bytes both ways, until TLS can do it."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                result = action()
            except ssl.SSLWantReadError:
                result = self
            if self.outgoing.pending:
                await loop.sock_sendall(self.sock, self.outgoing.read())
            if result is not self:
                return result
            data = await loop.sock_recv(self.sock, 65536)
            self.incoming.write(data) if data else self.incoming.write_eof()

    async def read(self, count: int) -> bytes:
        pieces: list[bytes] = []
        while (missing := count - sum(map(len, pieces))) > 0:
            pieces.append(await self.do(functools.partial(self.tls.read, missing)))
        return b"".join(pieces)


Connected = tuple[Upper, Peer]


@pytest_asyncio.fixture(params=["TLSv1_2", "TLSv1_3"])
async def connected(tls: Tls, request: pytest.FixtureRequest) -> AsyncIterator[Connected]:
    """Give a protocol on a layer, and the peer, after the handshake."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    context = ssl.create_default_context(cafile=str(tls.ca_file))
    context.maximum_version = ssl.TLSVersion[request.param]
    upper = Upper()
    layer = TlsLayer(context, "localhost", upper)
    peer = Peer(theirs, tls.server)
    with theirs:
        async with asyncio.timeout(60):
            await asyncio.get_running_loop().create_connection(lambda: layer, sock=ours)
            await peer.do(peer.tls.do_handshake)
            await layer.handshake
            assert upper.events == ["made"]
            yield upper, peer
        upper.transport.abort()
        if not upper.lost.done():
            await upper.lost


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def test_data_both_ways(connected: Connected) -> None:
    upper, peer = connected
    upper.transport.write(b"question")
    upper.transport.writelines([b"a", bytearray(b"b"), memoryview(b"c")])
    assert await peer.read(11) == b"questionabc"
    await peer.do(lambda: peer.tls.write(b"answer"))
    await until(lambda: upper.data == b"answer")


async def test_much_data_both_ways(connected: Connected) -> None:
    upper, peer = connected
    data = bytes(range(256)) * 4096
    upper.transport.write(data)
    assert await peer.read(len(data)) == data
    for start in range(0, len(data), 10_000):
        await peer.do(functools.partial(peer.tls.write, data[start : start + 10_000]))
    await until(lambda: len(upper.data) == len(data))
    assert upper.data == data


async def test_writing_is_paused_and_resumed(connected: Connected) -> None:
    upper, peer = connected
    transport: TlsTransport = upper.transport
    transport.set_write_buffer_limits(high=100_000, low=10_000)
    assert transport.get_write_buffer_limits() == (10_000, 100_000)
    count = 0
    while "pause" not in upper.events:
        transport.write(b"x" * 50_000)
        count += 50_000
    assert transport.get_write_buffer_size() > 100_000
    assert len(await peer.read(count)) == count
    await until(lambda: "resume" in upper.events)
    assert transport.get_write_buffer_size() <= 10_000


async def test_reading_is_paused_and_resumed(connected: Connected) -> None:
    upper, peer = connected
    transport: TlsTransport = upper.transport
    assert transport.is_reading()
    transport.pause_reading()
    assert not transport.is_reading()
    await peer.do(lambda: peer.tls.write(b"x" * 1000))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not upper.data
    transport.resume_reading()
    transport.resume_reading()
    assert not upper.data
    await until(lambda: len(upper.data) == 1000)


async def test_a_flood_is_held_back(connected: Connected) -> None:
    upper, peer = connected
    upper.transport.pause_reading()
    sent = blocked = 0
    waiting = b""

    def push() -> bool:
        nonlocal sent, blocked, waiting
        if not waiting:
            sent += peer.tls.write(b"x" * 16384)
            waiting = peer.outgoing.read()
        try:
            waiting = waiting[peer.sock.send(waiting) :]
            blocked = 0
        except BlockingIOError:
            blocked += 1
        assert sent < 1 << 27
        return blocked > 3

    await until(push)
    assert not upper.data
    upper.transport.resume_reading()
    await asyncio.get_running_loop().sock_sendall(peer.sock, waiting)
    await until(lambda: len(upper.data) == sent)


async def test_paused_by_the_data_itself(connected: Connected) -> None:
    upper, peer = connected
    received = []

    class Once(Upper):
        def data_received(self, data: bytes) -> None:
            received.append(data)
            upper.transport.pause_reading()

    once = Once()
    upper.transport.set_protocol(once)
    assert upper.transport.get_protocol() is once
    # Two records in one segment.
    peer.tls.write(b"first")
    await peer.do(lambda: peer.tls.write(b"second"))
    await until(lambda: bool(received))
    for _ in range(20):
        await asyncio.sleep(0)
    assert received == [b"first"]
    upper.transport.resume_reading()
    await until(lambda: received == [b"first", b"second"])
    upper.transport.set_protocol(upper)


async def test_close_sends_all_and_says_goodbye(connected: Connected) -> None:
    upper, peer = connected
    upper.transport.write(b"bye" * 100_000)
    upper.transport.close()
    assert upper.transport.is_closing()
    assert not upper.transport.is_reading()
    upper.transport.close()
    upper.transport.write(b"not any more")
    assert await peer.read(300_000) == b"bye" * 100_000
    # Without the goodbye this would be an SSLEOFError.
    assert await peer.do(lambda: peer.tls.read(1)) == b""
    assert await upper.lost is None
    assert upper.events[-1] == "lost"
    upper.transport.resume_reading()
    upper.transport.close()


async def test_the_peer_says_goodbye(connected: Connected) -> None:
    upper, peer = connected
    await peer.do(lambda: peer.tls.write(b"last words"))
    with pytest.raises(ssl.SSLError):
        peer.tls.unwrap()
    await asyncio.get_running_loop().sock_sendall(peer.sock, peer.outgoing.read())
    assert await upper.lost is None
    assert upper.data == b"last words"
    assert upper.events == ["made", "eof", "lost"]


async def test_the_peer_just_leaves(connected: Connected) -> None:
    upper, peer = connected
    await peer.do(lambda: peer.tls.write(b"last words"))
    peer.sock.close()
    await upper.lost
    assert upper.data == b"last words"
    assert upper.events == ["made", "eof", "lost"]


async def test_a_forged_record_ends_it(connected: Connected) -> None:
    upper, peer = connected
    await peer.do(lambda: peer.tls.write(b"true"))
    await asyncio.get_running_loop().sock_sendall(peer.sock, b"\x17\x03\x03\x00\x20" + b"x" * 32)
    await upper.lost
    assert upper.data == b"true"


async def test_abort(connected: Connected) -> None:
    upper, _ = connected
    upper.transport.abort()
    assert upper.transport.is_closing()
    assert await upper.lost is None
    assert upper.events == ["made", "lost"]


async def test_what_it_tells_about_itself(connected: Connected) -> None:
    upper, peer = connected
    info = upper.transport.get_extra_info
    assert info("ssl_object").version() == peer.tls.version()
    assert isinstance(info("sslcontext"), ssl.SSLContext)
    assert ("DNS", "localhost") in info("peercert")["subjectAltName"]
    assert info("cipher") == info("ssl_object").cipher()
    assert info("compression") is None
    assert info("socket") is not None
    assert info("nothing", 1) == 1
    assert not upper.transport.can_write_eof()


async def start(tls: Tls, name: str = "localhost") -> tuple[TlsLayer, Upper, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    upper = Upper()
    layer = TlsLayer(tls.client, name, upper)
    await asyncio.get_running_loop().create_connection(lambda: layer, sock=ours)
    return layer, upper, theirs


async def test_a_wrong_certificate_is_refused_with_an_alert(tls: Tls) -> None:
    layer, upper, theirs = await start(tls, "elsewhere.example")
    with theirs:
        peer = Peer(theirs, tls.server)

        async def shake_hands_and_read() -> None:
            await peer.do(peer.tls.do_handshake)
            await peer.do(lambda: peer.tls.read(1))

        served = asyncio.ensure_future(shake_hands_and_read())
        with pytest.raises(ssl.SSLCertVerificationError):
            await layer.handshake
        with pytest.raises(ssl.SSLError, match="ALERT"):
            await served
        layer.lower.abort()
    assert upper.events == []


async def test_garbage_in_the_handshake(tls: Tls) -> None:
    layer, upper, theirs = await start(tls)
    with theirs:
        theirs.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        with pytest.raises(ssl.SSLError):
            await layer.handshake
        layer.lower.abort()
    assert upper.events == []


async def test_the_end_in_the_handshake(tls: Tls) -> None:
    layer, upper, theirs = await start(tls)
    theirs.close()
    with pytest.raises(OSError):
        await layer.handshake
    layer.lower.abort()
    assert upper.events == []


async def test_aborted_in_the_handshake(tls: Tls) -> None:
    layer, upper, theirs = await start(tls)
    with theirs:
        layer.lower.abort()
        with pytest.raises(ConnectionResetError, match="during the TLS handshake"):
            await layer.handshake
    assert upper.events == []


async def test_a_second_loss_is_not_told_again(connected: Connected) -> None:
    upper, _ = connected
    layer = upper.transport._layer
    upper.transport.abort()
    await upper.lost
    layer.connection_lost(None)
    assert upper.events.count("lost") == 1
