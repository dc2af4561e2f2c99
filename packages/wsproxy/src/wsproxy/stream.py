"""The connection a tunnel is built on, as the steps of building it see it: send, receive, abort.

A step must be able to read exactly the bytes that are meant for it, since those that follow belong
to the next step or to the tunnel's user.
"""

import asyncio
import socket
from typing import Protocol

__all__ = ["SocketStream", "Stream"]


class Stream(Protocol):
    """What the steps need of a connection."""

    async def send(self, data: bytes) -> None:
        """Send all of the data. Raises `OSError` if the connection is lost."""

    async def receive(self, limit: int) -> bytes:
        """Wait for data and return at most `limit` bytes; empty if the peer has hung up.

        A cancelled call has taken nothing.
        """

    def abort(self) -> None:
        """Close at once. Harmless when it is closed already."""


class SocketStream:
    """A stream on a connected, non-blocking socket. It reads nothing ahead.

    Attributes:
        socket: the socket; whoever takes it away must not use the stream any more.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock

    async def send(self, data: bytes) -> None:
        """Send all of the data. Raises `OSError` if the connection is lost."""
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def receive(self, limit: int) -> bytes:
        """Wait for data and return at most `limit` bytes; empty if the peer has hung up."""
        return await asyncio.get_running_loop().sock_recv(self.socket, limit)

    def abort(self) -> None:
        """Close at once. Harmless when it is closed already."""
        self.socket.close()
