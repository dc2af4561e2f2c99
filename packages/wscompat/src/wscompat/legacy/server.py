"""The server's side: `serve`, and the server that it starts.

The listening sockets are wscore's; `server_protocol` has the protocol of one connection.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Generator, Sequence
from types import TracebackType
from typing import Any, Self

from wscore.opening.endpoints import start_server

from ..asyncio.compression import Compression, server_factories
from ..frames import CloseCode
from ..headers import validate_subprotocols
from ..http11 import SERVER
from ..server_base import ServerBase, listening_arguments
from ..timeouts import check_timeouts
from ..typing import LoggerLike, Origin, Subprotocol
from ..unix import UnixPath
from .deprecated_options import deprecated_options
from .engine import Engine
from .protocol import broadcast
from .server_protocol import (
    Handler,
    HeadersLikeOrCallable,
    HTTPResponse,
    ProcessRequest,
    SelectSubprotocol,
    WebSocketServerProtocol,
    remove_path_argument,
)

__all__ = [
    "HTTPResponse",
    "Serve",
    "WebSocketServer",
    "WebSocketServerProtocol",
    "broadcast",
    "serve",
    "unix_serve",
]


class WebSocketServer(ServerBase):
    """A server; made by `serve`. It has the methods of `asyncio.Server`.

    Args:
        logger: where to log; ``websockets.server`` if None.

    Attributes:
        websockets: the connections, those in their handshake included.
    """

    def __init__(self, logger: LoggerLike | None = None) -> None:
        super().__init__(logger)
        self.websockets: set[WebSocketServerProtocol] = set()

    def wrap(self, server: asyncio.Server) -> None:
        """Belong to a server that listens.

        Args:
            server: it creates the connections.
        """
        self.server = server
        self.closed_waiter = server.get_loop().create_future()
        self._log_sockets()

    def register(self, protocol: WebSocketServerProtocol) -> None:
        """Keep track of a connection.

        Args:
            protocol: a new one.
        """
        self.websockets.add(protocol)

    def unregister(self, protocol: WebSocketServerProtocol) -> None:
        """Forget a connection.

        Args:
            protocol: one that is gone.
        """
        self.websockets.discard(protocol)

    async def _end_connections(
        self, close_connections: bool, code: CloseCode | int, reason: str
    ) -> None:
        await asyncio.sleep(0)  # handlers of connections just accepted start
        if close_connections:
            for websocket in self.websockets:
                websocket._start_closing(code, reason)
        while self.websockets:
            await asyncio.wait([websocket.handler_task for websocket in self.websockets])

    async def __aenter__(self) -> Self:
        return self


class Serve:
    """Serve WebSocket connections; its usual name is `serve`.

    Awaited, it gives a `WebSocketServer`; as an asynchronous context manager it also closes it.

    Args:
        ws_handler: run for each connection, with a `WebSocketServerProtocol`. When it returns the
            connection is closed, with code 1011 if it raises.
        host: address, addresses, or None for all interfaces.
        port: TCP port; 0 or None for any free one.
        create_protocol: makes the protocol of each connection: a class derived from
            `WebSocketServerProtocol`, or a function with its arguments.
        logger: where to log; the logger ``websockets.server`` if None.
        compression: ``"deflate"``, a `wscore.WSDeflate` (which websockets does not have), or None
            for none.
        origins: the allowed values of ``Origin``, None for requests without it; all if not given.
        extensions: factories of extensions.
        subprotocols: names of subprotocols.
        extra_headers: further fields of a response that accepts, or a function that makes them
            from the path and the header fields of the request.
        server_header: value of ``Server``; None for none.
        process_request: see `WebSocketServerProtocol.process_request`.
        select_subprotocol: see `WebSocketServerProtocol.select_subprotocol`.
        open_timeout: seconds for the opening handshake; None for no limit.
        ping_interval: see `WebSocketCommonProtocol`.
        ping_timeout: see `WebSocketCommonProtocol`.
        close_timeout: see `WebSocketCommonProtocol`.
        max_size: see `WebSocketCommonProtocol`.
        max_queue: see `WebSocketCommonProtocol`.
        read_limit: see `WebSocketCommonProtocol`.
        write_limit: see `WebSocketCommonProtocol`.
        **kwargs: passed on to `asyncio.loop.create_server`, ``ssl`` and ``sock`` among them.

    Raises:
        OSError: if the address cannot be bound.
    """

    def __init__(
        self,
        ws_handler: Handler,
        host: str | Sequence[str] | None = None,
        port: int | None = None,
        *,
        create_protocol: Callable[..., WebSocketServerProtocol] | None = None,
        logger: LoggerLike | None = None,
        compression: Compression = "deflate",
        origins: Sequence[Origin | str | None] | None = None,
        extensions: Sequence[Any] | None = None,
        subprotocols: Sequence[Subprotocol] | None = None,
        extra_headers: HeadersLikeOrCallable | None = None,
        server_header: str | None = SERVER,
        process_request: ProcessRequest | None = None,
        select_subprotocol: SelectSubprotocol | None = None,
        open_timeout: float | None = 10,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = None,
        max_size: int | None = 2**20,
        max_queue: int | None = 2**5,
        read_limit: int = 2**16,
        write_limit: int = 2**16,
        **kwargs: Any,
    ) -> None:
        former = deprecated_options(kwargs, create_protocol, close_timeout)
        check_timeouts(
            open_timeout=open_timeout,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=former.close_timeout,
        )
        extensions = server_factories(compression, extensions)
        if subprotocols is not None:
            validate_subprotocols(subprotocols)
        self.ws_server = WebSocketServer(logger)
        self._host, self._port = host, port
        self._open_timeout = open_timeout
        self._is_unix = bool(kwargs.pop("unix", False))
        self._options = kwargs
        self._create_protocol = functools.partial(
            former.create_protocol or WebSocketServerProtocol,
            remove_path_argument(ws_handler),
            self.ws_server,
            host=host,
            port=port,
            secure=kwargs.get("ssl") is not None,
            logger=self.ws_server.logger,
            origins=origins,
            extensions=extensions,
            subprotocols=subprotocols,
            extra_headers=extra_headers,
            server_header=server_header,
            process_request=process_request,
            select_subprotocol=select_subprotocol,
            open_timeout=open_timeout,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=former.close_timeout,
            max_size=max_size,
            max_queue=max_queue,
            read_limit=read_limit,
            write_limit=write_limit,
            legacy_recv=former.legacy_recv,
        )

    def __await__(self) -> Generator[Any, None, WebSocketServer]:
        return self._start().__await__()

    async def __aenter__(self) -> WebSocketServer:
        return await self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.ws_server.close()
        await self.ws_server.wait_closed()

    async def _start(self) -> WebSocketServer:
        options = {"host": None, "port": None} | listening_arguments(
            self._is_unix, self._host, self._port, self._options
        )
        start_serving = options.pop("start_serving", True)
        server = await start_server(
            self._make_core, start_serving=False, opening_timeout=self._open_timeout, **options
        )
        self.ws_server.wrap(server)
        if start_serving:
            await server.start_serving()
        return self.ws_server

    def _make_core(self) -> Engine:
        protocol: WebSocketServerProtocol = self._create_protocol()
        core = protocol.as_core()
        protocol._accepted_at = protocol.loop.time()
        return core


serve = Serve


def unix_serve(ws_handler: Handler, path: UnixPath | None = None, **kwargs: Any) -> Serve:
    """Serve WebSocket connections on a Unix socket.

    Args:
        ws_handler: as for `serve`.
        path: the socket's path; a socket that was left there is replaced. It is removed when the
            server is closed, unless ``cleanup_socket=False`` is given. None if ``sock`` is given.
        **kwargs: as for `serve`; other arguments are passed on to
            `asyncio.loop.create_unix_server`.

    Raises:
        OSError: if the path cannot be bound.
        ValueError: if there is neither a path nor a Unix socket, or both.
    """
    return Serve(ws_handler, unix=True, path=path, **kwargs)
