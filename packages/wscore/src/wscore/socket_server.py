"""A server that accepts connections itself, with the methods of `asyncio.Server`.

It leaves to a function what is done with a connection; an error there must not keep it from
accepting the next ones.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from .socket_transport import accept_socket

__all__ = ["SocketServer"]

ACCEPT_PAUSE = 1.0  # seconds, when the system is out of descriptors or memory
OUT_OF_RESOURCES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}


class SocketServer(asyncio.AbstractServer):
    """A server that accepts connections itself.

    Args:
        loop: the running loop.
        sockets: bound; they belong to the server from now on.
        attach: called with the socket of each accepted connection, which belongs to it.
        backlog: how many connections the system keeps waiting.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        sockets: list[socket.socket],
        attach: Callable[[socket.socket], object],
        backlog: int,
    ) -> None:
        self._loop = loop
        self._sockets: list[socket.socket] | None = sockets
        self._attach = attach
        self._backlog = backlog
        self._serving = False
        self._stopped: asyncio.Future[None] = loop.create_future()
        for sock in sockets:
            sock.setblocking(False)
            if sock.family in (socket.AF_INET, socket.AF_INET6):
                # Connections inherit it.
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    @property
    def sockets(self) -> tuple[socket.socket, ...]:
        """The sockets that are listened on; none once the server is closed."""
        return tuple(self._sockets or ())

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """The loop that the server runs on."""
        return self._loop

    def is_serving(self) -> bool:
        """Whether connections are accepted."""
        return self._serving

    async def start_serving(self) -> None:
        """Accept connections from now on; does nothing if they are accepted already."""
        if self._sockets is None:
            raise RuntimeError("the server is closed")
        if not self._serving:
            self._serving = True
            for sock in self._sockets:
                sock.listen(self._backlog)
                self._watch(sock)

    async def serve_forever(self) -> None:
        """Accept connections until this is cancelled, which closes the server."""
        await self.start_serving()
        try:
            await asyncio.shield(self._stopped)
        finally:
            self.close()

    def close(self) -> None:
        """Stop accepting; connections that are open stay so."""
        if self._sockets is None:
            return
        for sock in self._sockets:
            self._loop.remove_reader(sock.fileno())
            sock.close()
        self._sockets = None
        self._serving = False
        self._stopped.cancel()

    async def wait_closed(self) -> None:
        """Wait until the server is closed."""
        await asyncio.wait([self._stopped])

    async def __aexit__(self, *exc: object) -> None:
        self.close()
        await self.wait_closed()

    def _watch(self, listener: socket.socket) -> None:
        fd = listener.fileno()
        # Plain numbers: the properties of a socket are enumerations, which are made anew each time.
        self._loop.add_reader(fd, self._accept, listener, fd, int(listener.family), listener.proto)

    def _accept(self, listener: socket.socket, fd: int, family: int, proto: int) -> None:
        for _ in range(max(1, self._backlog)):
            try:
                sock = accept_socket(fd, family, proto)
            except OSError as exc:
                if exc.errno not in OUT_OF_RESOURCES:
                    raise
                self._pause(listener, exc)
                return
            if sock is None:
                return
            self._attach(sock)

    def _pause(self, listener: socket.socket, exc: OSError) -> None:
        """Say that the system is out of descriptors or memory, and give it time to recover."""
        self._loop.call_exception_handler(
            {"message": "accepting connections failed, trying again", "exception": exc}
        )
        self._loop.remove_reader(listener.fileno())
        self._loop.call_later(ACCEPT_PAUSE, self._resume, listener)

    def _resume(self, listener: socket.socket) -> None:
        if self._serving:
            self._watch(listener)
