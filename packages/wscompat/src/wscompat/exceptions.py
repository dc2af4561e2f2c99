"""The exception hierarchy of websockets: the same names, attributes and messages.

What asyncio and the operating system raise (`TimeoutError`, `OSError`, `ssl.SSLError`) is not
wrapped.

    WebSocketException
        ConnectionClosed: ConnectionClosedOK, ConnectionClosedError
        InvalidURI
        InvalidProxy
        InvalidHandshake
            SecurityError: RequestLineTooLong, StatusLineTooLong, HeaderLineTooLong, TooManyHeaders
            ProxyError: InvalidProxyMessage, InvalidProxyStatus
            InvalidMessage
            InvalidMethod
            InvalidProtocol
            InvalidStatus
            InvalidHeader: InvalidHeaderFormat, InvalidHeaderValue, InvalidOrigin, InvalidUpgrade
            NegotiationError: DuplicateParameter, InvalidParameterName, InvalidParameterValue
        ProtocolError
        PayloadTooBig
        TooManyFragments
        InvalidState, also an AssertionError
        ConcurrencyError, also a RuntimeError
"""

# ruff: noqa: N818  (the names are those of websockets)

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

from .deprecated import deprecated_names

if TYPE_CHECKING:
    from .frames import Close
    from .http11 import Response

__all__ = [
    "ConcurrencyError",
    "ConnectionClosed",
    "ConnectionClosedError",
    "ConnectionClosedOK",
    "DuplicateParameter",
    "HeaderLineTooLong",
    "InvalidHandshake",
    "InvalidHeader",
    "InvalidHeaderFormat",
    "InvalidHeaderValue",
    "InvalidMessage",
    "InvalidMethod",
    "InvalidOrigin",
    "InvalidParameterName",
    "InvalidParameterValue",
    "InvalidProtocol",
    "InvalidProxy",
    "InvalidProxyMessage",
    "InvalidProxyStatus",
    "InvalidState",
    "InvalidStatus",
    "InvalidURI",
    "InvalidUpgrade",
    "NegotiationError",
    "PayloadTooBig",
    "ProtocolError",
    "ProxyError",
    "RequestLineTooLong",
    "SecurityError",
    "StatusLineTooLong",
    "TooManyFragments",
    "TooManyHeaders",
    "WebSocketException",
]

__getattr__ = deprecated_names(__name__)


class WebSocketException(Exception):
    """Base class of all exceptions of this package."""


# -- the connection ended


class ConnectionClosed(WebSocketException):
    """The connection is closed, or is closing.

    Args:
        rcvd: the CLOSE that was received, or None.
        sent: the CLOSE that was sent, or None.
        rcvd_then_sent: if there are both, whether the peer's was first.
    """

    def __init__(
        self, rcvd: Close | None, sent: Close | None, rcvd_then_sent: bool | None = None
    ) -> None:
        if (rcvd_then_sent is None) != (rcvd is None or sent is None):
            raise ValueError("rcvd_then_sent goes with both CLOSE frames, and with nothing else")
        self.rcvd = rcvd
        self.sent = sent
        self.rcvd_then_sent = rcvd_then_sent

    def __str__(self) -> str:
        rcvd, sent = f"received {self.rcvd}", f"sent {self.sent}"
        if self.rcvd is None and self.sent is None:
            return "no close frame received or sent"
        if self.rcvd is None:
            return f"{sent}; no close frame received"
        if self.sent is None:
            return f"{rcvd}; no close frame sent"
        return f"{rcvd}; then {sent}" if self.rcvd_then_sent else f"{sent}; then {rcvd}"

    @property
    def code(self) -> int:
        """The code that was received, or 1006; deprecated in favour of ``rcvd.code``."""
        warnings.warn(
            "ConnectionClosed.code is deprecated; "
            "use Protocol.close_code or ConnectionClosed.rcvd.code",
            DeprecationWarning,
            stacklevel=2,
        )
        return 1006 if self.rcvd is None else self.rcvd.code

    @property
    def reason(self) -> str:
        """The reason that was received, or an empty one; deprecated like `code`."""
        warnings.warn(
            "ConnectionClosed.reason is deprecated; "
            "use Protocol.close_reason or ConnectionClosed.rcvd.reason",
            DeprecationWarning,
            stacklevel=2,
        )
        return "" if self.rcvd is None else self.rcvd.reason


class ConnectionClosedOK(ConnectionClosed):
    """It was closed normally: both sides sent a CLOSE, with code 1000 or 1001 or without a code."""


class ConnectionClosedError(ConnectionClosed):
    """It was not closed normally: another close code, or no complete closing handshake."""


# -- the connection could not be opened


class InvalidURI(WebSocketException):
    """The URI is not a valid WebSocket URI."""

    def __init__(self, uri: str, msg: str) -> None:
        self.uri = uri
        self.msg = msg

    def __str__(self) -> str:
        return f"{self.uri} isn't a valid URI: {self.msg}"


class InvalidProxy(WebSocketException):
    """The address of the proxy is not valid. Text and `repr()` do not show credentials in it."""

    def __init__(self, proxy: str, msg: str) -> None:
        self.proxy = proxy
        self.msg = msg

    def __str__(self) -> str:
        return f"{self._shown()} isn't a valid proxy: {self.msg}"

    def __repr__(self) -> str:
        return f"InvalidProxy({self._shown()!r}, {self.msg!r})"

    def _shown(self) -> str:
        from wscore.errors import without_credentials  # here: this module alone loads no wscore

        return without_credentials(self.proxy)


class InvalidHandshake(WebSocketException):
    """The opening handshake failed."""


class SecurityError(InvalidHandshake):
    """The handshake breaks a rule that is there for security."""


class RequestLineTooLong(SecurityError):
    """The request line is too long."""


class StatusLineTooLong(SecurityError):
    """The status line is too long."""


class HeaderLineTooLong(SecurityError):
    """A header field is too long."""


class TooManyHeaders(SecurityError):
    """There are too many header fields."""


class ProxyError(InvalidHandshake):
    """No connection through the proxy."""


class InvalidProxyMessage(ProxyError):
    """The proxy's answer is malformed."""


class InvalidProxyStatus(ProxyError):
    """The proxy refused."""

    def __init__(self, response: Response) -> None:
        self.response = response

    def __str__(self) -> str:
        return f"proxy rejected connection: HTTP {self.response.status_code:d}"


class InvalidMessage(InvalidHandshake):
    """The peer's message is not valid HTTP, or not complete."""


class InvalidMethod(InvalidHandshake):
    """The request is not a GET."""

    def __init__(self, method: str) -> None:
        self.method = method

    def __str__(self) -> str:
        return f"unsupported HTTP method: {self.method}"


class InvalidProtocol(InvalidHandshake):
    """The request is not HTTP/1.1."""

    def __init__(self, protocol: str) -> None:
        self.protocol = protocol

    def __str__(self) -> str:
        return f"unsupported HTTP version: {self.protocol}"


class InvalidStatus(InvalidHandshake):
    """The server refused: the status is not 101."""

    def __init__(self, response: Response) -> None:
        self.response = response

    def __str__(self) -> str:
        return f"server rejected WebSocket connection: HTTP {self.response.status_code:d}"


class InvalidHeader(InvalidHandshake):
    """A header field is missing or wrong."""

    def __init__(self, name: str, value: str | None = None) -> None:
        self.name = name
        self.value = value

    def __str__(self) -> str:
        if self.value is None:
            return f"missing {self.name} header"
        if self.value == "":
            return f"empty {self.name} header"
        return f"invalid {self.name} header: {self.value}"


class InvalidHeaderFormat(InvalidHeader):
    """A header field does not follow its grammar."""

    def __init__(self, name: str, error: str, header: str, pos: int) -> None:
        super().__init__(name, f"{error} at {pos} in {header}")


class InvalidHeaderValue(InvalidHeader):
    """A header field follows its grammar and has an unacceptable value."""


class InvalidOrigin(InvalidHeader):
    """The origin is not allowed."""

    def __init__(self, origin: str | None) -> None:
        super().__init__("Origin", origin)


class InvalidUpgrade(InvalidHeader):
    """`Upgrade` or `Connection` is missing or wrong."""


class NegotiationError(InvalidHandshake):
    """No agreement on a subprotocol or an extension."""


class DuplicateParameter(NegotiationError):
    """A parameter of an extension is there twice."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return f"duplicate parameter: {self.name}"


class InvalidParameterName(NegotiationError):
    """An extension has no such parameter."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return f"invalid parameter name: {self.name}"


class InvalidParameterValue(NegotiationError):
    """A parameter of an extension has a wrong value."""

    def __init__(self, name: str, value: str | None) -> None:
        self.name = name
        self.value = value

    def __str__(self) -> str:
        if self.value is None:
            return f"missing value for parameter {self.name}"
        if self.value == "":
            return f"empty value for parameter {self.name}"
        return f"invalid value for parameter {self.name}: {self.value}"


# -- frames


class ProtocolError(WebSocketException):
    """A frame, or a sequence of frames, breaks the protocol."""


class PayloadTooBig(WebSocketException):
    """A frame or message is larger than allowed.

    Args:
        size_or_message: bytes of the frame, None if they are not known; or the whole text, which
            is deprecated.
        max_size: bytes that were allowed for this frame.
        current_size: bytes of the message that came before it.
    """

    def __init__(
        self,
        size_or_message: int | str | None,
        max_size: int | None = None,
        current_size: int | None = None,
    ) -> None:
        self.message = size_or_message if isinstance(size_or_message, str) else None
        if self.message is not None:
            warnings.warn(
                "PayloadTooBig(message) is deprecated; change to PayloadTooBig(size, max_size)",
                DeprecationWarning,
                stacklevel=2,
            )
            return
        self.size = size_or_message
        self.max_size = max_size
        self.current_size: int | None = None
        self.set_current_size(current_size)

    def set_current_size(self, current_size: int | None) -> None:
        """Add how many bytes of the message came before the frame."""
        if self.message is None and current_size is not None and self.max_size is not None:
            self.max_size += current_size
            self.current_size = current_size

    def __str__(self) -> str:
        if self.message is not None:
            return self.message
        size = "" if self.size is None else f" with {self.size} bytes"
        before = "" if self.current_size is None else f" after reading {self.current_size} bytes"
        return f"frame{size}{before} exceeds limit of {self.max_size} bytes"


class TooManyFragments(WebSocketException):
    """A message has more fragments than allowed."""

    def __init__(self, max_fragments: int) -> None:
        super().__init__(f"fragmented message exceeds limit of {max_fragments} frames")


# -- wrong use


class InvalidState(WebSocketException, AssertionError):
    """A frame cannot be sent in this state of the connection."""


class ConcurrencyError(WebSocketException, RuntimeError):
    """Two tasks receive at the same time, or wait for the same pong."""
