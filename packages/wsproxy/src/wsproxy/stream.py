"""The interface to the connection that the steps of opening a tunnel use: send, receive, abort.

A step must be able to read exactly the bytes that are meant for it, since the following bytes
belong to the next step or to the tunnel's user.
"""

import asyncio
import socket
from typing import Protocol

__all__ = ["SocketStream", "Stream"]


class Stream(Protocol):
    """The methods of a connection that the steps need."""

    async def send(self, data: bytes) -> None:
        """Send all of the data. Raises `OSError` if the connection is lost."""

    async def receive(self, limit: int) -> bytes:
        """Wait for data and return at most `limit` bytes; empty if the peer has closed.

        A cancelled call consumes no data.
        """

    def abort(self) -> None:
        """Close at once. Has no effect if it is already closed."""


class SocketStream:
    """A stream on a connected, non-blocking socket. It does not read ahead.

    Attributes:
        socket: the socket; once it is used elsewhere, the stream must not be used any more.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock

    async def send(self, data: bytes) -> None:
        """Send all of the data. Raises `OSError` if the connection is lost."""
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def receive(self, limit: int) -> bytes:
        """Wait for data and return at most `limit` bytes; empty if the peer has closed."""
        return await asyncio.get_running_loop().sock_recv(self.socket, limit)

    def abort(self) -> None:
        """Close at once. Has no effect if it is already closed."""
        self.socket.close()
