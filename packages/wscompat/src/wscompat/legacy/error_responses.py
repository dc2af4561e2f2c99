"""The response to a failed handshake: the one place where an error becomes a status."""

from __future__ import annotations

from http import HTTPStatus

from ..datastructures import Headers
from ..exceptions import InvalidHandshake, InvalidOrigin, InvalidUpgrade
from .exceptions import AbortHandshake

__all__ = ["error_response"]

_FAILED = "Failed to open a WebSocket connection"
_NOT_A_BROWSER = (
    "\nThis is a WebSocket server, which a browser's address bar cannot open. "
    "Use a WebSocket client.\n"
)


def error_response(exc: Exception) -> tuple[HTTPStatus, Headers, bytes]:
    """Return the response to a request that failed.

    Args:
        exc: why it is not accepted.

    Returns:
        Status, header fields and body.
    """
    if isinstance(exc, AbortHandshake):
        return exc.status, exc.headers, exc.body
    if not isinstance(exc, InvalidHandshake):
        text = f"{_FAILED}.\nSee server log for more information.\n"
        return HTTPStatus.INTERNAL_SERVER_ERROR, Headers(), text.encode()
    text = f"{_FAILED}: {exc}{f'; {exc.__cause__}' if exc.__cause__ else ''}.\n"
    if isinstance(exc, InvalidUpgrade):
        return (
            HTTPStatus.UPGRADE_REQUIRED,
            Headers([("Upgrade", "websocket")]),
            (text + _NOT_A_BROWSER).encode(),
        )
    if isinstance(exc, InvalidOrigin):
        return HTTPStatus.FORBIDDEN, Headers(), text.encode()
    return HTTPStatus.BAD_REQUEST, Headers(), text.encode()
