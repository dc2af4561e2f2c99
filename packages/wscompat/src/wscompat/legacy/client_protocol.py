"""The protocol of connections that a client opens: `WebSocketClientProtocol`.

It sends the request and judges the response. Every step is a method that programs override;
`client` connects it.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from wscore.handshake.http import HTTPSyntaxError, WSUpgradeResponse

from ..datastructures import Headers, HeadersLike
from ..exceptions import (
    InvalidHeader,
    InvalidHeaderValue,
    InvalidMessage,
    NegotiationError,
)
from ..extensions.base import Extension
from ..extensions.negotiation import build_offer, take_answer
from ..headers import (
    build_authorization_basic,
    build_host,
    build_subprotocol,
    parse_subprotocol,
)
from ..http11 import USER_AGENT
from ..typing import LoggerLike, Origin, Subprotocol
from ..uri import WebSocketURI
from .engine import core_request
from .exceptions import InvalidStatusCode, RedirectHandshake
from .handshake import build_request, check_response
from .http import to_exception
from .protocol import WebSocketCommonProtocol

__all__ = ["WebSocketClientProtocol"]

_LOGGER = logging.getLogger("websockets.client")
_REDIRECTS = {301, 302, 303, 307, 308}


class WebSocketClientProtocol(WebSocketCommonProtocol):
    """The client's end of a connection.

    Args:
        logger: where to log; ``websockets.client`` if None.
        origin: value of ``Origin``.
        extensions: factories of extensions.
        subprotocols: names of subprotocols, the preferred one first.
        extra_headers: further header fields of the request.
        user_agent_header: value of ``User-Agent``; None for none.
        **kwargs: as for `WebSocketCommonProtocol`.
    """

    is_client = True
    side = "client"

    def __init__(
        self,
        *,
        logger: LoggerLike | None = None,
        origin: Origin | str | None = None,
        extensions: Sequence[Any] | None = None,
        subprotocols: Sequence[Subprotocol] | None = None,
        extra_headers: HeadersLike | None = None,
        user_agent_header: str | None = USER_AGENT,
        **kwargs: Any,
    ) -> None:
        super().__init__(logger=logger or _LOGGER, **kwargs)
        self.origin = origin
        self.available_extensions = extensions
        self.available_subprotocols = subprotocols
        self.extra_headers = extra_headers
        self.user_agent_header = user_agent_header

    async def handshake(
        self,
        wsuri: WebSocketURI,
        origin: Origin | str | None = None,
        available_extensions: Sequence[Any] | None = None,
        available_subprotocols: Sequence[Subprotocol] | None = None,
        extra_headers: HeadersLike | None = None,
    ) -> None:
        """Shake hands with the server (RFC 6455, 4.1).

        Args:
            wsuri: the URI to request.
            origin: as for the class.
            available_extensions: as `extensions` for the class.
            available_subprotocols: as `subprotocols` for the class.
            extra_headers: as for the class.

        Raises:
            InvalidHandshake: if the response is no valid acceptance; a subclass gives the reason.
        """
        headers = Headers()
        headers["Host"] = build_host(wsuri.host, wsuri.port, wsuri.secure)
        if wsuri.user_info:
            headers["Authorization"] = build_authorization_basic(*wsuri.user_info)
        if origin is not None:
            headers["Origin"] = origin
        key = build_request(headers)
        if available_extensions:
            headers["Sec-WebSocket-Extensions"] = build_offer(available_extensions)
        if available_subprotocols:
            headers["Sec-WebSocket-Protocol"] = build_subprotocol(available_subprotocols)
        if extra_headers is not None:
            headers.update(extra_headers)
        if self.user_agent_header is not None:
            headers.setdefault("User-Agent", self.user_agent_header)
        self.write_http_request(wsuri.resource_name, headers)
        status, answer = await self.read_http_response()
        if status in _REDIRECTS:
            if "Location" not in answer:
                raise InvalidHeader("Location")
            raise RedirectHandshake(answer["Location"])
        if status != HTTPStatus.SWITCHING_PROTOCOLS:
            raise InvalidStatusCode(status, answer)
        check_response(answer, key)
        self.extensions = self.process_extensions(answer, available_extensions)
        self.subprotocol = self.process_subprotocol(answer, available_subprotocols)
        self.connection_open()

    def write_http_request(self, path: str, headers: Headers) -> None:
        """Send the request.

        Args:
            path: its target.
            headers: its header fields.
        """
        self.path = path
        self.request_headers = headers
        self.transport.write(core_request(path, headers).to_bytes())

    async def read_http_response(self) -> tuple[int, Headers]:
        """Wait for the response.

        Returns:
            Its status and its header fields.

        Raises:
            InvalidMessage: if it is malformed or not an HTTP/1.1 response.
        """
        try:
            response = await self.peer_handshake.read()
            assert isinstance(response, WSUpgradeResponse)
            if response.version != b"HTTP/1.1":
                raise ValueError(f"unsupported HTTP version: {response.version.decode()}")
        except (HTTPSyntaxError, ValueError, EOFError, OSError) as exc:
            cause = to_exception(exc) if isinstance(exc, HTTPSyntaxError) else exc
            raise InvalidMessage("did not receive a valid HTTP response") from cause
        self.response_headers = Headers._from_core(response.headers)
        return int(response.status), self.response_headers

    @staticmethod
    def process_extensions(
        headers: Headers, available_extensions: Sequence[Any] | None
    ) -> list[Extension]:
        """Take the extensions that the server chose.

        Args:
            headers: the header fields of its response.
            available_extensions: factories of those that were offered.

        Raises:
            InvalidHandshake: if it chose one that was not offered.
        """
        return take_answer(available_extensions, headers)

    @staticmethod
    def process_subprotocol(
        headers: Headers, available_subprotocols: Sequence[Subprotocol] | None
    ) -> Subprotocol | None:
        """Take the subprotocol that the server chose.

        Args:
            headers: the header fields of its response.
            available_subprotocols: those that were offered.

        Raises:
            InvalidHandshake: if it chose one that was not offered, or several.
        """
        values = headers.get_all("Sec-WebSocket-Protocol")
        if not values:
            return None
        if not available_subprotocols:
            raise NegotiationError("no subprotocols supported")
        names = [name for value in values for name in parse_subprotocol(value)]
        if len(names) > 1:
            raise InvalidHeaderValue(
                "Sec-WebSocket-Protocol", f"multiple values: {', '.join(names)}"
            )
        if names[0] not in available_subprotocols:
            raise NegotiationError(f"unsupported subprotocol: {names[0]}")
        return names[0]
