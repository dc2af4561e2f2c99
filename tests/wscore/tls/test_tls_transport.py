"""How a connection over TLS begins and ends: handshakes that fail, time, the goodbye."""

import asyncio
import contextlib
import logging
import socket
import ssl

import pytest

from tests.support.leaks import open_sockets
from tests.support.tls import Tls
from tests.wscore import wire
from tests.wscore.packets import server_protocol
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.servers import LOOPBACK, Echo, port_of, serving
from tests.wscore.sockets.test_socket_transport import fill, pattern, reset
from tests.wscore.tls_peer import (
    MIB,
    VERSIONS,
    TlsPeer,
    against_tls_peer,
    below,
    client_of,
    listening,
    raw_client,
    server_of,
    talk_tls,
    tls_by,
    until_open,
)
from tests.wscore.wire import BINARY, CLOSE, PING, TEXT, F, close
from wscore import WSFrame, WSMsgType, WSTransport, ws_connect, ws_create_server
from wscore.tls.tls_transport import TlsTransport


@pytest.fixture(params=["openssl", "ssl"], scope="module")
def tls(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tls:
    """Run the test with records by OpenSSL itself, and by Python's `ssl`."""
    return tls_by(request.param, tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=sorted(VERSIONS))
def version(request: pytest.FixtureRequest) -> ssl.TLSVersion:
    """Run the test with each version of TLS."""
    return VERSIONS[request.param]


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


# The goodbye


async def test_closing_sends_close_notify(side: str, tls: Tls, version: ssl.TLSVersion) -> None:
    listener = Recorder()
    tls = Tls(tls.server, client_of(tls, version), tls.stranger, tls.ca_file, tls.cert_file)
    async with against_tls_peer(side, tls, listener) as (transport, peer):
        transport.send_close(1000)
        transport.disconnect()
        await peer.read_exactly(4 if side == "server" else 8)
        await peer.send(close(1000))
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
            transport.send(WSMsgType.TEXT, "go")
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


async def test_peer_that_has_closed_and_says_no_goodbye(side: str, tls: Tls) -> None:
    """It has all that was sent, and nothing more to say: a moment is enough."""

    def answer(transport: WSTransport, frame: WSFrame) -> None:
        transport.send_close(1000)
        transport.disconnect()

    listener = Recorder(answer)
    async with against_tls_peer(side, tls, listener, disconnect_timeout=60) as (transport, peer):
        await peer.send(close(1000))
        await listener.until("disconnected")
        assert transport.lost_exception is None


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
