"""The server's side: `serve`, and the life of the connections it accepts.

wscore accepts and answers; this file runs one task per connection, and ends them all in an orderly
way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from typing import Any, Self

import wscore
from wscore.connection.slow_calls import name_task

from ..exceptions import ConnectionClosed
from ..extensions.base import ServerExtensionFactory
from ..frames import CloseCode
from ..headers import validate_subprotocols
from ..http11 import SERVER, Request, Response
from ..limits import MaxQueue, MaxSize, WriteLimit, check_limits, core_sizes, frame_size_only
from ..server import ServerProtocol
from ..server_base import ServerBase, listening_arguments
from ..timeouts import check_timeouts, core_timeout
from ..typing import LoggerLike, StatusLike, Subprotocol
from ..unix import UnixPath
from .basic_auth import basic_auth
from .broadcast import broadcast
from .compression import Compression, server_extensions, server_factories
from .connection import Connection, check_close
from .extension_connection import ExtensionConnection
from .logging_connection import class_for, is_logged
from .server_handshake import (
    Acceptance,
    Answer,
    Origins,
    ProcessRequest,
    ProcessResponse,
    SelectSubprotocol,
)

__all__ = ["Server", "ServerConnection", "basic_auth", "broadcast", "serve", "unix_serve"]


class ServerConnection(Connection):
    """The server's end of a connection; made by `serve`.

    Args:
        server: the server that accepted it.
        **options: as for `Connection`.

    Attributes:
        server: the server that accepted it.
        username: who it is, if `basic_auth` has let it in.
        handler: what `route` found for its path.
        handler_kwargs: further arguments of the handler, from the path.
    """

    username: str
    handler: Callable[..., Awaitable[None]]
    handler_kwargs: Mapping[str, Any]

    def __init__(self, server: Server, **options: Any) -> None:
        super().__init__(**options)
        self.server = server
        self._handshake: ServerProtocol | None = None  # until the connection is open

    @property
    def protocol(self) -> Any:
        """As for clients; before the connection is open, the `ServerProtocol` of the request."""
        return super().protocol if self._handshake is None else self._handshake

    def respond(self, status: StatusLike, text: str) -> Response:
        """Make a plain text response, for ``process_request`` to return.

        Args:
            status: its status.
            text: its body.
        """
        response: Response = self.protocol.reject(status, text)
        return response

    def _request_arrived(self, request: wscore.WSUpgradeRequest, protocol: ServerProtocol) -> None:
        """Set the attributes that are available before the connection is open."""
        assert request.transport is not None
        self.request = Request._from_core(request)
        self.response = None  # type: ignore[assignment]
        self._handshake = protocol
        self._transport = request.transport
        protocol.logger = self.logger  # not before: adapters of the logger may use the connection

    def on_ws_connected(self, transport: wscore.WSTransport) -> None:
        """Start the handler of the connection, which is open."""
        self._handshake = None  # no longer needed
        super().on_ws_connected(transport)
        self.server._start_handler(self)


class Server(ServerBase):
    """A server; `serve` returns it, to be awaited or used in ``async with``.

    Args:
        create_server: makes the server of asyncio below.
        handler: run for each connection.
        logger: where to log.
    """

    def __init__(
        self,
        create_server: Callable[[], Coroutine[Any, Any, asyncio.Server]],
        handler: Callable[[ServerConnection], Awaitable[None]],
        logger: LoggerLike | None = None,
    ) -> None:
        super().__init__(logger)
        self.handler = handler
        self.handlers: dict[ServerConnection, asyncio.Task[None]] = {}
        self._create_server = create_server
        self._server: asyncio.Server | None = None
        self.closed_waiter = asyncio.get_running_loop().create_future()

    # -- the beginning

    def __await__(self) -> Generator[Any, None, Self]:
        return self._start().__await__()

    async def __aenter__(self) -> Self:
        return await self

    async def _start(self) -> Self:
        if self._server is None:
            self._server = await self._create_server()
            self._log_sockets()
        return self

    # -- properties

    @property
    def server(self) -> asyncio.Server:  # type: ignore[override]
        """The server of asyncio below.

        Raises:
            RuntimeError: if this one was not awaited.
        """
        if self._server is None:
            raise RuntimeError("the server was not started: await it, or use it in async with")
        return self._server

    @property
    def connections(self) -> set[ServerConnection]:
        """The connections that are open."""
        return {connection for connection in self.handlers if connection._transport.is_open}

    # -- the life of a connection

    def _start_handler(self, connection: ServerConnection) -> None:
        coroutine = self._run_handler(connection)
        if connection._loop.get_debug():
            name_task(coroutine, self.handler)
        self.handlers[connection] = connection._loop.create_task(coroutine)

    async def _run_handler(self, connection: ServerConnection) -> None:
        _log(connection, "connection open")
        was_ending = connection._is_ending()
        try:
            if not connection._is_lost():
                await self.handler(connection)
        except Exception as exc:
            # A client that leaves right after its request is not an error.
            if not (was_ending and isinstance(exc, ConnectionClosed)):
                connection.logger.error("connection handler failed", exc_info=True)
            await connection.close(CloseCode.INTERNAL_ERROR)
        except BaseException:
            connection._start_closing(CloseCode.INTERNAL_ERROR, "")
            raise
        else:
            await connection.close()
        finally:
            del self.handlers[connection]
        _log(connection, "connection closed")

    # -- the end

    def close(
        self,
        close_connections: bool = True,
        code: CloseCode | int = CloseCode.GOING_AWAY,
        reason: str = "",
    ) -> None:
        """Stop accepting connections, and close those that are open. It may be called repeatedly.

        Args:
            close_connections: whether to close the connections; otherwise they go on until their
                handlers return. Handshakes under way are answered with 503 in any case.
            code: the close code they are sent.
            reason: the close reason.

        Raises:
            ProtocolError: if the code must not be sent, or the reason is too long.
        """
        check_close(code, reason)
        self._start_closing(close_connections, code, reason)

    async def _end_connections(
        self, close_connections: bool, code: CloseCode | int, reason: str
    ) -> None:
        if close_connections:
            for connection in self.connections:
                connection._start_closing(code, reason)
        while self.handlers:  # handshakes in progress may add new ones
            await asyncio.wait(self.handlers.values())
            for connection, task in list(self.handlers.items()):
                if task.done():  # it was cancelled before it began
                    del self.handlers[connection]


def serve(
    handler: Callable[[ServerConnection], Awaitable[None]],
    host: str | Sequence[str] | None = None,
    port: int | None = None,
    *,
    origins: Origins | None = None,
    extensions: Sequence[ServerExtensionFactory] | None = None,
    subprotocols: Sequence[Subprotocol | str] | None = None,
    select_subprotocol: SelectSubprotocol | None = None,
    compression: Compression = "deflate",
    process_request: ProcessRequest | None = None,
    process_response: ProcessResponse | None = None,
    server_header: str | None = SERVER,
    open_timeout: float | None = 10,
    ping_interval: float | None = 20,
    ping_timeout: float | None = 20,
    close_timeout: float | None = 10,
    max_size: MaxSize = 2**20,
    max_queue: MaxQueue = 16,
    write_limit: WriteLimit = 2**15,
    logger: LoggerLike | None = None,
    create_connection: type[ServerConnection] | None = None,
    **kwargs: Any,
) -> Server:
    """Serve WebSocket connections.

    Awaited, it gives a `Server`; as an asynchronous context manager it also closes it.

    Args:
        handler: run for each connection, with a `ServerConnection`. When it returns the connection
            is closed, with code 1011 if it raises.
        host: address, addresses, or None for all interfaces.
        port: TCP port; 0 or None for any free one.
        origins: the allowed values of ``Origin``: strings and compiled patterns, None for requests
            without it. All are allowed if it is not given.
        extensions: the extensions to accept, the preferred one first; their `Extension` objects
            see data frames only.
        subprotocols: names of subprotocols, the preferred one first.
        select_subprotocol: called with the connection and the names that the client offers;
            returns one of them or None, or raises `NegotiationError`.
        compression: ``"deflate"`` to compress messages if a client offers it; a
            `wscore.WSDeflate` to choose the engine, its level, windows and more, which websockets
            does not have; None for no compression.
        process_request: a function or coroutine function, called with the connection and its
            request, if that is well-formed, before anything else is checked: whatever its method,
            version or ``Host``, and also if it has a body, which is not read. It returns a response
            to send instead of accepting (see `ServerConnection.respond`), or None to go on.
        process_response: a function or coroutine function, called with the connection, its request
            and the response to it, whatever that is. It may change the response, or return another
            one to send instead.
        server_header: value of ``Server``; None for none.
        open_timeout: seconds for the opening handshake, that of TLS included; None for no limit.
        ping_interval: seconds between keepalive pings; None for none.
        ping_timeout: seconds to wait for the answer of one, after which the connection is closed
            with code 1011; None for no limit.
        close_timeout: seconds for the closing handshake and the end of the TCP connection; None
            for no limit.
        max_size: bytes of a received message, or a pair of limits for message and fragment; None
            for no limit.
        max_queue: received frames at which reading pauses, or a pair: the mark at which it
            pauses, and the one at which it goes on. It also pauses at 1 MiB of them. None for no
            limit.
        write_limit: bytes waiting to be sent at which `Connection.send` waits, or such a pair.
        logger: where to log; the logger ``websockets.server`` if None.
        create_connection: the class of the connections, derived from `ServerConnection`.
        **kwargs: passed on to `asyncio.loop.create_server`, ``ssl`` among them.

    Raises:
        OSError: if the address cannot be bound.
        TypeError: if a limit is no integer, or a time no number.
        ValueError: if a limit is less than 1 byte.
    """
    check_limits(max_size=max_size, max_queue=max_queue, write_limit=write_limit)
    check_timeouts(
        open_timeout=open_timeout,
        ping_interval=ping_interval,
        ping_timeout=ping_timeout,
        close_timeout=close_timeout,
    )
    logger = logger or logging.getLogger("websockets.server")
    is_unix = bool(kwargs.pop("unix", False))
    deflate, factories = server_extensions(compression, extensions)
    if subprotocols is not None:
        validate_subprotocols(subprotocols)
    acceptance = Acceptance(
        origins,
        factories if deflate is None else server_factories(compression, extensions),
        factories is None,
        subprotocols,
        select_subprotocol,
        process_request,
        process_response,
        server_header,
    )
    connection_class = class_for(
        create_connection or ServerConnection, logger, factories is not None
    )

    def accept(request: wscore.WSUpgradeRequest) -> Answer | Awaitable[Answer]:
        connection = connection_class(
            server,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=close_timeout,
            max_queue=max_queue,
            write_limit=write_limit,
            logger=server.logger,
        )
        connection._check_initialized()
        connection._max_size = max_size
        if isinstance(connection, ExtensionConnection):
            connection.extend(max_size)
        if server.close_task is not None:
            return acceptance.refusal(request, connection)
        return acceptance.answer(request, connection)

    async def create_server() -> asyncio.Server:
        return await wscore.ws_create_server(
            accept,
            websocket_handshake_timeout=core_timeout(open_timeout),
            **(core_sizes if factories is None else frame_size_only)(max_size),
            deflate=deflate,
            logger_name=server.logger,
            enable_auto_pong=not is_logged(logger),
            max_fragments=None,  # `recv` limits them
            disconnect_timeout=core_timeout(close_timeout),
            **listening_arguments(is_unix, host, port, kwargs),
        )

    server = Server(create_server, handler, logger)
    return server


def unix_serve(
    handler: Callable[[ServerConnection], Awaitable[None]],
    path: UnixPath | None = None,
    **kwargs: Any,
) -> Server:
    """Serve WebSocket connections on a Unix socket.

    Args:
        handler: as for `serve`.
        path: the socket's path; a socket that was left there is replaced. It is removed when the
            server is closed, unless ``cleanup_socket=False`` is given. None if ``sock`` is given.
        **kwargs: as for `serve`; other arguments are passed on to
            `asyncio.loop.create_unix_server`.

    Raises:
        OSError: if the path cannot be bound.
        ValueError: if there is neither a path nor a Unix socket, or both.
    """
    return serve(handler, unix=True, path=path, **kwargs)


def _log(connection: Connection, text: str) -> None:
    """Log a text; without creating the adapter if the level is disabled."""
    if connection._given_logger.isEnabledFor(logging.INFO):
        connection.logger.info(text)
