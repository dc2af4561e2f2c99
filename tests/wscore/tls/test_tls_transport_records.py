"""Records between the socket and the protocol: cut anywhere, in both directions, flow control."""

import asyncio
import contextlib
import random
import socket
import ssl
import sys
import tracemalloc
from collections.abc import AsyncIterator

import pytest

from tests.support.leaks import LoopErrors, open_sockets
from tests.support.tls import Tls
from tests.wscore import wire
from tests.wscore.openssl_program import hear, hear_line, openssl, say
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.servers import LOOPBACK, port_of, serving
from tests.wscore.sockets.test_socket_transport import fill, pattern, reset
from tests.wscore.tls_peer import (
    MIB,
    VERSIONS,
    TlsPeer,
    against_tls_peer,
    below,
    client_of,
    raw_client,
    server_of,
    talk_tls,
    tls_by,
    until_open,
)
from tests.wscore.wire import BINARY, TEXT, F
from wscore import WSFrame, WSMsgType, WSTransport, ws_connect, ws_create_server

if sys.platform != "win32":
    import fcntl
    import termios


@pytest.fixture(params=["openssl", "ssl"], scope="module")
def tls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Run the test with records by OpenSSL itself, and by Python's `ssl`."""
    return tls_by(request.param, tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=sorted(VERSIONS))
def version(request: pytest.FixtureRequest) -> ssl.TLSVersion:
    """Run the test with each version of TLS."""
    return VERSIONS[request.param]


# Records


async def test_what_comes_with_the_end_of_the_handshake(tls: Tls) -> None:
    """The client's last step, its request and a frame, in one piece."""
    listener = Recorder()
    server = await ws_create_server(lambda _: listener, LOOPBACK, 0, ssl=tls.server)
    async with server, raw_client(port_of(server)) as sock:
        peer = TlsPeer(sock, client_of(tls, ssl.TLSVersion.TLSv1_3), server_side=False)
        with pytest.raises(ssl.SSLWantReadError):
            peer.tls.do_handshake()
        await peer.send_raw(peer.outgoing.read())
        while True:
            await peer.receive()
            with contextlib.suppress(ssl.SSLWantReadError):
                peer.tls.do_handshake()
                break
        await peer.send(wire.request(), F(TEXT, b"early"))
        await listener.until("frame")
        assert listener.seen == [(TEXT, b"early")]
        assert listener.transport is not None
        listener.transport.disconnect(graceful=False)
        await listener.until("disconnected")


@pytest.mark.parametrize("cut", [1, 2, 3, 4, 5, 6, 7, 100, 16_000])
async def test_records_cut_anywhere(side: str, tls: Tls, cut: int, version: ssl.TLSVersion) -> None:
    listener = Recorder()
    tls = Tls(tls.server, client_of(tls, version), tls.stranger, tls.ca_file, tls.cert_file)
    sizes = [0, 1, 125, 126, 300] if cut < 100 else [1, 16_383, 16_384, 16_385, 70_000]
    async with against_tls_peer(side, tls, listener) as (_, peer):
        peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        frames = [F(BINARY, pattern(size)) for size in sizes]
        data = peer.seal(*frames)
        for at in range(0, len(data), cut):
            await peer.send_raw(data[at : at + cut])
            await asyncio.sleep(0)
        await listener.until("frame", len(frames))
        assert listener.seen == [(BINARY, pattern(size)) for size in sizes]


async def test_many_records_in_one_read(side: str, tls: Tls) -> None:
    listener = Recorder(lambda transport, frame: transport.send(WSMsgType.TEXT, b"r"))
    async with against_tls_peer(side, tls, listener) as (_, peer):
        await peer.send(*(F(TEXT, b"%d" % n) for n in range(500)))
        await listener.until("frame", 500)
        assert listener.seen == [(TEXT, b"%d" % n) for n in range(500)]
        await peer.read_exactly(500 * (3 if side == "server" else 7))


async def test_one_frame_in_many_records(side: str, tls: Tls) -> None:
    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (_, peer):
        data = F(BINARY, pattern(1000)).wire(peer.masks)
        await peer.send(*(data[at : at + 1] for at in range(len(data))))
        await listener.until("frame")
        assert listener.seen == [(BINARY, pattern(1000))]


async def test_much_behind_the_beginning_of_a_record(side: str, tls: Tls) -> None:
    """What is decrypted is more, by almost a record, than the bytes that this read has brought."""
    listener = Recorder()
    sizes = [16_000] * 14
    async with against_tls_peer(side, tls, listener) as (_, peer):
        data = peer.seal(*(F(BINARY, pattern(size)) for size in sizes))
        await peer.send_raw(data[:15_900])
        for _ in range(5):
            await asyncio.sleep(0)
        await peer.send_raw(data[15_900:])
        await listener.until("frame", len(sizes))
        assert listener.seen == [(BINARY, pattern(size)) for size in sizes]


@pytest.mark.parametrize("seed", range(4))
async def test_partial_frames_in_partial_records(side: str, tls: Tls, seed: int) -> None:
    """Two connections receive into the same memory; a read may bring nothing of a frame."""
    source = random.Random(seed)
    choices = (10, 5_000, 20_000, 100_000, 700_000)
    payloads = [[source.randbytes(source.choice(choices)) for _ in range(8)] for _ in range(2)]
    listeners = [Recorder(), Recorder()]
    async with (
        against_tls_peer(side, tls, listeners[0]) as (_, first),
        against_tls_peer(side, tls, listeners[1]) as (_, second),
    ):
        peers, rests = (first, second), []
        for peer, own in zip(peers, payloads, strict=True):
            frames = b"".join(F(BINARY, payload).wire(peer.masks) for payload in own)
            pieces = []
            while frames:
                size = source.choice((100, 3_000, 16_384, 50_000))
                pieces.append(peer.seal(frames[:size]))
                frames = frames[size:]
            rests.append(b"".join(pieces))
        while any(rests):
            turn = source.randrange(2)
            size = source.choice((1, 7, 1_000, 16_000, 17_000, 100_000, 300_000))
            await peers[turn].send_raw(rests[turn][:size])
            rests[turn] = rests[turn][size:]
        for listener, own in zip(listeners, payloads, strict=True):
            await listener.until("frame", len(own))
            assert [frame.payload for frame in listener.frames] == own


async def test_beginnings_of_records_hold_no_memory(side: str, tls: Tls) -> None:
    """Nor do those of frames, beyond their own bytes."""
    tracemalloc.start()
    try:
        async with contextlib.AsyncExitStack() as stack:
            peers = []
            for _ in range(8):
                listener = Recorder()
                _, peer = await stack.enter_async_context(against_tls_peer(side, tls, listener))
                frames = F(TEXT, b"whole").wire(peer.masks) + F(TEXT, b"half").wire(peer.masks)
                await peer.send(frames[:-2])
                await listener.until("frame")
                peers.append((peer, peer.seal(frames[-2:])))
            before = tracemalloc.get_traced_memory()[0]
            for peer, data in peers:
                await peer.send_raw(data[:10])
                for _ in range(5):
                    await asyncio.sleep(0)
            assert tracemalloc.get_traced_memory()[0] - before < 4 * 256 * 1024
    finally:
        tracemalloc.stop()


async def test_changed_record(side: str, tls: Tls) -> None:
    """What came before it is delivered, and the peer is told by an alert."""
    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        good, bad = peer.seal(F(TEXT, b"good")), bytearray(peer.seal(F(TEXT, b"bad")))
        bad[-1] ^= 1
        await peer.send_raw(good + bad)
        await listener.until("disconnected")
        assert listener.seen == [(TEXT, b"good")]
        assert isinstance(transport.lost_exception, ssl.SSLError)
        with pytest.raises(ssl.SSLError, match=r"(?i)bad record mac"):
            await peer.read_to(b"never")


@pytest.mark.parametrize("noise", [b"\x17\x03\x03\xff\xff" + bytes(500), b"GET / HTTP/1.1\r\n"])
async def test_noise_instead_of_records(side: str, tls: Tls, noise: bytes) -> None:
    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        await peer.send_raw(noise * 1000)
        await listener.until("disconnected")
        assert isinstance(transport.lost_exception, OSError)


# Sending


@pytest.mark.parametrize("size", [0, 1, 16_380, 16_384, 16_385, 100_000, 131_072, 3 * MIB])
@pytest.mark.parametrize("count", [1, 3])
async def test_sizes_of_messages(side: str, tls: Tls, size: int, count: int) -> None:
    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        expected = 0
        for _ in range(count):
            transport.send(WSMsgType.BINARY, pattern(size))
            head = 2 + (0 if size < 126 else 2 if size < 65536 else 8)
            expected += head + size + (0 if side == "server" else 4)
        data = await peer.read_exactly(expected)
        if side == "server":
            assert data[: len(data) // count].endswith(pattern(size))
            assert data.endswith(pattern(size))
        assert below(transport).get_write_buffer_size() == 0


@pytest.mark.parametrize("size", [16_383, 16_384, 16_385, 32_768, 131_072, 262_144])
async def test_bytes_without_a_frame(side: str, tls: Tls, size: int) -> None:
    """They leave at once, also if they are just the records that TLS makes of them."""
    async with (
        against_tls_peer(side, tls, Recorder()) as (first, peer),
        against_tls_peer(side, tls, Recorder()) as (second, other),
    ):
        below(first).write(pattern(size))
        below(second).write(b"other")
        assert await other.read_exactly(5) == b"other"
        assert await peer.read_exactly(size) == pattern(size)


async def test_memory_may_be_changed_once_sent(side: str, tls: Tls) -> None:
    message = bytearray(b"x" * 4 * MIB)
    async with against_tls_peer(side, tls, Recorder()) as (transport, peer):
        transport.send(WSMsgType.BINARY, message)
        message[:] = bytes(len(message))
        head = 10 if side == "server" else 14
        data = await peer.read_exactly(head + len(message))
        if side == "server":
            assert data[head:] == b"x" * len(message)


async def test_slow_peer_pauses_writing(side: str, tls: Tls) -> None:
    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        assert below(transport).get_write_buffer_limits() == (16 * 1024, 64 * 1024)
        below(transport).set_write_buffer_limits(high=200_000, low=0)
        sent = fill(below(transport), 200_001)
        assert listener.events[-1] == "paused"
        assert transport.is_writing_paused
        for _ in range(10):
            below(transport).write(bytes(1000))
        await peer.read_exactly(sent + 10_000)
        await listener.until("resumed")
        assert not transport.is_writing_paused
        assert listener.events.count("paused") == 1


async def test_order_of_what_waits(side: str, tls: Tls) -> None:
    """Small and large, before and after the socket is full."""
    pieces = [pattern(size) for size in (10, 400_000, 7, 3 * MIB, 99_999, 1, 2 * MIB, 20_000)]
    async with against_tls_peer(side, tls, Recorder()) as (transport, peer):
        for piece in pieces:
            below(transport).write(piece)
        expected = b"".join(pieces)
        assert await peer.read_exactly(len(expected)) == expected


async def test_abort_while_bytes_wait(side: str, tls: Tls) -> None:
    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (transport, _):
        fill(below(transport), MIB)
        transport.disconnect(graceful=False)
        await listener.until("disconnected")
        assert below(transport).get_write_buffer_size() == 0


@pytest.mark.parametrize("size", [1000, MIB])
async def test_sending_to_a_peer_that_is_gone(side: str, tls: Tls, size: int) -> None:
    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        reset(peer.sock)
        for _ in range(20):
            transport.send(WSMsgType.BINARY, bytes(size))
        await listener.until("disconnected")
        transport.send(WSMsgType.BINARY, bytes(size))


# Reading


async def test_pause_between_records_of_one_read(side: str, tls: Tls) -> None:
    """What has been received and not been decrypted waits as well, and is first."""
    sizes = [1000] * 20 + [16_000] * 20

    def pause(transport: WSTransport, frame: WSFrame) -> None:
        below(transport).pause_reading()

    listener = Recorder(pause)
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        sending = asyncio.create_task(peer.send(*(F(BINARY, pattern(n)) for n in sizes)))
        while len(listener.frames) < len(sizes):
            await listener.until("frame", len(listener.frames) + 1)
            count = len(listener.frames)
            for _ in range(5):
                await asyncio.sleep(0)
            assert len(listener.frames) == count
            assert not below(transport).is_reading()
            below(transport).resume_reading()
        await sending
        assert listener.seen == [(BINARY, pattern(n)) for n in sizes]


async def test_end_of_the_peer_while_reading_is_paused(side: str, tls: Tls) -> None:
    listener = Recorder(lambda transport, frame: below(transport).pause_reading())
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        await peer.send_raw(peer.seal(*(F(BINARY, pattern(16_000)) for _ in range(30))))
        peer.sock.shutdown(socket.SHUT_WR)
        while len(listener.frames) < 30:
            await listener.until("frame", len(listener.frames) + 1)
            below(transport).resume_reading()
        await listener.until("disconnected")


# Under another's hand: OpenSSL's own programs


@pytest.mark.parametrize("command", [b"k\n", b"K\n"])
async def test_new_keys(tls: Tls, command: bytes, no_leaks: LoopErrors) -> None:
    """KeyUpdate of TLS 1.3, with and without asking for ours (RFC 8446, 4.6.3)."""
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        where = f"{LOOPBACK}:{port_of(server)}"
        async with openssl("s_client", "-connect", where, "-tls1_3") as process:
            await say(process, wire.request())
            await hear(process, b" 101 ")
            for n in range(3):
                await say(process, command)
                await hear(process, b"KEYUPDATE")
                await say(process, F(TEXT, b"after %d\n" % n).wire(True))
                await hear(process, b"after %d" % n)


def unread(transport: WSTransport) -> int:
    """How many bytes wait in the socket."""
    sock = below(transport).get_extra_info("socket")
    return int.from_bytes(fcntl.ioctl(sock, termios.FIONREAD, bytes(4)), sys.byteorder)


async def test_new_keys_many_times_at_once(tls: Tls) -> None:
    """Each costs 40 to 80 µs, and 27 bytes: the loop iterates in between."""
    listener = Recorder()
    server = await ws_create_server(lambda _: listener, LOOPBACK, 0, ssl=tls.server)
    where = f"{LOOPBACK}:{port_of(server)}"
    async with server, openssl("s_client", "-connect", where, "-tls1_3") as process:
        await say(process, wire.request())
        await hear(process, b" 101 ")
        assert listener.transport is not None
        below(listener.transport).pause_reading()
        for _ in range(320):
            await say(process, b"k\n")
            await hear(process, b"KEYUPDATE")
        await say(process, F(TEXT, b"behind them").wire(True))
        async with asyncio.timeout(BOUND):
            while unread(listener.transport) <= 320 * 27:
                await asyncio.sleep(0.001)
        iterations = 0
        below(listener.transport).resume_reading()
        async with asyncio.timeout(BOUND):
            while not listener.frames:
                await asyncio.sleep(0)
                iterations += 1
        assert iterations > 320 // 64


@pytest.mark.asyncio(loop_factories=["asyncio"])
async def test_new_keys_without_end_for_a_peer_that_does_not_read(tls: Tls) -> None:
    """Each is answered by a record, all of which would have to wait."""
    listener = Recorder()
    server = await ws_create_server(lambda _: listener, LOOPBACK, 0, ssl=tls.server)
    async with (
        relay_one_way(port_of(server)) as (port, is_deaf),
        openssl("s_client", "-connect", f"{LOOPBACK}:{port}", "-tls1_3") as process,
    ):
        await say(process, wire.request())
        await hear(process, b" 101 ")
        assert listener.transport is not None
        is_deaf.set()
        fill(below(listener.transport), MIB)
        size = below(listener.transport).get_write_buffer_size()
        while "disconnected" not in listener.events:
            await say(process, b"K\n")
            await hear(process, b"KEYUPDATE")
            assert below(listener.transport).get_write_buffer_size() < size + 8 * 1024
        assert "requests key updates without reading them" in str(listener.transport.lost_exception)
    server.close()
    async with asyncio.timeout(BOUND):
        await server.wait_closed()


@contextlib.asynccontextmanager
async def relay_one_way(port: int) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Pass on what a client says; of what the server says nothing more once the event is set."""
    is_deaf = asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection(LOOPBACK, port)
        back = asyncio.ensure_future(pass_on(from_server, writer))
        stopping = asyncio.ensure_future(is_deaf.wait())
        there = asyncio.ensure_future(pass_on(reader, to_server))
        try:
            await stopping
            back.cancel()
            await there
        finally:
            for task in (back, stopping, there):
                task.cancel()
            await asyncio.gather(back, stopping, there, return_exceptions=True)
            to_server.close()
            writer.close()

    server = await asyncio.start_server(
        lambda r, w: tasks.append(asyncio.ensure_future(relay(r, w))), LOOPBACK, 0
    )
    try:
        yield port_of(server), is_deaf
    finally:
        server.close()
        is_deaf.set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


async def test_renegotiation_by_a_client(tls: Tls) -> None:
    """Refused; the connection is over for the client that insists, and only for it."""
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        before = open_sockets()
        where = f"{LOOPBACK}:{port_of(server)}"
        async with openssl("s_client", "-connect", where, "-tls1_2") as process:
            await say(process, wire.request())
            await hear(process, b" 101 ")
            await say(process, b"R\n")
            async with asyncio.timeout(BOUND):
                await process.wait()
        await talk_tls(server, tls.client)
        await until_open(before)


async def test_renegotiation_that_the_server_allows(tls: Tls) -> None:
    """It chooses the certificate again, in the middle of what it receives."""
    names = []
    context = server_of(tls)
    context.options |= 1 << 8  # SSL_OP_ALLOW_CLIENT_RENEGOTIATION
    context.sni_callback = lambda _, name, __: names.append(name)
    async with serving(LOOPBACK, 0, ssl=context) as server:
        where = f"{LOOPBACK}:{port_of(server)}"
        arguments = ("-connect", where, "-tls1_2", "-servername", "localhost")
        async with openssl("s_client", *arguments) as process:
            await say(process, wire.request())
            await hear(process, b" 101 ")
            for n in range(3):
                await say(process, b"R\n")
                await hear(process, b"verify return:1\n")
                await say(process, F(TEXT, b"after %d\n" % n).wire(True))
                await hear(process, b"after %d" % n)
    assert names == ["localhost"] * 4


@pytest.mark.parametrize(("how", "command"), [("-tls1_2", b"r\n"), ("-tls1_3", b"K\n")])
async def test_server_that_wants_new_keys(tls: Tls, how: str, command: bytes) -> None:
    """What is sent while a handshake is under way waits for its end."""
    cert = ("-cert", str(tls.cert_file), "-key", str(tls.cert_file))
    async with openssl("s_server", "-accept", f"{LOOPBACK}:0", *cert, how) as process:
        port = int((await hear_line(process, b"ACCEPT")).rpartition(b":")[2])
        listener = Recorder()
        url = f"wss://localhost:{port}/"
        connecting = asyncio.create_task(
            ws_connect(lambda: listener, url, ssl_context=tls.client, family=socket.AF_INET)
        )
        request = await hear(process, b"\r\n\r\n")
        key = wire.header_of(request, "Sec-WebSocket-Key")
        assert key is not None
        await say(process, wire.response(key))
        transport, _ = await connecting
        for n in range(3):
            await say(process, command)
            for part in range(100):
                below(transport).write(b"line %d of %d\n" % (part, n))
                await asyncio.sleep(0)
            await hear(process, b"line 99 of %d\n" % n)
            await say(process, F(TEXT, b"after %d" % n).wire(False))
            await listener.until("frame", n + 1)
        assert listener.seen == [(TEXT, b"after %d" % n) for n in range(3)]
        transport.disconnect(graceful=False)
        await listener.until("disconnected")
