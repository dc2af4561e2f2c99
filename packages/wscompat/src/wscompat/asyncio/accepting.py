"""What a server decides about a request: is the origin allowed, which subprotocol, what to answer.

It decides only; wscore checks the rest of the request and sends the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from email.utils import formatdate
from http import HTTPStatus
from typing import TYPE_CHECKING

import wscore

from ..exceptions import InvalidHandshake, InvalidHeader, InvalidOrigin, NegotiationError
from ..typing import Subprotocol

if TYPE_CHECKING:
    from .server import ServerConnection

__all__ = ["Acceptance", "Origins", "SelectSubprotocol"]

Origins = Sequence[str | re.Pattern[str] | None]
SelectSubprotocol = Callable[["ServerConnection", Sequence[Subprotocol]], str | None]


class Acceptance:
    """The rules of one server.

    Args:
        origins: the allowed origins; None for any.
        subprotocols: the supported ones, the preferred one first; None for none.
        select_subprotocol: chooses one of those that a client offers; raises `NegotiationError` to
            refuse.
        server_header: value of ``Server``; None for none.
    """

    def __init__(
        self,
        origins: Origins | None,
        subprotocols: Sequence[Subprotocol | str] | None,
        select_subprotocol: SelectSubprotocol | None,
        server_header: str | None,
    ) -> None:
        self._origins = origins
        self._subprotocols = subprotocols
        self._select_subprotocol = select_subprotocol
        self._server_header = server_header

    def answer(
        self, request: wscore.WSUpgradeRequest, connection: ServerConnection
    ) -> wscore.WSUpgradeResponseWithListener:
        """The answer to a request for an upgrade.

        Args:
            request: the request.
            connection: what there will be if it is accepted.
        """
        try:
            self._check_origin(request)
            subprotocol = self._choose_subprotocol(request, connection)
        except InvalidHandshake as exc:
            status = (
                HTTPStatus.FORBIDDEN if isinstance(exc, InvalidOrigin) else HTTPStatus.BAD_REQUEST
            )
            return self.refusal(status, f"Failed to open a WebSocket connection: {exc}.\n")
        headers = self._headers()
        if subprotocol is not None:
            headers["Sec-WebSocket-Protocol"] = subprotocol
        response = wscore.WSUpgradeResponse.create_101_response(headers)
        return wscore.WSUpgradeResponseWithListener(response, connection)

    def refusal(self, status: HTTPStatus, text: str) -> wscore.WSUpgradeResponseWithListener:
        """An answer that refuses.

        Args:
            status: its status.
            text: its body.
        """
        response = wscore.WSUpgradeResponse.create_error_response(
            status, text.encode(), self._headers()
        )
        return wscore.WSUpgradeResponseWithListener(response, None)

    def _headers(self) -> dict[str, str]:
        headers = {"Date": formatdate(usegmt=True)}
        if self._server_header is not None:
            headers["Server"] = self._server_header
        return headers

    def _check_origin(self, request: wscore.WSUpgradeRequest) -> None:
        if self._origins is None:
            return
        values = request.headers.getall("Origin", [])
        if len(values) > 1:
            raise InvalidHeader("Origin", "multiple values")
        origin = values[0] if values else None
        for allowed in self._origins:
            if isinstance(allowed, re.Pattern):
                if origin is not None and allowed.fullmatch(origin):
                    return
            elif origin == allowed:
                return
        raise InvalidOrigin(origin)

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
        if self._select_subprotocol is not None:
            chosen = self._select_subprotocol(connection, offered)
            if chosen is not None and chosen not in offered:
                raise NegotiationError(f"subprotocol {chosen} is not offered")
            return chosen
        if not self._subprotocols:
            return None
        if not offered:
            raise NegotiationError("missing subprotocol")
        for name in self._subprotocols:
            if name in offered:
                return name
        raise NegotiationError(
            f"invalid subprotocol; expected one of {', '.join(self._subprotocols)}"
        )
