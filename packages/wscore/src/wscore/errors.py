"""The exception classes of wscore, with their attributes.

Errors of system calls (`OSError`, `ssl.SSLError`) and of asyncio (`TimeoutError`, `CancelledError`)
must not be wrapped: callers handle them as they are.
"""

from __future__ import annotations

from asyncio import CancelledError
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .handshake.http import WSUpgradeRequest, WSUpgradeResponse

__all__ = [
    "WSError",
    "WSHandshakeError",
    "WSInvalidHeaderError",
    "WSInvalidMessageError",
    "WSInvalidStatusError",
    "WSInvalidURL",
    "WSInvalidUpgradeError",
    "WSProtocolError",
]


class WSError(Exception):
    """Base class of every exception that wscore defines."""

    def __reduce__(self) -> tuple[object, ...]:
        """Keep all attributes when copied or pickled."""
        return _rebuilt, (type(self), self.args, self.__dict__)


class WSInvalidURL(WSError):  # noqa: N818 - the name is part of the API
    """A URL that is not a valid WebSocket URL (RFC 6455, 3).

    Args:
        url: the URL as given; the message does not show its credentials.
        reason: what is wrong with it.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{without_credentials(url)!r} is not a WebSocket URL: {reason}")
        self.url = url
        self.reason = reason


class WSProtocolError(WSError):
    """A violation of the protocol, answered with a CLOSE frame.

    Raise it from `WSListener.on_ws_frame` to choose the close code.

    Args:
        code: the close code (RFC 6455, 7.4).
        message: the close reason.
    """

    def __init__(self, code: int, message: str | bytes = "") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """Return the close reason as text."""
        reason = self.message
        return reason.decode("utf-8", "backslashreplace") if isinstance(reason, bytes) else reason


class WSHandshakeError(WSError):
    """The opening handshake failed.

    Args:
        description: what was wrong, with the offending value.
        raw_header: the start line and headers of the peer's message, possibly incomplete, or None.
        raw_body: the body of the peer's response, possibly incomplete; None if the headers were
            incomplete.
        response: the peer's parsed response, or None if it could not be parsed.

    Attributes:
        request: the request, on a client; None on a server.
    """

    request: WSUpgradeRequest | None = None

    def __init__(
        self,
        description: str,
        raw_header: bytes | None = None,
        raw_body: bytes | None = None,
        response: WSUpgradeResponse | None = None,
    ) -> None:
        super().__init__(description)
        self.raw_header = raw_header
        self.raw_body = raw_body
        self.response = response


class WSInvalidMessageError(WSHandshakeError):
    """The peer's message is not valid HTTP, is too large, or is incomplete."""


class WSInvalidStatusError(WSHandshakeError):
    """The server answered with a status other than 101; see `response` and `raw_body`."""


class WSInvalidHeaderError(WSHandshakeError):
    """A header field of the handshake is missing or invalid.

    Args:
        description: what was wrong.
        name: the header field's name.
        value: its value, or None if it is missing.
        raw_header: as for `WSHandshakeError`.
        raw_body: as for `WSHandshakeError`.
        response: as for `WSHandshakeError`.
    """

    def __init__(
        self,
        description: str,
        name: str,
        value: str | None = None,
        raw_header: bytes | None = None,
        raw_body: bytes | None = None,
        response: WSUpgradeResponse | None = None,
    ) -> None:
        super().__init__(description, raw_header, raw_body, response)
        self.name = name
        self.value = value


class WSInvalidUpgradeError(WSInvalidHeaderError):
    """`Upgrade` or `Connection` does not request, or accept, the WebSocket protocol."""


def is_ordinary(exc: BaseException) -> bool:
    """Return whether an exception from a callback concerns only its connection, not the program.

    A `CancelledError` does: it is the result of some other task, and cancels none here.
    """
    return isinstance(exc, Exception | CancelledError)


def without_credentials(url: str) -> str:
    """Replace everything before the last ``@`` of a URL, even if the URL is malformed."""
    before, at, after = url.rpartition("@")
    if not at:
        return url
    scheme, separator, _ = before.partition("://")
    return f"{scheme}://***@{after}" if separator else f"***@{after}"


def _rebuilt(cls: type[WSError], args: tuple[object, ...], state: dict[str, object]) -> WSError:
    """Restore an exception with its attributes, without calling its own constructor."""
    exc = cls.__new__(cls, *args)
    exc.args = args
    exc.__dict__.update(state)
    return exc
