"""The server's side without I/O: its opening handshake.

It listens to no socket: `wscompat.asyncio.server` does that.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Generator, Sequence
from http import HTTPStatus
from typing import Any

from .datastructures import Headers, MultipleValuesError
from .deprecated import deprecated_names
from .exceptions import (
    HeaderLineTooLong,
    InvalidHandshake,
    InvalidHeader,
    InvalidHeaderValue,
    InvalidMessage,
    InvalidMethod,
    InvalidOrigin,
    InvalidProtocol,
    InvalidUpgrade,
    NegotiationError,
    RequestLineTooLong,
    TooManyHeaders,
)
from .extensions.base import Extension, ServerExtensionFactory
from .extensions.negotiation import accept_offers
from .extensions.permessage_deflate import ServerPerMessageDeflateFactory
from .headers import check_key, check_upgrade, parse_subprotocol, single_value
from .http11 import Request, Response
from .protocol import CONNECTING, OPEN, SERVER, Protocol, State
from .typing import LoggerLike, Origin, StatusLike, Subprotocol
from .utils import accept_key, http_date

__all__ = ["ServerProtocol"]

__getattr__ = deprecated_names(__name__)

_FAILED = "Failed to open a WebSocket connection"
_NOT_FOR_BROWSERS = (
    "You cannot access a WebSocket server directly with a browser. You need a WebSocket client."
)


class ServerProtocol(Protocol):
    """The server's end of a connection, without I/O.

    The first event that is received is the request. `accept` or `reject` makes the response, which
    `send_response` sends. If `handshake_exc` is None then, the connection is open.

    Args:
        origins: the allowed values of ``Origin``: strings and compiled patterns, None for requests
            without it. All are allowed if it is not given.
        extensions: the extensions to accept, the preferred one first.
        subprotocols: names of subprotocols, the preferred one first.
        select_subprotocol: takes the place of the method of this name; it is called with the
            protocol and the names that the client offers.
        state: how far the connection has come.
        max_size: as for `Protocol`.
        logger: as for `Protocol`.
    """

    def __init__(
        self,
        *,
        origins: Sequence[Origin | re.Pattern[str] | None] | None = None,
        extensions: Sequence[ServerExtensionFactory] | None = None,
        subprotocols: Sequence[Subprotocol] | None = None,
        select_subprotocol: (
            Callable[[ServerProtocol, Sequence[Subprotocol]], Subprotocol | None] | None
        ) = None,
        state: State = CONNECTING,
        max_size: int | tuple[int | None, int | None] | None = 2**20,
        logger: LoggerLike | None = None,
    ) -> None:
        self.available_extensions = extensions
        super().__init__(SERVER, state=state, max_size=max_size, logger=logger)
        self.origins = origins
        self.available_subprotocols = subprotocols
        if select_subprotocol is not None:
            self._select_subprotocol = select_subprotocol
            self.select_subprotocol = self._ask_for_subprotocol  # type: ignore[method-assign]

    # -- the request

    def parse(self) -> Generator[None]:
        """Read the request, and then frames."""
        if self.state is CONNECTING:
            try:
                request = yield from Request.parse(self.reader.read_line)
            except RequestLineTooLong as exc:
                self._refuse_unread(exc, HTTPStatus.REQUEST_URI_TOO_LONG)
                return
            except (HeaderLineTooLong, TooManyHeaders) as exc:
                self._refuse_unread(exc, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
                return
            except Exception as exc:
                self.handshake_exc = InvalidMessage("did not receive a valid HTTP request")
                self.handshake_exc.__cause__ = exc
                if self.debug:
                    self.logger.debug("! no valid HTTP request", exc_info=exc)
                self._end_receiving()
                return
            self._log_request(request)
            self.events.append(request)
        yield from super().parse()

    def _refuse_unread(self, exc: Exception, status: HTTPStatus) -> None:
        """Answer a request that is too large to be read."""
        self.handshake_exc = exc
        self.send_response(self.reject(status, f"{_FAILED}: {exc}.\n"))

    def _is_simple(self) -> bool:
        if self.state is not CONNECTING:
            return super()._is_simple()
        # Frames that a client sends right after its request are parsed once it is answered.
        return all(
            type(factory) is ServerPerMessageDeflateFactory
            for factory in self.available_extensions or ()
        )

    def _log_request(self, request: Request) -> None:
        if self.debug:
            self.logger.debug("< %s %s %s", request.method, request.path, request.protocol)
            for name, value in request.headers.raw_items():
                self.logger.debug("< %s: %s", name, value)

    # -- the answer

    def accept(self, request: Request) -> Response:
        """Make the response that accepts a request, or refuses it if it is not valid.

        It may be changed before it is sent. If it refuses, `handshake_exc` has the reason.

        Args:
            request: the received one.
        """
        try:
            accept, extensions, subprotocol = self.process_request(request)
        except Exception as exc:
            request._exception = self.handshake_exc = exc
            return self._refuse(exc)
        headers = Headers()
        headers["Date"] = http_date()
        headers["Upgrade"] = "websocket"
        headers["Connection"] = "Upgrade"
        headers["Sec-WebSocket-Accept"] = accept
        if extensions is not None:
            headers["Sec-WebSocket-Extensions"] = extensions
        if subprotocol is not None:
            headers["Sec-WebSocket-Protocol"] = subprotocol
        return Response(101, "Switching Protocols", headers)

    def _refuse(self, exc: Exception) -> Response:
        """Make the response to a request that is not valid, or could not be processed."""
        text = f"{_FAILED}: {_with_causes(exc)}.\n"
        if isinstance(exc, InvalidOrigin):
            self._log_invalid("origin", exc)
            return self.reject(HTTPStatus.FORBIDDEN, text)
        if isinstance(exc, InvalidUpgrade):
            self._log_invalid("upgrade", exc)
            response = self.reject(HTTPStatus.UPGRADE_REQUIRED, f"{text}\n{_NOT_FOR_BROWSERS}\n")
            response.headers["Upgrade"] = "websocket"
            return response
        if isinstance(exc, InvalidMethod):
            self._log_invalid("method", exc)
            response = self.reject(HTTPStatus.METHOD_NOT_ALLOWED, text)
            response.headers["Allow"] = "GET"
            return response
        if isinstance(exc, InvalidProtocol):
            self._log_invalid("protocol", exc)
            return self.reject(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, text)
        if isinstance(exc, InvalidHandshake):
            self._log_invalid("handshake", exc)
            return self.reject(HTTPStatus.BAD_REQUEST, text)
        self.logger.error("opening handshake failed", exc_info=exc)
        return self.reject(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            f"{_FAILED}.\nSee server log for more information.\n",
        )

    def _log_invalid(self, what: str, exc: Exception) -> None:
        if self.debug:
            self.logger.debug("! invalid %s", what, exc_info=exc)

    def reject(self, status: StatusLike, text: str) -> Response:
        """Make a response that refuses; it may be changed before it is sent.

        Args:
            status: its status.
            text: its body.
        """
        status = HTTPStatus(status)
        body = text.encode()
        headers = Headers()
        headers["Date"] = http_date()
        headers["Connection"] = "close"
        headers["Content-Length"] = str(len(body))
        headers["Content-Type"] = "text/plain; charset=utf-8"
        return Response(status.value, status.phrase, headers, body)

    def send_response(self, response: Response) -> None:
        """Send the response.

        Args:
            response: what `accept` or `reject` made.

        Raises:
            InvalidState: if there is no request to answer any more.
        """
        status = response.status_code
        if self.debug:
            self.logger.debug("> HTTP/1.1 %d %s", status, response.reason_phrase)
            for name, value in response.headers.raw_items():
                self.logger.debug("> %s: %s", name, value)
            if response.body:
                self.logger.debug("> [body] (%d bytes)", len(response.body))
        self.writes.append(response.serialize())
        if status == 101:
            assert self.state is CONNECTING
            self.state = OPEN
            self.logger.info("connection open")
            return
        what = "HTTP response sent" if self.handshake_exc is None else "connection rejected"
        self.logger.info("%s (%d %s)", what, status, response.reason_phrase)
        self._end_receiving()

    # -- the checks

    def process_request(self, request: Request) -> tuple[str, str | None, str | None]:
        """Check a request, and negotiate (RFC 6455, 4.2.1).

        ``Host`` is not looked at.

        Args:
            request: the received one.

        Returns:
            The values of ``Sec-WebSocket-Accept``, ``Sec-WebSocket-Extensions`` and
            ``Sec-WebSocket-Protocol``; None for a field that is left out.

        Raises:
            InvalidHandshake: if it cannot be accepted; a subclass gives the reason.
        """
        if request.method != "GET":
            raise InvalidMethod(request.method)
        if request.protocol != "HTTP/1.1":
            raise InvalidProtocol(request.protocol)
        headers = request.headers
        check_upgrade(headers)
        key = single_value(headers, "Sec-WebSocket-Key")
        check_key(key)
        version = single_value(headers, "Sec-WebSocket-Version")
        if version != "13":
            raise InvalidHeaderValue("Sec-WebSocket-Version", version)
        self.origin = self.process_origin(headers)
        extensions, self.extensions = self.process_extensions(headers)
        self.subprotocol = self.process_subprotocol(headers)
        return accept_key(key), extensions, self.subprotocol

    def process_origin(self, headers: Headers) -> Origin | None:
        """Return the request's origin, if it is allowed.

        Args:
            headers: those of the request.

        Raises:
            InvalidOrigin: if it is not allowed.
            InvalidHeader: if there are several.
        """
        try:
            origin = headers.get("Origin")
        except MultipleValuesError:
            raise InvalidHeader("Origin", "multiple values") from None
        if self.origins is not None and not any(
            (origin is not None and allowed.fullmatch(origin))
            if isinstance(allowed, re.Pattern)
            else allowed == origin
            for allowed in self.origins
        ):
            raise InvalidOrigin(origin)
        return None if origin is None else Origin(origin)

    def process_extensions(self, headers: Headers) -> tuple[str | None, list[Extension]]:
        """Choose among the extensions that the client offers, in the client's order.

        Args:
            headers: those of the request.

        Returns:
            The value of the response's ``Sec-WebSocket-Extensions``, None for none, and the
            extensions.

        Raises:
            InvalidHandshake: if the field is malformed.
        """
        return accept_offers(self.available_extensions, headers)

    def process_subprotocol(self, headers: Headers) -> Subprotocol | None:
        """Choose among the subprotocols that the client offers.

        Args:
            headers: those of the request.

        Raises:
            InvalidHandshake: if the field is malformed, or there is nothing to choose.
        """
        fields = headers.get_all("Sec-WebSocket-Protocol")
        return self.select_subprotocol(
            [name for field in fields for name in parse_subprotocol(field)]
        )

    def select_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        """Return the first of the server's subprotocols that the client also offers.

        Args:
            subprotocols: the names that the client offers.

        Returns:
            Its name; None if the server has none at all.

        Raises:
            NegotiationError: if the server has some, and the client offers none of them.
        """
        if not self.available_subprotocols:
            return None
        if not subprotocols:
            raise NegotiationError("missing subprotocol")
        for name in self.available_subprotocols:
            if name in subprotocols:
                return name
        expected = ", ".join(self.available_subprotocols)
        raise NegotiationError(f"invalid subprotocol; expected one of {expected}")

    def _ask_for_subprotocol(self, subprotocols: Sequence[Subprotocol]) -> Subprotocol | None:
        return self._select_subprotocol(self, subprotocols)


class ServerConnection(ServerProtocol):
    """The former name of `ServerProtocol`; deprecated."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            "ServerConnection was renamed to ServerProtocol", DeprecationWarning, stacklevel=2
        )
        super().__init__(*args, **kwargs)


def _with_causes(exc: BaseException) -> str:
    """Return the message of an exception, and those of its causes."""
    text = str(exc)
    while (cause := exc.__cause__) is not None:
        text = f"{text}; {cause}"
        exc = cause
    return text
