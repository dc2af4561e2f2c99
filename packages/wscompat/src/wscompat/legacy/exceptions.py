"""The exceptions that only the older API has."""

from __future__ import annotations

from http import HTTPStatus

from ..datastructures import Headers, HeadersLike
from ..exceptions import InvalidHandshake
from ..typing import StatusLike

__all__ = ["AbortHandshake", "InvalidStatusCode", "RedirectHandshake"]


class InvalidStatusCode(InvalidHandshake):
    """The server refused: the status is not 101.

    Args:
        status_code: the status.
        headers: the header fields of the response.
    """

    def __init__(self, status_code: int, headers: Headers) -> None:
        self.status_code = status_code
        self.headers = headers

    def __str__(self) -> str:
        return f"server rejected WebSocket connection: HTTP {self.status_code}"


class AbortHandshake(InvalidHandshake):
    """The server answers a request itself, instead of accepting it.

    Args:
        status: the status to send.
        headers: header fields of the response.
        body: its body.
    """

    def __init__(self, status: StatusLike, headers: HeadersLike, body: bytes = b"") -> None:
        self.status = HTTPStatus(status)
        self.headers = Headers(headers)
        self.body = body

    def __str__(self) -> str:
        return f"HTTP {self.status:d}, {len(self.headers)} headers, {len(self.body)} bytes"


class RedirectHandshake(InvalidHandshake):
    """The server sends the client elsewhere.

    Args:
        uri: the value of ``Location``.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri

    def __str__(self) -> str:
        return f"redirect to {self.uri}"
