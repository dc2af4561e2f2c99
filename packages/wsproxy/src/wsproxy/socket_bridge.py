"""Provide a socket to a step that needs one, on a connection without one: SOCKS inside TLS.

The socket is one end of a socket pair; data is copied between the other end and the stream. It must
only be used for a short negotiation: the amount of data from the peer is limited, and unread data
is returned to the stream.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from .transport_stream import TransportStream

__all__ = ["MAX_CARRIED", "lent_socket"]

# Maximum number of bytes copied from the stream to the socket: more than the longest SOCKS
# negotiation (266), and few enough to fit into any socket buffer at once.
MAX_CARRIED = 512


@contextlib.asynccontextmanager
async def lent_socket(stream: TransportStream) -> AsyncIterator[socket.socket]:
    """Yield a non-blocking socket that is connected to the stream's peer until the block ends."""
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
    """Copy incoming data. The end of the stream, an error or too much data ends the socket."""
    carried = 0
    with contextlib.suppress(OSError):
        while carried < MAX_CARRIED and (data := await stream.receive(MAX_CARRIED - carried)):
            # One call, so that after a cancellation every byte is in exactly one of the buffers.
            carried += far.send(data)
        far.shutdown(socket.SHUT_WR)


async def _unread(near: socket.socket, far: socket.socket) -> bytes:
    """Return the data that was copied to the socket but not read there."""
    with contextlib.suppress(OSError):
        far.shutdown(socket.SHUT_WR)
    loop = asyncio.get_running_loop()
    rest = b""
    while data := await loop.sock_recv(near, MAX_CARRIED):
        rest += data
    return rest
