"""The protocol of connections that a server accepts: `WebSocketServerProtocol`.

It reads the request, calls the user's functions, answers, and runs the user's handler.
Every step is a method that programs override; `server` serves it.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import warnings
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from wscore.connection.slow_calls import await_timed, call_timed, name_task
from wscore.handshake.fields import has_body
from wscore.handshake.http import HTTPSyntaxError, WSUpgradeRequest
from wscore.opening.listener_factory import takes_arguments

from ..datastructures import Headers, HeadersLike
from ..exceptions import (
    ConnectionClosed,
    InvalidHeader,
    InvalidMessage,
    InvalidOrigin,
)
from ..extensions.base import Extension
from ..extensions.negotiation import accept_offers
from ..frames import CloseCode
from ..headers import parse_subprotocol
from ..http11 import SERVER
from ..typing import LoggerLike, Origin, StatusLike, Subprotocol
from ..utils import http_date
from .engine import core_response
from .error_responses import error_response
from .exceptions import AbortHandshake
from .handshake import build_response, check_request
from .http import check_request_line, to_exception
from .protocol import WebSocketCommonProtocol

if TYPE_CHECKING:
    from .server import WebSocketServer

__all__ = [
    "HTTPResponse",
    "Handler",
    "HeadersLikeOrCallable",
    "ProcessRequest",
    "SelectSubprotocol",
    "WebSocketServerProtocol",
    "remove_path_argument",
]

_LOGGER = logging.getLogger("websockets.server")

HTTPResponse = tuple[StatusLike, HeadersLike, bytes]
"""The response that ``process_request`` returns: status, header fields, body."""

HeadersLikeOrCallable = HeadersLike | Callable[[str, Headers], HeadersLike]
"""Header fields, or a function that makes them from the path and headers of a request."""

Handler = (
    Callable[["WebSocketServerProtocol"], Awaitable[Any]]
    | Callable[["WebSocketServerProtocol", str], Awaitable[Any]]
)
ProcessRequest = Callable[[str, Headers], Awaitable[HTTPResponse | None] | HTTPResponse | None]
SelectSubprotocol = Callable[[Sequence[Subprotocol], Sequence[Subprotocol]], Subprotocol | None]


class WebSocketServerProtocol(WebSocketCommonProtocol):
    """The server's end of a connection.

    Args:
        ws_handler: run once the connection is open, with this object; with the path as a second
            argument, too, if it takes one, which is deprecated.
        ws_server: keeps track of the connections.
        logger: where to log; ``websockets.server`` if None.
        origins: the allowed values of ``Origin``, None for requests without it; all if not given.
        extensions: factories of extensions.
        subprotocols: names of subprotocols.
        extra_headers: further fields of a response that accepts, or a function that makes them
            from the path and the header fields of the request.
        server_header: value of ``Server``; None for none.
        process_request: see the method of this name, which it replaces.
        select_subprotocol: see the method of this name, which it replaces.
        open_timeout: seconds for the opening handshake; None for no limit.
        **kwargs: as for `WebSocketCommonProtocol`.
    """

    is_client = False
    side = "server"
    _accepted_at: float | None = None  # with TLS some time before the connection is made

    def __init__(
        self,
        ws_handler: Handler,
        ws_server: WebSocketServer,
        *,
        logger: LoggerLike | None = None,
        origins: Sequence[Origin | str | None] | None = None,
        extensions: Sequence[Any] | None = None,
        subprotocols: Sequence[Subprotocol] | None = None,
        extra_headers: HeadersLikeOrCallable | None = None,
        server_header: str | None = SERVER,
        process_request: ProcessRequest | None = None,
        select_subprotocol: SelectSubprotocol | None = None,
        open_timeout: float | None = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(logger=logger or _LOGGER, **kwargs)
        if origins is not None and "" in origins:  # formerly the value for absent origins
            warnings.warn("use None instead of '' in origins", DeprecationWarning, stacklevel=2)
            origins = [origin or None for origin in origins]
        self.ws_handler = remove_path_argument(ws_handler)
        self.ws_server = ws_server
        self.origins = origins
        self.available_extensions = extensions
        self.available_subprotocols = subprotocols
        self.extra_headers = extra_headers
        self.server_header = server_header
        self._process_request = process_request
        self._select_subprotocol = select_subprotocol
        self.open_timeout = open_timeout
        self.handler_task: asyncio.Task[None]

    # -- the life of a connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start a task that handles the new TCP connection."""
        super().connection_made(transport)
        if self._accepted_at is None:
            self._accepted_at = self.loop.time()
        self.ws_server.register(self)
        coroutine = self.handler()
        if self.loop.get_debug():
            name_task(coroutine, self.ws_handler)
        self.handler_task = self.loop.create_task(coroutine)

    async def handler(self) -> None:
        """Shake hands, run the program's handler, and close the connection."""
        try:
            if await self._has_opened():
                await self._run_handler()
        except Exception:
            self.logger.error("connection failed", exc_info=True)
            self.fail_connection(CloseCode.INTERNAL_ERROR)
        except BaseException:
            self.fail_connection(CloseCode.INTERNAL_ERROR)
            raise
        finally:
            self.ws_server.unregister(self)
            self.logger.info("connection closed")

    async def _has_opened(self) -> bool:
        """Shake hands; whether the connection is open then. If not, it is gone."""
        try:
            async with asyncio.timeout_at(self._deadline()):
                await self.handshake(
                    origins=self.origins,
                    available_extensions=self.available_extensions,
                    available_subprotocols=self.available_subprotocols,
                    extra_headers=self.extra_headers,
                )
            return True
        except (TimeoutError, ConnectionError):
            pass  # there is no peer left to answer
        except Exception as exc:
            self._refuse(exc)
        self.fail_connection()
        await self.wait_closed()
        return False

    def _deadline(self) -> float | None:
        """Return the time at which the opening handshake, TLS included, must be complete."""
        if self.open_timeout is None or self._accepted_at is None:
            return None
        return self._accepted_at + self.open_timeout

    def _refuse(self, exc: Exception) -> None:
        """Answer a request that is not accepted."""
        status, headers, body = error_response(exc)
        if status is HTTPStatus.INTERNAL_SERVER_ERROR and not isinstance(exc, AbortHandshake):
            self.logger.error("opening handshake failed", exc_info=exc)
        headers.setdefault("Date", http_date())
        if self.server_header is not None:
            headers.setdefault("Server", self.server_header)
        headers.setdefault("Content-Length", str(len(body)))
        headers.setdefault("Content-Type", "text/plain")
        headers.setdefault("Connection", "close")
        self.write_http_response(status, headers, body)
        self.logger.info("connection rejected (%d %s)", status, status.phrase)

    async def _run_handler(self) -> None:
        was_ending = self._is_ending()
        try:
            await self.ws_handler(self)
        except Exception as exc:
            # A client that leaves right after its request is not an error.
            if not (was_ending and isinstance(exc, ConnectionClosed)):
                self.logger.error("connection handler failed", exc_info=True)
            self.fail_connection(CloseCode.INTERNAL_ERROR)
        await self.close()

    # -- the handshake

    async def handshake(
        self,
        origins: Sequence[Origin | str | None] | None = None,
        available_extensions: Sequence[Any] | None = None,
        available_subprotocols: Sequence[Subprotocol] | None = None,
        extra_headers: HeadersLikeOrCallable | None = None,
    ) -> str:
        """Shake hands with the client (RFC 6455, 4.2).

        Args:
            origins: as for the class.
            available_extensions: as `extensions` for the class.
            available_subprotocols: as `subprotocols` for the class.
            extra_headers: as for the class.

        Returns:
            The path of the request, with the query.

        Raises:
            InvalidHandshake: if the request is refused.
            ConnectionError: if the connection was lost meanwhile.
        """
        path, request_headers = await self.read_http_request()
        early_response = call_timed(self.loop, self.process_request, path, request_headers)
        if inspect.isawaitable(early_response):
            asked = self._process_request or self.process_request
            early_response = await await_timed(self.loop, asked, early_response)
        else:
            warnings.warn("declare process_request as a coroutine", DeprecationWarning)  # noqa: B028
        if not self.ws_server.is_serving():
            text = b"Server is shutting down.\n"
            early_response = HTTPStatus.SERVICE_UNAVAILABLE, [], text
        if early_response is not None:
            raise AbortHandshake(*early_response)
        if has_body(request_headers._fields):  # frames must follow, not a body
            raise InvalidMessage("did not receive a valid HTTP request; it has a body")
        key = check_request(request_headers)
        self.origin = self.process_origin(request_headers, origins)
        extensions_header, self.extensions = self.process_extensions(
            request_headers, available_extensions
        )
        self.subprotocol = self.process_subprotocol(request_headers, available_subprotocols)
        headers = Headers()
        build_response(headers, key)
        if extensions_header is not None:
            headers["Sec-WebSocket-Extensions"] = extensions_header
        if self.subprotocol is not None:
            headers["Sec-WebSocket-Protocol"] = self.subprotocol
        if callable(extra_headers):
            extra_headers = extra_headers(path, request_headers)
        if extra_headers is not None:
            headers.update(extra_headers)
        headers.setdefault("Date", http_date())
        if self.server_header is not None:
            headers.setdefault("Server", self.server_header)
        self.write_http_response(HTTPStatus.SWITCHING_PROTOCOLS, headers)
        self.logger.info("connection open")
        self.connection_open()
        return path

    async def read_http_request(self) -> tuple[str, Headers]:
        """Wait for the request.

        Returns:
            The path that it asks for, with the query, and its header fields.

        Raises:
            InvalidMessage: if it is malformed or not an HTTP/1.1 GET request. A body is not read.
        """
        try:
            request = await self.peer_handshake.read()
            assert isinstance(request, WSUpgradeRequest)
            self.path = check_request_line(request)
        except (HTTPSyntaxError, ValueError, EOFError, OSError) as exc:
            cause = to_exception(exc) if isinstance(exc, HTTPSyntaxError) else exc
            raise InvalidMessage("did not receive a valid HTTP request") from cause
        self.request_headers = Headers._from_core(request.headers)
        return self.path, self.request_headers

    def write_http_response(
        self, status: HTTPStatus, headers: Headers, body: bytes | None = None
    ) -> None:
        """Send the response.

        Args:
            status: its status.
            headers: its header fields.
            body: its body.
        """
        self.response_headers = headers
        self.transport.write(core_response(headers, status, body).to_bytes())

    async def process_request(self, path: str, request_headers: Headers) -> HTTPResponse | None:
        """Look at a request first; may answer it. To be overridden.

        Args:
            path: its path, with the query.
            request_headers: its header fields.

        Returns:
            Status, header fields and body of a response to send instead of accepting; or None.
        """
        if self._process_request is None:
            return None
        response: Any = self._process_request(path, request_headers)
        if inspect.isawaitable(response):
            return await response  # type: ignore[no-any-return]
        warnings.warn("declare process_request as a coroutine", DeprecationWarning)  # noqa: B028
        return response  # type: ignore[no-any-return]

    @staticmethod
    def process_origin(
        headers: Headers, origins: Sequence[Origin | str | None] | None = None
    ) -> Origin | None:
        """Check the origin of a request.

        Args:
            headers: its header fields.
            origins: the allowed ones; None for any.

        Raises:
            InvalidOrigin: if it is not allowed.
        """
        values = headers.get_all("Origin")
        if len(values) > 1:
            raise InvalidHeader("Origin", "multiple values")
        origin = Origin(values[0]) if values else None
        if origins is not None and origin not in origins:
            raise InvalidOrigin(origin)
        return origin

    @staticmethod
    def process_extensions(
        headers: Headers, available_extensions: Sequence[Any] | None
    ) -> tuple[str | None, list[Extension]]:
        """Choose among the extensions that a client offers.

        Args:
            headers: the header fields of its request.
            available_extensions: factories of those that are supported.

        Returns:
            The value of the response's ``Sec-WebSocket-Extensions``, or None; and the extensions.

        Raises:
            InvalidHandshake: if the request is to be refused.
        """
        return accept_offers(available_extensions, headers)

    def process_subprotocol(
        self, headers: Headers, available_subprotocols: Sequence[Subprotocol] | None
    ) -> Subprotocol | None:
        """Choose among the subprotocols that a client offers.

        Args:
            headers: the header fields of its request.
            available_subprotocols: those that are supported.

        Raises:
            InvalidHandshake: if the request is to be refused.
        """
        values = headers.get_all("Sec-WebSocket-Protocol")
        if not values or not available_subprotocols:
            return None
        offered = [name for value in values for name in parse_subprotocol(value)]
        return self.select_subprotocol(offered, list(available_subprotocols))

    def select_subprotocol(
        self,
        client_subprotocols: Sequence[Subprotocol],
        server_subprotocols: Sequence[Subprotocol],
    ) -> Subprotocol | None:
        """Choose a subprotocol. To be overridden.

        It returns the one with the lowest sum of its indices in both lists.

        Args:
            client_subprotocols: the names that the client offers, the preferred one first.
            server_subprotocols: the supported names, in the same order.

        Returns:
            The chosen one, or None for none.
        """
        if self._select_subprotocol is not None:
            return self._select_subprotocol(client_subprotocols, server_subprotocols)
        common = [name for name in server_subprotocols if name in client_subprotocols]
        return min(
            common,
            key=lambda name: client_subprotocols.index(name) + server_subprotocols.index(name),
            default=None,
        )


def remove_path_argument(
    ws_handler: Handler,
) -> Callable[[WebSocketServerProtocol], Awaitable[Any]]:
    """Return a handler that takes the connection only.

    Args:
        ws_handler: one that takes the connection, or the connection and the path.
    """
    if takes_arguments(ws_handler, 1) or not takes_arguments(ws_handler, 2):
        return ws_handler  # type: ignore[return-value]
    warnings.warn("remove second argument of ws_handler", DeprecationWarning, stacklevel=3)

    @functools.wraps(ws_handler)
    async def without_path(websocket: WebSocketServerProtocol) -> Any:
        return await ws_handler(websocket, websocket.path)  # type: ignore[call-arg]

    del without_path.__wrapped__  # it has one argument less
    return without_path
