"""A server that accepts connections itself, with the methods of `asyncio.Server`."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from .acceptor import Acceptor
from .socket_transport import SocketTransport

if TYPE_CHECKING:
    from ..opening.unix import SocketFile

__all__ = ["SocketServer"]


class SocketServer(asyncio.AbstractServer):
    """A server that accepts connections itself.

    Args:
        loop: the running loop.
        sockets: bound sockets; they belong to the server from now on.
        attach: called with the descriptor of each accepted connection, which it owns; it returns
            the transport.
        backlog: how many connections the system keeps waiting.
        file: the path of a unix socket, to be removed when the server is closed; or None.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sockets: list[socket.socket],
        attach: Callable[[int], SocketTransport],
        backlog: int,
        file: SocketFile | None = None,
    ) -> None:
        self._loop = loop
        self._file = file
        self._sockets: list[socket.socket] | None = sockets
        self._attach = attach
        self._clients: set[SocketTransport] = set()
        self._acceptors = [
            Acceptor(loop, sock.fileno(), backlog, self._accepted) for sock in sockets
        ]
        self._backlog = backlog
        self._serving = False
        self._stopped: asyncio.Future[None] = loop.create_future()
        self._over: asyncio.Future[None] = loop.create_future()
        for sock in sockets:
            sock.setblocking(False)
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                # Accepted connections inherit the option.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The listening sockets; none once the server is closed."""
        return tuple(self._sockets or ())

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop that runs the server."""
        return self._loop

    def is_serving(self) -> bool:
        """Return whether connections are accepted."""
        return self._serving

    async def start_serving(self) -> None:
        """Begin to accept connections, unless the server does already."""
        if self._sockets is None:
            raise RuntimeError("the server is closed")
        if not self._serving:
            self._serving = True
            for sock, acceptor in zip(self._sockets, self._acceptors, strict=True):
                sock.listen(self._backlog)
                acceptor.start()

    async def serve_forever(self) -> None:
        """Accept connections until this is cancelled, which closes the server."""
        await self.start_serving()
        try:
            await asyncio.shield(self._stopped)
        finally:
            self.close()

    def close(self) -> None:
        """Stop accepting; open connections stay open.

        See also `close_clients` and `abort_clients`.
        """
        if self._sockets is None:
            return
        for acceptor in self._acceptors:
            acceptor.stop()
        self._remove_file()
        for sock in self._sockets:
            sock.close()
        self._sockets = None
        self._serving = False
        self._stopped.cancel()
        self._check_over()

    def close_clients(self) -> None:
        """Close the sockets of all connections once their data is sent.

        Like `asyncio.Server.close_clients` of Python 3.13 this is done below WebSocket: peers get
        no CLOSE frame.
        """
        for transport in list(self._clients):
            transport.close()

    def abort_clients(self) -> None:
        """Close the sockets of all connections at once, and discard unsent data."""
        for transport in list(self._clients):
            transport.abort()

    async def wait_closed(self) -> None:
        """Wait until the server is closed and all its connections are lost.

        asyncio's servers do so since Python 3.12; earlier ones, and uvloop's (seen with 0.23),
        return at once when the server is closed.
        """
        await asyncio.shield(self._over)

    def _remove_file(self) -> None:
        if self._file is None:
            return
        try:
            self._file.remove()
        except OSError as exc:  # such as a folder without write permission: close anyway
            self._loop.call_exception_handler(
                {"message": "the path of a unix socket could not be removed", "exception": exc}
            )

    def _accepted(self, fd: int) -> None:
        transport = self._attach(fd)
        self._clients.add(transport)
        transport.set_server(self)

    def forget(self, transport: SocketTransport) -> None:
        """Remove a connection that is closed."""
        self._clients.discard(transport)
        self._check_over()

    def _check_over(self) -> None:
        if self._sockets is None and not self._clients and not self._over.done():
            self._over.set_result(None)

    async def __aexit__(self, *exc: object) -> None:
        self.close()
        await self.wait_closed()
