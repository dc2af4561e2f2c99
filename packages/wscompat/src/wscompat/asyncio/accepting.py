"""What a server decides about a request: is the origin allowed, which subprotocol, what to answer.

It decides only; wscore checks the rest of the request and sends the answer.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import wscore

from ..datastructures import Headers
from ..exceptions import InvalidHandshake, InvalidHeader, InvalidOrigin, NegotiationError
from ..extensions.base import ServerExtensionFactory
from ..extensions.negotiation import accept_offers
from ..http11 import Request, Response
from ..typing import StatusLike, Subprotocol
from .extended import Extended

if TYPE_CHECKING:
    from .server import ServerConnection

__all__ = ["Acceptance", "Origins", "ProcessRequest", "SelectSubprotocol", "plain_response"]

Origins = Sequence[str | re.Pattern[str] | None]
SelectSubprotocol = Callable[["ServerConnection", Sequence[Subprotocol]], str | None]
ProcessRequest = Callable[
    ["ServerConnection", Request], Awaitable[Response | None] | Response | None
]
Answer = wscore.WSUpgradeResponseWithListener

_FAILED = "Failed to open a WebSocket connection"


@dataclass(frozen=True)
class Acceptance:
    """The rules of one server.

    Attributes:
        origins: the allowed origins; None for any.
        extensions: the extensions that wscore does not know, the preferred one first; None for
            none.
        subprotocols: the supported ones, the preferred one first; None for none.
        select_subprotocol: chooses one of those that a client offers; raises `NegotiationError` to
            refuse.
        process_request: looks at each request first; may answer it itself.
        server_header: value of ``Server``; None for none.
    """

    origins: Origins | None
    extensions: Sequence[ServerExtensionFactory] | None
    subprotocols: Sequence[Subprotocol | str] | None
    select_subprotocol: SelectSubprotocol | None
    process_request: ProcessRequest | None
    server_header: str | None

    def answer(self, request: wscore.WSUpgradeRequest, connection: ServerConnection) -> Answer:
        """The answer to a request.

        Args:
            request: the request.
            connection: what there will be if it is accepted.
        """
        if self.process_request is None:
            return self._accept_or_refuse(request, connection)
        return self._ask_first(self.process_request, request, connection)

    def _ask_first(
        self,
        process_request: ProcessRequest,
        request: wscore.WSUpgradeRequest,
        connection: ServerConnection,
    ) -> Answer:
        """The answer of the server's own function, or the usual one."""
        connection._request_arrived(request)
        try:
            response: Any = process_request(connection, connection.request)
            if inspect.isawaitable(response):
                response = _result_of(response)
            if not isinstance(response, Response | None):
                raise TypeError(f"process_request must return a Response or None, not {response!r}")
        except Exception:
            connection.logger.error("process_request failed", exc_info=True)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            connection.logger.info("HTTP response sent (%d %s)", status, status.phrase)
            return self.refusal(status, f"{_FAILED}.\nSee server log for more information.\n")
        if response is None:
            return self._accept_or_refuse(request, connection)
        if self.server_header is not None:
            response.headers.setdefault("Server", self.server_header)
        connection.logger.info(
            "HTTP response sent (%d %s)", response.status_code, response.reason_phrase
        )
        return Answer(
            response._to_core(),
            connection if response.status_code == HTTPStatus.SWITCHING_PROTOCOLS else None,
        )

    def _accept_or_refuse(
        self, request: wscore.WSUpgradeRequest, connection: ServerConnection
    ) -> Answer:
        try:
            self._check_origin(request)
            extensions = self._choose_extensions(request, connection)
            subprotocol = self._choose_subprotocol(request, connection)
        except InvalidOrigin as exc:
            return self.refusal(HTTPStatus.FORBIDDEN, f"{_FAILED}: {exc}.\n")
        except InvalidHandshake as exc:
            return self.refusal(HTTPStatus.BAD_REQUEST, f"{_FAILED}: {exc}.\n")
        headers = {"Date": formatdate(usegmt=True)}
        if self.server_header is not None:
            headers["Server"] = self.server_header
        if extensions is not None:
            headers["Sec-WebSocket-Extensions"] = extensions
        if subprotocol is not None:
            headers["Sec-WebSocket-Protocol"] = subprotocol
        return Answer(wscore.WSUpgradeResponse.create_101_response(headers), connection)

    def refusal(self, status: HTTPStatus, text: str) -> Answer:
        """An answer that refuses.

        Args:
            status: its status.
            text: its body.
        """
        response = plain_response(status, text)
        if self.server_header is not None:
            response.headers["Server"] = self.server_header
        return Answer(response._to_core(), None)

    def _check_origin(self, request: wscore.WSUpgradeRequest) -> None:
        if self.origins is None:
            return
        values = request.headers.getall("Origin", [])
        if len(values) > 1:
            raise InvalidHeader("Origin", "multiple values")
        origin = values[0] if values else None
        for allowed in self.origins:
            if isinstance(allowed, re.Pattern):
                if origin is not None and allowed.fullmatch(origin):
                    return
            elif origin == allowed:
                return
        raise InvalidOrigin(origin)

    def _choose_extensions(
        self, request: wscore.WSUpgradeRequest, connection: ServerConnection
    ) -> str | None:
        """Give the connection the extensions that both sides want; what to answer about them."""
        if not isinstance(connection, Extended):
            return None
        headers = Headers(request.headers.items())
        answer, connection.extensions = accept_offers(self.extensions, headers)
        return answer

    def _choose_subprotocol(
        self, request: wscore.WSUpgradeRequest, connection: ServerConnection
    ) -> str | None:
        """The first of ours that the client offers too, or what the server's own function says."""
        offered = [
            Subprotocol(name)
            for value in request.headers.getall("Sec-WebSocket-Protocol", [])
            for part in value.split(",")
            if (name := part.strip())
        ]
        if self.select_subprotocol is not None:
            chosen = self.select_subprotocol(connection, offered)
            if chosen is not None and chosen not in offered:
                raise NegotiationError(f"subprotocol {chosen} is not offered")
            return chosen
        if not self.subprotocols:
            return None
        if not offered:
            raise NegotiationError("missing subprotocol")
        for name in self.subprotocols:
            if name in offered:
                return name
        raise NegotiationError(
            f"invalid subprotocol; expected one of {', '.join(self.subprotocols)}"
        )


def _result_of(awaitable: Awaitable[Any]) -> Any:
    """What an awaitable gives that has nothing to wait for: the answer is needed now."""
    steps = awaitable.__await__()
    try:
        next(steps)
    except StopIteration as stop:
        return stop.value
    steps.close()
    raise RuntimeError("process_request cannot wait for anything")


def plain_response(status: StatusLike, text: str) -> Response:
    """A response with a text as its body, after which the connection ends.

    Args:
        status: its status.
        text: its body.
    """
    status = HTTPStatus(status)
    body = text.encode()
    headers = Headers(
        [
            ("Date", formatdate(usegmt=True)),
            ("Connection", "close"),
            ("Content-Length", str(len(body))),
            ("Content-Type", "text/plain; charset=utf-8"),
        ]
    )
    return Response(status.value, status.phrase, headers, body)
