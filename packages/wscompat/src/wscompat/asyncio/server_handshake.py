"""The decision of a server about a request: to accept it, or how else to answer.

The rules of the handshake are those of `wscompat.server.ServerProtocol`; this file asks the
program's own functions before and after it. wscore reads the request and sends the answer.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from multidict import CIMultiDict

import wscore
from wscore.connection.slow_calls import await_timed, call_timed

from ..extensions.base import ServerExtensionFactory
from ..http11 import Request, Response
from ..server import ServerProtocol
from ..typing import Origin, Subprotocol
from ..utils import http_date
from .extension_connection import ExtensionConnection
from .logging_connection import LoggingConnection

if TYPE_CHECKING:
    from .server import ServerConnection

__all__ = ["Acceptance", "Origins", "ProcessRequest", "ProcessResponse", "SelectSubprotocol"]

Origins = Sequence[Origin | re.Pattern[str] | None]
SelectSubprotocol = Callable[["ServerConnection", Sequence[Subprotocol]], Subprotocol | None]
ProcessRequest = Callable[
    ["ServerConnection", Request], Awaitable[Response | None] | Response | None
]
ProcessResponse = Callable[
    ["ServerConnection", Request, Response], Awaitable[Response | None] | Response | None
]
Answer = wscore.WSUpgradeResponseWithListener

_FAILED = "Failed to open a WebSocket connection.\nSee server log for more information.\n"
_CLOSING = "Server is shutting down.\n"
# Values of `Connection`, in lower case, as browsers and libraries send them.
_USUAL_OPTIONS = (["upgrade"], ["keep-alive, upgrade"])


@dataclass(frozen=True)
class Acceptance:
    """The rules of one server.

    Attributes:
        origins: the allowed origins; None for any.
        extensions: the extensions to accept, the preferred one first; None for none.
        wscore_knows_extensions: whether wscore can negotiate those by itself.
        subprotocols: the supported ones, the preferred one first; None for none.
        select_subprotocol: chooses one of those that a client offers; raises `NegotiationError` to
            refuse.
        process_request: looks at each request first; may answer it itself.
        process_response: looks at each answer; may replace it.
        server_header: value of ``Server``; None for none.
    """

    origins: Origins | None
    extensions: Sequence[ServerExtensionFactory] | None
    wscore_knows_extensions: bool
    subprotocols: Sequence[Subprotocol | str] | None
    select_subprotocol: SelectSubprotocol | None
    process_request: ProcessRequest | None
    process_response: ProcessResponse | None
    server_header: str | None

    def answer(
        self, request: wscore.WSUpgradeRequest, connection: ServerConnection
    ) -> Answer | Awaitable[Answer]:
        """Answer a request.

        Args:
            request: the request.
            connection: the connection if it is accepted.
        """
        if self.process_request is not None or self.process_response is not None:
            return self._ask(request, connection)
        if not (self._is_simple() and _is_upgrade(request)):
            connection._request_arrived(request, self._protocol(connection))
            return self._answer(connection, self._own_response(connection))
        response = wscore.WSUpgradeResponse(
            b"HTTP/1.1", HTTPStatus.SWITCHING_PROTOCOLS, CIMultiDict(self._headers())
        )
        return Answer(response, connection)

    def _is_simple(self) -> bool:
        """Return whether wscore alone can decide about the request."""
        return (
            self.origins is None
            and self.wscore_knows_extensions
            and not self.subprotocols
            and self.select_subprotocol is None
        )

    def refusal(self, request: wscore.WSUpgradeRequest, connection: ServerConnection) -> Answer:
        """Refuse a request, since the server is closing.

        Args:
            request: the request.
            connection: the connection that is refused.
        """
        connection._request_arrived(request, self._protocol(connection))
        return self._refusal(connection)

    async def _ask(self, request: wscore.WSUpgradeRequest, connection: ServerConnection) -> Answer:
        """Answer a request, and await the functions of the user."""
        connection._request_arrived(request, self._protocol(connection))
        received = connection.request
        given = await self._result("process_request", self.process_request, connection, received)
        if connection.server.close_task is not None:
            return self._refusal(connection)
        response = self._own_response(connection) if given is None else self._signed(given)
        connection.response = response
        other = await self._result(
            "process_response", self.process_response, connection, received, response
        )
        return self._answer(connection, response if other is None else other)

    async def _result(
        self,
        name: str,
        function: Callable[..., Any] | None,
        connection: ServerConnection,
        *args: object,
    ) -> Response | None:
        """Return the result of a function of the user; a refusal if it fails."""
        if function is None:
            return None
        try:
            response = call_timed(connection._loop, function, connection, *args)
            if inspect.isawaitable(response):
                response = await await_timed(connection._loop, function, response)
            if not isinstance(response, Response | None):
                raise TypeError(f"{name} must return a Response or None, not {response!r}")
        except Exception:
            connection.logger.error(f"{name} failed", exc_info=True)
            return connection.respond(HTTPStatus.INTERNAL_SERVER_ERROR, _FAILED)
        return response

    def _refusal(self, connection: ServerConnection) -> Answer:
        return self._answer(
            connection, connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, _CLOSING)
        )

    def _own_response(self, connection: ServerConnection) -> Response:
        response = connection.protocol.accept(connection.request)
        if isinstance(connection, ExtensionConnection):
            connection.extensions = connection.protocol.extensions
        return self._signed(response)

    def _answer(self, connection: ServerConnection, response: Response) -> Answer:
        """Return the response in the form that wscore takes."""
        connection.response = response
        if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
            return Answer(response._to_core(), connection)
        refused = connection.protocol.handshake_exc is not None
        if isinstance(connection, LoggingConnection):
            connection.log_request(connection.request, "<")
            connection.log_response(response, ">")
        what = "connection rejected" if refused else "HTTP response sent"
        connection.logger.info(f"{what} (%d %s)", response.status_code, response.reason_phrase)
        return Answer(response._to_core(), None)

    def _protocol(self, connection: ServerConnection) -> ServerProtocol:
        """Make the `ServerProtocol` that applies the rules."""
        select = None
        if (choose := self.select_subprotocol) is not None:

            def select(_: ServerProtocol, names: Sequence[Subprotocol]) -> Subprotocol | None:
                chosen: Subprotocol | None = call_timed(connection._loop, choose, connection, names)
                return chosen

        return ServerProtocol(
            origins=self.origins,
            extensions=self.extensions,
            subprotocols=self.subprotocols,  # type: ignore[arg-type]
            select_subprotocol=select,
            logger=connection._given_logger,
        )

    def _signed(self, response: Response) -> Response:
        if self.server_header is not None:
            response.headers.setdefault("Server", self.server_header)
        return response

    def _headers(self) -> dict[str, str]:
        headers = {"Date": http_date()}
        if self.server_header is not None:
            headers["Server"] = self.server_header
        return headers


def _is_upgrade(request: wscore.WSUpgradeRequest) -> bool:
    """Return whether a WebSocket client may have sent it; others are judged as websockets does."""
    headers = request.headers
    return (
        request.method == b"GET"
        and request.version == b"HTTP/1.1"
        and [value.lower() for value in headers.getall("Upgrade", [])] == ["websocket"]
        and [value.lower() for value in headers.getall("Connection", [])] in _USUAL_OPTIONS
        and headers.get("Sec-WebSocket-Version") == "13"
    )
