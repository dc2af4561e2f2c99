"""TLS on our own transport: handshakes that fail, records, flow control, the goodbye."""

import asyncio
import contextlib
import logging
import os
import random
import socket
import ssl
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.leaks import LoopErrors, open_sockets
from tests.support.tls import Tls
from tests.wscore import wire
from tests.wscore.packets import server_protocol
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.servers import LOOPBACK, Echo, port_of, serving, talk
from tests.wscore.test_socket_transport import fill, pattern, reset
from tests.wscore.tls_peer import TlsPeer, against_tls_peer, listening, raw_client
from tests.wscore.wire import BINARY, CLOSE, PING, TEXT, F, close
from wscore import WSFrame, WSMsgType, WSTransport, ws_connect, ws_create_server
from wscore.tls_transport import TlsTransport

MIB = 1 << 20
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


@pytest.fixture(params=sorted(VERSIONS))
def version(request: pytest.FixtureRequest) -> ssl.TLSVersion:
    """Run the test with each version of TLS."""
    return VERSIONS[request.param]


def client_of(tls: Tls, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A context that trusts the server, and speaks one version only."""
    context = ssl.create_default_context(cafile=tls.ca_file)
    context.minimum_version = context.maximum_version = version
    return context


def server_of(tls: Tls) -> ssl.SSLContext:
    """A server's context that a test may change."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.cert_file)
    return context


def below(transport: WSTransport) -> TlsTransport:
    found = transport.underlying_transport
    assert isinstance(found, TlsTransport)
    return found


async def talk_tls(server: asyncio.Server, context: ssl.SSLContext, **options: Any) -> WSTransport:
    return await talk(f"wss://{LOOPBACK}:{port_of(server)}/", ssl_context=context, **options)


# What a transport tells


async def test_extra_info(tls: Tls, version: ssl.TLSVersion) -> None:
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        context = client_of(tls, version)
        info = below(await talk_tls(server, context)).get_extra_info
        assert info("ssl_object").version() == f"TLSv1.{version - ssl.TLSVersion.TLSv1}"
        assert info("ssl_object").selected_alpn_protocol() is None
        assert info("sslcontext") is context
        assert ("DNS", "localhost") in info("peercert")["subjectAltName"]
        assert info("cipher")[2] >= 128
        assert info("compression") is None
        assert info("peername")[1] == port_of(server)
        assert isinstance(info("socket"), socket.socket)
        assert info("nothing known", 7) == 7


async def test_cannot_be_closed_in_one_direction(side: str, tls: Tls) -> None:
    async with against_tls_peer(side, tls, Recorder()) as (transport, _):
        assert not below(transport).can_write_eof()
        with pytest.raises(NotImplementedError):
            below(transport).write_eof()


async def test_server_name(tls: Tls) -> None:
    names = []
    context = server_of(tls)
    context.sni_callback = lambda _, name, __: names.append(name)
    async with serving(LOOPBACK, 0, ssl=context) as server:
        await talk_tls(server, tls.client)  # an address is not sent
        await talk_tls(server, tls.client, server_hostname="localhost")
        assert names == [None, "localhost"]


async def test_protocols_of_the_server_that_the_client_does_not_offer(tls: Tls) -> None:
    context = server_of(tls)
    context.set_alpn_protocols(["http/1.1"])
    async with serving(LOOPBACK, 0, ssl=context) as server:
        info = (await talk_tls(server, tls.client)).underlying_transport.get_extra_info
        assert info("ssl_object").selected_alpn_protocol() is None


@pytest.mark.parametrize("has_certificate", [True, False])
async def test_client_certificate(tls: Tls, version: ssl.TLSVersion, has_certificate: bool) -> None:
    seen = []

    class Asking(Echo):
        def on_ws_connected(self, transport: WSTransport) -> None:
            seen.append(transport.underlying_transport.get_extra_info("peercert"))

    server_context = server_of(tls)
    server_context.load_verify_locations(tls.ca_file)
    server_context.verify_mode = ssl.CERT_REQUIRED
    context = client_of(tls, version)
    if has_certificate:
        context.load_cert_chain(tls.cert_file)
    server = await ws_create_server(lambda _: Asking(), LOOPBACK, 0, ssl=server_context)
    async with server:
        if has_certificate:
            await talk_tls(server, context)
            assert "subjectAltName" in seen[0]
        else:
            with pytest.raises(OSError):
                await talk_tls(server, context)
            assert seen == []


# Handshakes that fail


async def test_unknown_authority(tls: Tls, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "wscore")
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await talk_tls(server, tls.stranger)
        while "TLS handshake" not in caplog.text:
            await asyncio.sleep(0)
        assert {record.levelno for record in caplog.records if "TLS" in record.message} == {
            logging.DEBUG
        }


async def test_certificate_for_another_name(tls: Tls) -> None:
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await talk_tls(server, tls.client, server_hostname="example.invalid")


async def test_no_common_version(tls: Tls) -> None:
    context = server_of(tls)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    async with serving(LOOPBACK, 0, ssl=context) as server:
        with pytest.raises(ssl.SSLError):
            await talk_tls(server, client_of(tls, ssl.TLSVersion.TLSv1_2))


async def test_wrong_name_for_the_server(tls: Tls) -> None:
    """Refused by `ssl` before anything is sent."""
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        with pytest.raises(ValueError):
            await talk_tls(server, tls.client, server_hostname=".example.invalid")


BROKEN = {
    "nothing": b"",
    "part of a head": b"\x16\x03\x01",
    "part of a hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "plain HTTP": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a record that is too long": b"\x16\x03\x01\xff\xff" + bytes(1000),
    "an alert": b"\x15\x03\x01\x00\x02\x02\x28",
    "noise": bytes(range(255, -1, -1)) * 1000,
}


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("said", BROKEN)
async def test_client_that_breaks_off(tls: Tls, said: str, end: str) -> None:
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        before = open_sockets()
        for _ in range(3):
            async with raw_client(port_of(server)) as sock:
                with contextlib.suppress(ConnectionError):
                    await asyncio.get_running_loop().sock_sendall(sock, BROKEN[said])
                if end == "reset":
                    reset(sock)
        await talk_tls(server, tls.client)
        await until_open(before)


@pytest.mark.parametrize("end", ["close", "reset"])
@pytest.mark.parametrize("said", BROKEN)
async def test_server_that_breaks_off(tls: Tls, said: str, end: str) -> None:
    loop = asyncio.get_running_loop()
    with listening() as listener:
        before = open_sockets()
        for _ in range(3):
            url = f"wss://{LOOPBACK}:{listener.getsockname()[1]}/"
            task = asyncio.create_task(ws_connect(Recorder, url, ssl_context=tls.client))
            sock, _ = await loop.sock_accept(listener)
            with contextlib.suppress(ConnectionError):
                await loop.sock_sendall(sock, BROKEN[said])
            reset(sock) if end == "reset" else sock.close()
            with pytest.raises(OSError):
                async with asyncio.timeout(BOUND):
                    await task
        await until_open(before)


async def test_thousands_of_failed_handshakes(tls: Tls) -> None:
    """They leave nothing; the fixture looks for reports to the loop, tasks and descriptors."""
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        before = open_sockets()

        async def scan(n: int) -> None:
            async with raw_client(port_of(server)) as sock:
                if n % 2:
                    sock.send(b"\x16\x03\x01\x00\x05hello")
                if n % 3 == 0:
                    reset(sock)

        for first in range(0, 3000, 60):
            await asyncio.gather(*(scan(n) for n in range(first, first + 60)))
        await talk_tls(server, tls.client)
        await until_open(before)


async def until_open(expected: set[str]) -> None:
    """Wait until no more sockets are open than these."""
    async with asyncio.timeout(BOUND):
        while open_sockets() - expected:
            await asyncio.sleep(0)


# Time and cancellation


@pytest.mark.parametrize("turns", [*range(30), 40, 60, 100])
async def test_client_cancelled_at_each_moment(tls: Tls, turns: int) -> None:
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        url = f"wss://{LOOPBACK}:{port_of(server)}/"
        task = asyncio.create_task(ws_connect(Recorder, url, ssl_context=tls.client))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        try:
            transport, _ = await task
        except asyncio.CancelledError:
            pass
        else:
            transport.disconnect()
            await transport.wait_disconnected()
        await talk_tls(server, tls.client)  # its descriptor has the number of the one given up


async def test_client_cancelled_at_each_message_of_the_handshake(
    tls: Tls, version: ssl.TLSVersion
) -> None:
    """The server answers byte by byte, so that every state of the client is met."""
    loop = asyncio.get_running_loop()
    context = client_of(tls, version)
    with listening() as listener:
        before = open_sockets()
        url = f"wss://{LOOPBACK}:{listener.getsockname()[1]}/"
        for size in range(0, 3000, 250):
            task = asyncio.create_task(ws_connect(Recorder, url, ssl_context=context))
            sock, _ = await loop.sock_accept(listener)
            with sock:
                peer = TlsPeer(sock, tls.server, server_side=True)
                peer.incoming.write(await loop.sock_recv(sock, 1 << 16))
                with contextlib.suppress(ssl.SSLWantReadError):
                    peer.tls.do_handshake()
                await peer.send_raw(peer.outgoing.read()[:size])
                for _ in range(10):
                    await asyncio.sleep(0)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
        await until_open(before)


async def test_server_that_says_nothing(tls: Tls) -> None:
    with listening() as listener:
        url = f"wss://{LOOPBACK}:{listener.getsockname()[1]}/"
        before = open_sockets()
        with pytest.raises(ConnectionAbortedError, match=r"0\.05 seconds"):
            await ws_connect(Recorder, url, ssl_context=tls.client, ssl_handshake_timeout=0.05)
        assert open_sockets() == before


async def test_client_that_says_nothing(tls: Tls) -> None:
    async with (
        serving(LOOPBACK, 0, ssl=tls.server, ssl_handshake_timeout=0.05) as server,
        raw_client(port_of(server)) as sock,
        asyncio.timeout(BOUND),
    ):
        assert await asyncio.get_running_loop().sock_recv(sock, 1000) == b""


@pytest.mark.parametrize("name", ["ssl_handshake_timeout", "ssl_shutdown_timeout"])
async def test_wrong_timeouts(tls: Tls, name: str) -> None:
    for value, secure in ((0, True), (-1, True), (5, False)):
        wrong = {name: value, "ssl": tls.server if secure else None}
        with pytest.raises(ValueError):
            await ws_create_server(lambda _: Echo(), LOOPBACK, 0, **wrong)


async def test_server_without_a_context() -> None:
    with pytest.raises(TypeError):
        await ws_create_server(lambda _: Echo(), LOOPBACK, 0, ssl=True)


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


# The goodbye


async def test_closing_sends_close_notify(side: str, tls: Tls, version: ssl.TLSVersion) -> None:
    listener = Recorder()
    tls = Tls(tls.server, client_of(tls, version), tls.stranger, tls.ca_file, tls.cert_file)
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        transport.send_close(1000)
        transport.disconnect()
        await peer.read_exactly(4 if side == "server" else 8)
        assert await peer.read() == b""
        assert "disconnected" not in listener.events
        await peer.send_raw(peer.say_goodbye())
        await listener.until("disconnected")
        assert transport.lost_exception is None
        with pytest.raises((EOFError, ConnectionError)):
            await peer.receive()


async def test_close_notify_leaves_with_the_last_frame(tls: Tls) -> None:
    """Here each send is read by itself."""
    listener = Recorder()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        ours.setblocking(False)
        theirs.setblocking(False)
        protocol = server_protocol(listener)
        TlsTransport(
            asyncio.get_running_loop(), ours, protocol, tls.server, BOUND, BOUND, server_side=True
        )
        peer = TlsPeer(theirs, tls.client, server_side=False)
        await peer.shake_hands()
        await peer.send(wire.request())
        await peer.read_to(b"\r\n\r\n")
        transport = protocol.transport
        with transport.cork():
            transport.send_close(1000)
            transport.disconnect()
        await peer.receive()
        assert len(peer.tls.read(100)) == 4
        assert peer.tls.read(100) == b""
        await peer.send_raw(peer.say_goodbye())
        await listener.until("disconnected")


async def test_close_notify_is_answered(side: str, tls: Tls, version: ssl.TLSVersion) -> None:
    listener = Recorder()
    tls = Tls(tls.server, client_of(tls, version), tls.stranger, tls.ca_file, tls.cert_file)
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        await peer.send_raw(peer.seal(F(TEXT, b"last")) + peer.say_goodbye())
        await listener.until("disconnected")
        assert listener.seen == [(TEXT, b"last")]
        assert transport.lost_exception is None
        assert await peer.read() == b""


async def test_end_without_close_notify(side: str, tls: Tls) -> None:
    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (_, peer):
        await peer.send_raw(peer.seal(F(TEXT, b"last")))
        peer.sock.shutdown(socket.SHUT_WR)
        await listener.until("disconnected")
        assert listener.seen == [(TEXT, b"last")]
        assert await peer.read() == b""


async def test_reset_in_the_middle(side: str, tls: Tls) -> None:
    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        reset(peer.sock)
        await listener.until("disconnected")
        assert isinstance(transport.lost_exception, ConnectionResetError)


async def test_reset_behind_the_last_words(side: str, tls: Tls) -> None:
    """Both are there when the loop looks; libuv tells of it once only."""
    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (_, peer):
        peer.sock.send(peer.seal(F(TEXT, b"last")))
        reset(peer.sock)
        await listener.until("disconnected")


async def test_peer_that_says_no_goodbye(side: str, tls: Tls) -> None:
    listener = Recorder()
    async with against_tls_peer(side, tls, listener, ssl_shutdown_timeout=0.05) as (transport, _):
        transport.disconnect()
        await listener.until("disconnected")


async def test_peer_that_reads_nothing_when_we_close(side: str, tls: Tls) -> None:
    listener = Recorder()
    async with against_tls_peer(side, tls, listener, ssl_shutdown_timeout=0.05) as (transport, _):
        fill(below(transport), MIB)
        transport.disconnect()
        await listener.until("disconnected")


async def test_peer_that_still_sends_when_we_close(side: str, tls: Tls) -> None:
    """It is thrown away, and does not make the system reset the connection."""
    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        transport.send(WSMsgType.TEXT, "last words")
        transport.disconnect()
        await peer.send(*(F(BINARY, pattern(16_000)) for _ in range(50)))
        await peer.read_exactly(12 if side == "server" else 16)
        assert await peer.read() == b""
        await peer.send_raw(peer.say_goodbye())
        await listener.until("disconnected")
        assert listener.seen == []
        assert transport.lost_exception is None


async def test_both_close_at_once(side: str, tls: Tls) -> None:
    listener = Recorder()
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        transport.disconnect()
        await peer.send_raw(peer.say_goodbye())
        await listener.until("disconnected")
        assert transport.lost_exception is None


async def test_close_handshake_of_websocket_first(side: str, tls: Tls) -> None:
    def answer(transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    listener = Recorder(answer)
    async with against_tls_peer(side, tls, listener) as (_, peer):
        await peer.send(F(PING, b"?"), close(1001))
        await listener.until("frame")
        assert listener.seen == [(CLOSE, close(1001).payload)]
        assert await peer.read() != b""
        assert await peer.read() == b""
        await peer.send_raw(peer.say_goodbye())
        await listener.until("disconnected")


# Under another's hand: OpenSSL's own programs


@contextlib.asynccontextmanager
async def openssl(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        "openssl",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "LC_ALL": "C"},
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def say(process: asyncio.subprocess.Process, data: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(data)
    await process.stdin.drain()


async def hear(process: asyncio.subprocess.Process, expected: bytes) -> None:
    assert process.stdout is not None
    heard = b""
    async with asyncio.timeout(BOUND):
        while expected not in heard:
            data = await process.stdout.read(65536)
            assert data, heard
            heard += data


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
