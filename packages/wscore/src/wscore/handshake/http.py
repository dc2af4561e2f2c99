"""HTTP/1.1 messages of the opening handshake, as users see them.

`http_reader` and `http_writer` parse and serialise their headers; `client` and `server` check
what they contain.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

from multidict import CIMultiDict

from .http_writer import serialise_head

if TYPE_CHECKING:
    from ..connection.transport import WSTransport

__all__ = [
    "HTTPSyntaxError",
    "WSHeadersLike",
    "WSUpgradeRequest",
    "WSUpgradeResponse",
    "WSUpgradeResponseWithListener",
]

WSHeadersLike = Mapping[str, str] | Iterable[tuple[str, str]]


class HTTPSyntaxError(Exception):
    """A malformed or oversized message.

    Args:
        status: the status of a server's error response to it.
        text: what is wrong.
    """

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class WSUpgradeRequest:
    """A request for an upgrade, as a server received it or a client sent it.

    All arguments have default values.

    Attributes:
        method: ``b"GET"``.
        path: the request target, query included: ``b"/ws?room=1"``.
        version: ``b"HTTP/1.1"``.
        headers: the header fields; names are read in any letter case.
        transport: while a server's listener factory runs, the `WSTransport` of the connection. It
            is not open yet: use only its addresses and `WSTransport.disconnect`. Otherwise None.
    """

    __slots__ = ("headers", "method", "path", "transport", "version")

    transport: WSTransport | None

    def __init__(
        self,
        method: bytes = b"GET",
        path: bytes = b"/",
        version: bytes = b"HTTP/1.1",
        headers: CIMultiDict[str] | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.version = version
        self.headers = CIMultiDict() if headers is None else headers
        self.transport = None

    def to_bytes(self) -> bytes:
        """Serialise the request."""
        first_line = b" ".join((self.method, self.path, self.version))
        return bytes(serialise_head(first_line, self.headers))


class WSUpgradeResponse:
    """The response to a request for an upgrade.

    All arguments have default values; ``WSUpgradeResponse()`` is a 200 response without fields.

    Attributes:
        version: ``b"HTTP/1.1"``.
        status: the status code; an `http.HTTPStatus` where it is a registered one.
        headers: the header fields; names are read in any letter case.
        body: the body, or None.
    """

    __slots__ = ("body", "headers", "status", "version")

    def __init__(
        self,
        version: bytes = b"HTTP/1.1",
        status: int = HTTPStatus.OK,
        headers: CIMultiDict[str] | None = None,
        body: bytes | None = None,
    ) -> None:
        self.version = version
        self.status = status
        self.headers = CIMultiDict() if headers is None else headers
        self.body = body

    @staticmethod
    def create_101_response(extra_headers: WSHeadersLike | None = None) -> WSUpgradeResponse:
        """Create a response that accepts the upgrade; the server adds ``Sec-WebSocket-Accept``.

        Args:
            extra_headers: further fields, such as ``Sec-WebSocket-Protocol``.
        """
        headers: CIMultiDict[str] = CIMultiDict(extra_headers or ())
        headers["Upgrade"] = "websocket"
        headers["Connection"] = "Upgrade"
        return WSUpgradeResponse(b"HTTP/1.1", HTTPStatus.SWITCHING_PROTOCOLS, headers)

    @staticmethod
    def create_ok_response(
        body: bytes | None = None, extra_headers: WSHeadersLike | None = None
    ) -> WSUpgradeResponse:
        """Create a plain 200 response, such as for a health check.

        Args:
            body: the body; ``text/plain`` unless `extra_headers` says otherwise.
            extra_headers: further header fields.
        """
        return _response(HTTPStatus.OK, body or b"", CIMultiDict(extra_headers or ()))

    @staticmethod
    def create_error_response(
        status: int, body: bytes | None = None, extra_headers: WSHeadersLike | None = None
    ) -> WSUpgradeResponse:
        """Create a response that refuses the upgrade.

        Args:
            status: 400 to 599.
            body: the body; the status and its reason phrase if None.
            extra_headers: further header fields.

        Raises:
            ValueError: if the status is not an error status.
        """
        if not 400 <= status <= 599:
            raise ValueError(f"an error status must be from 400 to 599, not {status}")
        if body is None:
            body = f"{status:d} {_phrase(status)}".encode()
        return _response(status, body, CIMultiDict(extra_headers or ()))

    @staticmethod
    def create_redirect_response(
        status: int, location: str, extra_headers: WSHeadersLike | None = None
    ) -> WSUpgradeResponse:
        """Create a response that redirects the client.

        Args:
            status: 300 to 399.
            location: the URL to go to.
            extra_headers: further header fields.

        Raises:
            ValueError: if the status is not a redirect status.
        """
        if not 300 <= status <= 399:
            raise ValueError(f"a redirect status must be from 300 to 399, not {status}")
        headers: CIMultiDict[str] = CIMultiDict(extra_headers or ())
        headers["Location"] = location
        return _response(status, b"", headers)

    def to_bytes(self) -> bytearray:
        """Serialise the response."""
        wire = serialise_head(_status_line(self.version, self.status), self.headers)
        if self.body:
            wire += self.body
        return wire


def last_answer(request: WSUpgradeRequest | None, response: WSUpgradeResponse) -> bytearray:
    """Serialise a response that does not upgrade, which is the last of its connection.

    Args:
        request: the request, or None if it could not be parsed. The response to a HEAD has no body
            (RFC 9110, 9.3.2).
        response: the response; ``Connection: close`` is added to it.
    """
    response.headers["Connection"] = "close"
    if request is not None and request.method == b"HEAD":
        return serialise_head(_status_line(response.version, response.status), response.headers)
    return response.to_bytes()


class WSUpgradeResponseWithListener:
    """The return value of a server's listener factory that chooses the response itself.

    Args:
        response: the response; only status 101 upgrades the connection.
        listener: the listener for the connection; None unless the status is 101.

    Raises:
        ValueError: if a listener is given without status 101, or status 101 without a listener.
    """

    __slots__ = ("listener", "response")

    def __init__(self, response: WSUpgradeResponse, listener: object | None) -> None:
        if (response.status == HTTPStatus.SWITCHING_PROTOCOLS) != (listener is not None):
            raise ValueError(
                f"a listener is required with status 101, and only with it: {response.status:d}"
            )
        self.response = response
        self.listener = listener


def _response(status: int, body: bytes, headers: CIMultiDict[str]) -> WSUpgradeResponse:
    headers["Connection"] = "close"
    headers["Content-Length"] = str(len(body))
    if body:
        headers.setdefault("Content-Type", "text/plain; charset=utf-8")
    with contextlib.suppress(ValueError):  # not a registered one
        status = HTTPStatus(status)
    return WSUpgradeResponse(b"HTTP/1.1", status, headers, body)


@functools.lru_cache(maxsize=64)
def _status_line(version: bytes, status: int) -> bytes:
    return version + b" %d " % status + _phrase(status).encode()


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unregistered"
