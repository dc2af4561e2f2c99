"""A peer whose TLS happens in memory, so that a test has the encrypted bytes in its hands.

It can cut them, change them, hold them back, or stop in the middle of the handshake.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from tests.support.leaks import open_sockets
from tests.support.tls import Tls, make_tls
from tests.wscore import wire
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.servers import LOOPBACK, port_of, talk
from wscore import WSTransport, ws_connect, ws_create_server
from wscore.tls.tls_transport import TlsTransport

MIB = 1 << 20
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def tls_by(records: str, folder: Path) -> Tls:
    """Contexts whose connections encrypt their records by OpenSSL itself, or by Python's `ssl`.

    A context that writes its keys down goes through `ssl`.

    Args:
        records: ``openssl`` or ``ssl``.
        folder: an empty one.
    """
    tls = make_tls(folder)
    if records == "ssl":
        tls.server.keylog_filename = tls.client.keylog_filename = str(folder / "keys")
    return tls


def client_of(tls: Tls, version: ssl.TLSVersion) -> ssl.SSLContext:
    """Return a context that trusts the server, and speaks one version only."""
    context = ssl.create_default_context(cafile=tls.ca_file)
    context.minimum_version = context.maximum_version = version
    context.keylog_filename = tls.client.keylog_filename
    return context


def server_of(tls: Tls) -> ssl.SSLContext:
    """Return a server's context that a test may change."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls.cert_file)
    context.keylog_filename = tls.server.keylog_filename
    return context


def below(transport: WSTransport) -> TlsTransport:
    found = transport.underlying_transport
    assert isinstance(found, TlsTransport)
    return found


async def talk_tls(server: asyncio.Server, context: ssl.SSLContext, **options: Any) -> WSTransport:
    return await talk(f"wss://{LOOPBACK}:{port_of(server)}/", ssl_context=context, **options)


async def until_open(expected: set[str]) -> None:
    """Wait until no more sockets are open than these."""
    async with asyncio.timeout(BOUND):
        while open_sockets() - expected:
            await asyncio.sleep(0)


class TlsPeer:
    """One end of a connection.

    Args:
        sock: connected, non-blocking.
        context: of this end.
        server_side: whether it is the server.
    """

    def __init__(self, sock: socket.socket, context: ssl.SSLContext, server_side: bool) -> None:
        self.sock = sock
        self.masks = not server_side
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(
            self.incoming,
            self.outgoing,
            server_side=server_side,
            server_hostname=None if server_side else "localhost",
        )

    async def shake_hands(self) -> None:
        """Complete the handshake."""
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                await self.send_raw(self.outgoing.read())
                await self.receive()
        await self.send_raw(self.outgoing.read())

    def seal(self, *parts: bytes | wire.F) -> bytes:
        """Each part encrypted, as a record of its own or, if it is large, as several."""
        for part in parts:
            data = part.wire(self.masks) if isinstance(part, wire.F) else part
            while data:
                data = data[self.tls.write(data) :]
        return self.outgoing.read()

    async def send(self, *parts: bytes | wire.F) -> None:
        """Send the parts in one piece."""
        await self.send_raw(self.seal(*parts))

    async def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        async with asyncio.timeout(BOUND):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def read(self) -> bytes:
        """Return what the next record has; empty after close_notify, EOFError at the end of TCP."""
        while True:
            try:
                return self.tls.read(1 << 20)
            except ssl.SSLWantReadError:
                await self.receive()
            except ssl.SSLZeroReturnError:  # after a goodbye of our own
                return b""

    async def read_to(self, ending: bytes) -> bytes:
        """All up to some bytes."""
        data = b""
        while not data.endswith(ending):
            data += await self.read()
        return data

    async def read_exactly(self, size: int) -> bytes:
        """So many bytes, which are all that come."""
        data = bytearray()
        while len(data) < size:
            data += await self.read()
        assert len(data) == size
        return bytes(data)

    def say_goodbye(self) -> bytes:
        """Return a close_notify."""
        with contextlib.suppress(ssl.SSLError):
            self.tls.unwrap()
        return self.outgoing.read()

    async def receive(self) -> None:
        """Wait for bytes of the other side."""
        async with asyncio.timeout(BOUND):
            data = await asyncio.get_running_loop().sock_recv(self.sock, 1 << 18)
        if not data:
            raise EOFError("the other side has closed TCP")
        self.incoming.write(data)


@contextlib.contextmanager
def listening() -> Iterator[socket.socket]:
    """Yield a socket that clients can connect to."""
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        sock.listen()
        sock.setblocking(False)
        yield sock


@contextlib.asynccontextmanager
async def raw_client(port: int) -> AsyncIterator[socket.socket]:
    """Yield a connected socket that has said nothing yet."""
    with socket.socket() as sock:
        sock.setblocking(False)
        async with asyncio.timeout(BOUND):
            await asyncio.get_running_loop().sock_connect(sock, (LOOPBACK, port))
        yield sock


@contextlib.asynccontextmanager
async def against_tls_peer(
    side: str, tls: Tls, listener: Recorder, **options: Any
) -> AsyncIterator[tuple[WSTransport, TlsPeer]]:
    """Yield an open connection: wscore on one end, a `TlsPeer` on the other.

    Args:
        side: which side wscore is, client or server.
        tls: the contexts.
        listener: of wscore's side.
        options: of `ws_connect` or `ws_create_server`.
    """
    own = _against_client if side == "server" else _against_server
    async with own(tls, listener, options) as (transport, peer):
        try:
            yield transport, peer
        finally:
            transport.disconnect(graceful=False)
            async with asyncio.timeout(BOUND):
                await transport.wait_disconnected()


@contextlib.asynccontextmanager
async def _against_client(
    tls: Tls, listener: Recorder, options: dict[str, Any]
) -> AsyncIterator[tuple[WSTransport, TlsPeer]]:
    server = await ws_create_server(lambda _: listener, LOOPBACK, 0, ssl=tls.server, **options)
    async with server, raw_client(server.sockets[0].getsockname()[1]) as sock:
        peer = TlsPeer(sock, tls.client, server_side=False)
        await peer.shake_hands()
        await peer.send(wire.request())
        assert wire.status_of(await peer.read_to(b"\r\n\r\n")) == 101
        await listener.until("connected")
        assert listener.transport is not None
        yield listener.transport, peer


@contextlib.asynccontextmanager
async def _against_server(
    tls: Tls, listener: Recorder, options: dict[str, Any]
) -> AsyncIterator[tuple[WSTransport, TlsPeer]]:
    with listening() as sock:
        url = f"wss://localhost:{sock.getsockname()[1]}/"
        connecting = asyncio.create_task(
            ws_connect(lambda: listener, url, ssl_context=tls.client, family=2, **options)
        )
        accepted, _ = await asyncio.get_running_loop().sock_accept(sock)
        with accepted:
            peer = TlsPeer(accepted, tls.server, server_side=True)
            await peer.shake_hands()
            key = wire.header_of(await peer.read_to(b"\r\n\r\n"), "Sec-WebSocket-Key")
            assert key is not None
            await peer.send(wire.response(key))
            transport, _ = await connecting
            yield transport, peer
