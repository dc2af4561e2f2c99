"""The part that the servers of both APIs share: they listen, serve, and are closed once.

It knows no connection: subclasses end theirs in `_end_connections`.
"""

from __future__ import annotations

import asyncio
import logging
from types import TracebackType
from typing import Any

from .frames import CloseCode
from .loop_arguments import check_arguments
from .typing import LoggerLike
from .unix import unix_arguments
from .utils import get_socket_name

__all__ = ["ServerBase", "listening_arguments"]


class ServerBase:
    """A server with the methods of `asyncio.Server`.

    Args:
        logger: where to log; ``websockets.server`` if None.
    """

    server: asyncio.Server
    closed_waiter: asyncio.Future[None]
    close_task: asyncio.Task[None] | None = None

    def __init__(self, logger: LoggerLike | None = None) -> None:
        self.logger = logger or logging.getLogger("websockets.server")

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
        await self.wait_closed()

    def _log_sockets(self) -> None:
        for sock in self.server.sockets:
            self.logger.info("server listening on %s", get_socket_name(sock))

    async def start_serving(self) -> None:
        """Accept connections, if ``start_serving=False`` was given to `serve`."""
        await self.server.start_serving()

    async def serve_forever(self) -> None:
        """Accept connections until the server is closed; cancelling this closes it."""
        await self.server.start_serving()
        try:
            await self.wait_closed()
        except asyncio.CancelledError:
            self.close()
            await self.wait_closed()
            raise

    @property
    def sockets(self) -> tuple[Any, ...]:
        """The listening sockets; none once it is closed."""
        return tuple(self.server.sockets)

    def get_loop(self) -> asyncio.AbstractEventLoop:
        """Return the event loop it runs on."""
        return self.server.get_loop()

    def is_serving(self) -> bool:
        """Return whether it accepts connections."""
        return self.server.is_serving()

    # -- the end

    def close(self, close_connections: bool = True) -> None:
        """Stop accepting connections, and close those that are open, with code 1001.

        Requests that come to an end later are answered with 503. It may be called repeatedly.

        Args:
            close_connections: whether open connections are closed; otherwise they go on until their
                handlers return.
        """
        self._start_closing(close_connections, CloseCode.GOING_AWAY, "")

    async def wait_closed(self) -> None:
        """Wait until it is closed, all handlers have returned and all connections are gone."""
        await asyncio.shield(self.closed_waiter)

    def _start_closing(self, close_connections: bool, code: CloseCode | int, reason: str) -> None:
        if self.close_task is None:
            self.close_task = self.get_loop().create_task(
                self._close(close_connections, code, reason)
            )

    async def _close(self, close_connections: bool, code: CloseCode | int, reason: str) -> None:
        self.logger.info("server closing")
        self.server.close()
        await self._end_connections(close_connections, code, reason)
        await self.server.wait_closed()
        self.logger.info("server closed")
        self.closed_waiter.set_result(None)

    async def _end_connections(
        self, close_connections: bool, code: CloseCode | int, reason: str
    ) -> None:
        """Close the connections, unless that is not wanted, and wait for their handlers."""
        raise NotImplementedError


def listening_arguments(
    is_unix: bool, host: Any, port: int | None, given: dict[str, Any]
) -> dict[str, Any]:
    """Return the arguments that say where and how a server of wscore listens.

    Args:
        is_unix: whether on a Unix socket, for which `host` and `port` have no meaning.
        host: as for `asyncio.loop.create_server`.
        port: as for `asyncio.loop.create_server`.
        given: further arguments of that method, or of `asyncio.loop.create_unix_server`.

    Raises:
        TypeError: if the method has no such argument.
        ValueError: if there is neither a path nor a Unix socket where one is needed, or both.
    """
    if is_unix:
        return unix_arguments(**check_arguments("create_unix_server", given, "cleanup_socket"))
    return {"host": host, "port": port} | check_arguments("create_server", given)
