"""Lends a socket to a step that needs one, on a connection that has none: SOCKS behind TLS.

The socket is one end of a pair; what goes in and out of the other end is carried to and from the
stream. It must be used for a short negotiation only: what the peer may send through it is bounded,
and what was not read is given back to the stream.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from .transport_stream import TransportStream

__all__ = ["MAX_CARRIED", "lent_socket"]

# Bytes that are carried from the stream to the socket: more than the longest SOCKS negotiation has
# (266), and few enough for any socket buffer to hold at once.
MAX_CARRIED = 512


@contextlib.asynccontextmanager
async def lent_socket(stream: TransportStream) -> AsyncIterator[socket.socket]:
    """Give a non-blocking socket that leads to the stream's peer until the block ends."""
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        far.setblocking(False)
        carriers = {
            asyncio.create_task(_carry_out(far, stream)),
            asyncio.create_task(_carry_in(stream, far)),
        }
        try:
            yield near
        finally:
            for task in carriers:
                task.cancel()
            await asyncio.wait(carriers)
        stream.give_back(await _unread(near, far))


async def _carry_out(far: socket.socket, stream: TransportStream) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):
        while data := await loop.sock_recv(far, 4096):
            await stream.send(data)


async def _carry_in(stream: TransportStream, far: socket.socket) -> None:
    """Carry what comes. An end, an error or too much of it is an end for the socket."""
    carried = 0
    with contextlib.suppress(OSError):
        while carried < MAX_CARRIED and (data := await stream.receive(MAX_CARRIED - carried)):
            # All at once, so that a cancellation finds every byte either here or there.
            carried += far.send(data)
        far.shutdown(socket.SHUT_WR)


async def _unread(near: socket.socket, far: socket.socket) -> bytes:
    """Return what was carried to the socket and was not read there."""
    with contextlib.suppress(OSError):
        far.shutdown(socket.SHUT_WR)
    loop = asyncio.get_running_loop()
    rest = b""
    while data := await loop.sock_recv(near, MAX_CARRIED):
        rest += data
    return rest
