"""A connection on which the peer sees each single send.

A stream does not tell where one `send` ended and the next began. A pair of unix sockets of the kind
SEQPACKET does: whatever leaves in one system call is read as one piece, never more, never less.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

from tests.wscore import wire
from tests.wscore.pairs import until_gone
from tests.wscore.recorder import BOUND
from wscore import WSListener, WSTransport
from wscore.connect import Deadline, WSClientProtocol
from wscore.connection.protocol import ProtocolOptions
from wscore.handshake.client import ClientHandshake
from wscore.handshake.url import parse_url
from wscore.logs import resolve_logger
from wscore.serve import Deadlines, Serving, WSServerProtocol
from wscore.sockets.socket_transport import SocketTransport

OPTIONS: dict[str, Any] = {"disconnect_on_exception": True, "enable_auto_pong": True}


class PacketPeer:
    """The bare end of such a connection.

    Args:
        sock: non-blocking.
        masks: whether it plays the client.
    """

    def __init__(self, sock: socket.socket, masks: bool) -> None:
        self.sock = sock
        self.masks = masks

    async def send(self, *parts: bytes | wire.F) -> None:
        """Send bytes and frames in one piece."""
        data = b"".join(p.wire(self.masks) if isinstance(p, wire.F) else p for p in parts)
        async with asyncio.timeout(BOUND):
            await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def read(self) -> bytes:
        """Return the bytes of one system call of the other side; empty at the end."""
        async with asyncio.timeout(BOUND):
            return await asyncio.get_running_loop().sock_recv(self.sock, 1 << 20)

    async def frames(self) -> list[tuple[int, bytes]]:
        """Return the frames that the other side sent in one system call: type and payload."""
        return frames_in(await self.read())

    def nothing_more(self) -> bool:
        """Whether there is nothing to read now."""
        try:
            data = self.sock.recv(1 << 20, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        return not data


def frames_in(data: bytes) -> list[tuple[int, bytes]]:
    """Return the whole frames that some bytes consist of: type and unmasked payload."""
    found = []
    while data:
        size, begin = data[1] & 0x7F, 2
        if size >= 126:
            begin = 4 if size == 126 else 10
            size = int.from_bytes(data[2:begin], "big")
        key = data[begin : begin + 4] if data[1] & 0x80 else b""
        begin += len(key)
        payload = data[begin : begin + size]
        assert len(payload) == size, "half a frame"
        found.append((data[0] & 0x0F, wire.mask(payload, key) if key else payload))
        data = data[begin + size :]
    return found


@contextlib.asynccontextmanager
async def packet_peer(
    side: str, listener: WSListener, *, kind: int = socket.SOCK_SEQPACKET, **options: Any
) -> AsyncIterator[tuple[WSTransport, PacketPeer]]:
    """Yield an open connection: wscore's transport on one end, a bare socket on the other.

    Args:
        side: which side wscore is, client or server.
        listener: of wscore's side.
        kind: of socket; SOCK_STREAM where more is sent than one packet can hold.
        options: of the protocol.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    with theirs:
        theirs.setblocking(False)
        peer = PacketPeer(theirs, masks=side == "server")
        transport = await (serve if side == "server" else connect)(ours, peer, listener, options)
        try:
            yield transport, peer
        finally:
            transport.disconnect(graceful=False)
            await until_gone(transport)


def server_protocol(listener: WSListener, **options: Any) -> WSServerProtocol:
    """Return a server's protocol, with no transport yet."""
    return WSServerProtocol(
        ProtocolOptions(
            asyncio.get_running_loop(), resolve_logger(None, "server"), **OPTIONS | options
        ),
        Serving(lambda _: listener, Deadlines(asyncio.get_running_loop(), None)),
    )


async def serve(
    sock: socket.socket, peer: PacketPeer, listener: WSListener, options: dict[str, Any]
) -> WSTransport:
    """Put a server on a connected socket, and open the WebSocket connection."""
    protocol = server_protocol(listener, **options)
    sock.setblocking(False)
    SocketTransport(asyncio.get_running_loop(), sock, protocol)
    await peer.send(wire.request())
    assert wire.status_of(await peer.read()) == 101
    return protocol.transport


async def connect(
    sock: socket.socket, peer: PacketPeer, listener: WSListener, options: dict[str, Any]
) -> WSTransport:
    """Put a client on a connected socket, and open the WebSocket connection."""
    loop = asyncio.get_running_loop()
    handshake = ClientHandshake(parse_url("ws://localhost/"), {})
    protocol = WSClientProtocol(
        ProtocolOptions(loop, resolve_logger(None, "client"), **OPTIONS | options),
        handshake,
        lambda: listener,
    )
    sock.setblocking(False)
    SocketTransport(loop, sock, protocol)
    key = wire.header_of(await peer.read(), "Sec-WebSocket-Key")
    assert key is not None
    await peer.send(wire.response(key))
    deadline = Deadline(loop, BOUND)
    deadline.start()
    await protocol.wait_upgraded(deadline)
    return protocol.transport
