"""A `WSTransport` on our own socket transport, a peer that sees its bytes, and what fills it."""

import contextlib
import socket
import struct
from collections.abc import AsyncIterator

from tests.wscore.packets import PacketPeer, packet_peer
from tests.wscore.recorder import Recorder
from wscore import WSTransport
from wscore.sockets.socket_transport import SocketTransport

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
