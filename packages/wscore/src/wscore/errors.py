"""The exception tree of wscore, and what each exception carries.

Errors of system calls (`OSError`, `ssl.SSLError`) and of asyncio (`TimeoutError`, `CancelledError`)
are never wrapped: they reach the caller as they are.
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
        """Copying and pickling keep what the exception carries."""
        return _rebuilt, (type(self), self.args, self.__dict__)


class WSInvalidURL(WSError):  # noqa: N818 - the name is part of the API
    """A URL that is not a valid WebSocket URL (RFC 6455, 3).

    Args:
        url: the URL as it was given; credentials in it are not shown in the text.
        reason: what is wrong with it.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"{_without_credentials(url)!r} is not a WebSocket URL: {reason}")
        self.url = url
        self.reason = reason


class WSProtocolError(WSError):
    """A violation of the protocol, to be answered with a CLOSE frame.

    Raised from `WSListener.on_ws_frame`, it chooses the close code that the peer is sent.

    Args:
        code: the close code (RFC 6455, 7.4).
        message: the close reason.
    """

    def __init__(self, code: int, message: str | bytes = "") -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """The close reason, as text."""
        reason = self.message
        return reason.decode("utf-8", "backslashreplace") if isinstance(reason, bytes) else reason


class WSHandshakeError(WSError):
    """The opening handshake failed.

    Args:
        description: what was wrong, with the value that was at fault.
        raw_header: the head of the peer's message as far as it was received, or None.
        raw_body: the body of the peer's response as far as it was received; None if there was no
            complete head.
        response: the peer's parsed response, or None if it could not be parsed.

    Attributes:
        request: what was answered, on a client; None on a server.
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
    """A header field of the handshake is missing or has a wrong value.

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
    """`Upgrade` or `Connection` does not ask for, or agree to, the WebSocket protocol."""


def is_ordinary(exc: BaseException) -> bool:
    """Whether what user code raised concerns its connection only, and not the whole program.

    A `CancelledError` does: no task is cancelled by it, it is some other task's result.
    """
    return isinstance(exc, Exception | CancelledError)


def _without_credentials(url: str) -> str:
    """The URL with all that stands before its last ``@`` replaced, however wrong it is."""
    before, at, after = url.rpartition("@")
    if not at:
        return url
    scheme, separator, _ = before.partition("://")
    return f"{scheme}://***@{after}" if separator else f"***@{after}"


def _rebuilt(cls: type[WSError], args: tuple[object, ...], state: dict[str, object]) -> WSError:
    """An exception with all it carried, without calling its own constructor."""
    exc = cls.__new__(cls, *args)
    exc.args = args
    exc.__dict__.update(state)
    return exc
