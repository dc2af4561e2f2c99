"""The client's side without I/O: its opening handshake, and the delays of reconnection.

It opens no connection: `wscompat.asyncio.client` does that.
"""

from __future__ import annotations

import os
import random
import warnings
from collections.abc import Generator, Sequence
from typing import Any

from .datastructures import Headers
from .deprecated import deprecated_names
from .exceptions import (
    InvalidHandshake,
    InvalidHeader,
    InvalidHeaderValue,
    InvalidMessage,
    InvalidStatus,
    NegotiationError,
    StatusLineTooLong,
)
from .extensions.base import ClientExtensionFactory, Extension
from .extensions.negotiation import build_offer, take_answer
from .headers import (
    build_authorization_basic,
    build_host,
    build_subprotocol,
    check_upgrade,
    parse_subprotocol,
    single_value,
)
from .http11 import Request, Response
from .protocol import CLIENT, CONNECTING, OPEN, Protocol, State
from .typing import LoggerLike, Origin, Subprotocol
from .uri import WebSocketURI
from .utils import accept_key, generate_key

__all__ = ["ClientProtocol", "backoff", "process_exception"]

__getattr__ = deprecated_names(__name__)

_TRANSIENT_STATUSES = {500, 502, 503, 504}

BACKOFF_INITIAL_DELAY = float(os.environ.get("WEBSOCKETS_BACKOFF_INITIAL_DELAY", "5"))
BACKOFF_MIN_DELAY = float(os.environ.get("WEBSOCKETS_BACKOFF_MIN_DELAY", "3.1"))
BACKOFF_MAX_DELAY = float(os.environ.get("WEBSOCKETS_BACKOFF_MAX_DELAY", "90.0"))
BACKOFF_FACTOR = float(os.environ.get("WEBSOCKETS_BACKOFF_FACTOR", "1.618"))


class ClientProtocol(Protocol):
    """The client's end of a connection, without I/O.

    `connect` makes the request, which `send_request` sends. The first event that is received is the
    response; if `handshake_exc` is None then, the connection is open.

    Args:
        uri: where to, from `wscompat.uri.parse_uri`.
        origin: value of ``Origin``.
        extensions: the extensions to offer, the preferred one first.
        subprotocols: names of subprotocols, the preferred one first.
        state: the state of the connection.
        max_size: as for `Protocol`.
        logger: as for `Protocol`.
    """

    def __init__(
        self,
        uri: WebSocketURI,
        *,
        origin: Origin | None = None,
        extensions: Sequence[ClientExtensionFactory] | None = None,
        subprotocols: Sequence[Subprotocol] | None = None,
        state: State = CONNECTING,
        max_size: int | tuple[int | None, int | None] | None = 2**20,
        logger: LoggerLike | None = None,
    ) -> None:
        super().__init__(CLIENT, state=state, max_size=max_size, logger=logger)
        self.uri = uri
        self.origin = origin
        self.available_extensions = extensions
        self.available_subprotocols = subprotocols
        self.key = generate_key()

    # -- the request

    def connect(self) -> Request:
        """Make the request of the opening handshake; it may be changed before it is sent."""
        uri = self.uri
        headers = Headers()
        headers["Host"] = build_host(uri.host, uri.port, uri.secure)
        if uri.user_info is not None:
            headers["Authorization"] = build_authorization_basic(*uri.user_info)
        if self.origin is not None:
            headers["Origin"] = self.origin
        headers["Upgrade"] = "websocket"
        headers["Connection"] = "Upgrade"
        headers["Sec-WebSocket-Key"] = self.key
        headers["Sec-WebSocket-Version"] = "13"
        if self.available_extensions is not None:
            headers["Sec-WebSocket-Extensions"] = build_offer(self.available_extensions)
        if self.available_subprotocols is not None:
            headers["Sec-WebSocket-Protocol"] = build_subprotocol(self.available_subprotocols)
        return Request(uri.resource_name, headers)

    def send_request(self, request: Request) -> None:
        """Send the request.

        Args:
            request: what `connect` made.
        """
        if self.debug:
            self.logger.debug("> %s %s %s", request.method, request.path, request.protocol)
            for name, value in request.headers.raw_items():
                self.logger.debug("> %s: %s", name, value)
        self.writes.append(request.serialize())

    # -- the response

    def process_response(self, response: Response) -> None:
        """Check a response, and adopt the negotiated extensions and subprotocol.

        Args:
            response: the received one.

        Raises:
            InvalidHandshake: if it does not accept the request; a subclass gives the reason.
        """
        if response.status_code != 101:
            raise InvalidStatus(response)
        headers = response.headers
        check_upgrade(headers)
        accept = single_value(headers, "Sec-WebSocket-Accept")
        if accept != accept_key(self.key):
            raise InvalidHeaderValue("Sec-WebSocket-Accept", accept)
        self.extensions = self.process_extensions(headers)
        self.subprotocol = self.process_subprotocol(headers)

    def process_extensions(self, headers: Headers) -> list[Extension]:
        """Return the extensions that the server accepted, each from the factory that takes it.

        Args:
            headers: those of the response.

        Raises:
            InvalidHandshake: if one was not offered, or its parameters are not acceptable.
        """
        return take_answer(self.available_extensions, headers)

    def process_subprotocol(self, headers: Headers) -> Subprotocol | None:
        """Return the subprotocol that the server chose, or None.

        Args:
            headers: those of the response.

        Raises:
            InvalidHandshake: if it chose several, or one that was not offered.
        """
        fields = headers.get_all("Sec-WebSocket-Protocol")
        if not fields:
            return None
        if self.available_subprotocols is None:
            raise NegotiationError("no subprotocols supported")
        chosen = [name for field in fields for name in parse_subprotocol(field)]
        if len(chosen) > 1:
            names = ", ".join(chosen)
            raise InvalidHeader("Sec-WebSocket-Protocol", f"multiple values: {names}")
        if chosen[0] not in self.available_subprotocols:
            raise NegotiationError(f"unsupported subprotocol: {chosen[0]}")
        return chosen[0]

    def parse(self) -> Generator[None]:
        """Read the response, and then frames."""
        if self.state is CONNECTING:
            reader = self.reader
            try:
                response = yield from Response.parse(
                    reader.read_line, reader.read_exact, reader.read_to_eof
                )
            except StatusLineTooLong as exc:
                self._handshake_failed(exc)
                return
            except Exception as exc:
                error = InvalidMessage("did not receive a valid HTTP response")
                error.__cause__ = exc
                self._handshake_failed(error)
                return
            self._log_response(response)
            self.events.append(response)
            try:
                self.process_response(response)
            except InvalidHandshake as exc:
                response._exception = exc
                self._handshake_failed(exc)
                return
            self.state = OPEN
        yield from super().parse()

    def _handshake_failed(self, exc: Exception) -> None:
        self.handshake_exc = exc
        self.send_eof()
        self._end_receiving()

    def _log_response(self, response: Response) -> None:
        if not self.debug:
            return
        self.logger.debug("< HTTP/1.1 %d %s", response.status_code, response.reason_phrase)
        for name, value in response.headers.raw_items():
            self.logger.debug("< %s: %s", name, value)
        if response.body:
            self.logger.debug("< [body] (%d bytes)", len(response.body))


class ClientConnection(ClientProtocol):
    """The former name of `ClientProtocol`; deprecated."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            "ClientConnection was renamed to ClientProtocol", DeprecationWarning, stacklevel=2
        )
        super().__init__(*args, **kwargs)


# -- reconnection


def backoff(
    initial_delay: float = BACKOFF_INITIAL_DELAY,
    min_delay: float = BACKOFF_MIN_DELAY,
    max_delay: float = BACKOFF_MAX_DELAY,
    factor: float = BACKOFF_FACTOR,
) -> Generator[float, None, None]:
    """Generate the delays between attempts: a random one first, then longer and longer ones.

    Args:
        initial_delay: seconds; the first delay is shorter.
        min_delay: the second delay, in seconds.
        max_delay: the longest delay, in seconds.
        factor: the ratio of a delay to the one before.
    """
    yield random.random() * initial_delay
    delay = min_delay
    while True:
        yield min(delay, max_delay)
        delay = min(delay * factor, max_delay)


def process_exception(exc: Exception) -> Exception | None:
    """Return None if another attempt may succeed where this one failed.

    It may after an error of the network, a timeout, a connection that was closed before the server
    answered, or a response with status 500, 502, 503 or 504.

    Args:
        exc: the exception of the attempt.

    Returns:
        None if it may; the exception to raise if not.
    """
    if isinstance(exc, OSError):  # TimeoutError is one
        return None
    if isinstance(exc, InvalidMessage) and isinstance(exc.__cause__, EOFError):
        return None
    if isinstance(exc, InvalidStatus) and exc.response.status_code in _TRANSIENT_STATUSES:
        return None
    return exc
