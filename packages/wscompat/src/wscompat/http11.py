"""The request and the response of the opening handshake, as programs see them.

Nothing is read or checked here: wscore has done that.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from http import HTTPStatus

from multidict import CIMultiDict

import wscore

from .datastructures import Headers
from .version import version

__all__ = ["SERVER", "USER_AGENT", "Request", "Response"]

_PRODUCT = f"Python/{sys.version_info[0]}.{sys.version_info[1]} wscompat/{version}"

USER_AGENT = _PRODUCT
"""The default of the request's ``User-Agent``."""

SERVER = _PRODUCT
"""The default of the response's ``Server``."""


@dataclass
class Request:
    """A handshake request.

    Attributes:
        path: the path, with the query if there is one.
        headers: the header fields.
        method: the method.
        protocol: the version of HTTP.
    """

    path: str
    headers: Headers
    method: str = "GET"
    protocol: str = "HTTP/1.1"

    def serialize(self) -> bytes:
        """The request as it goes over the wire."""
        line = f"{self.method} {self.path} {self.protocol}\r\n"
        return line.encode("latin-1") + self.headers.serialize()

    @classmethod
    def _from_core(cls, request: wscore.WSUpgradeRequest) -> Request:
        return cls(
            request.path.decode("latin-1"),
            Headers(request.headers.items()),
            request.method.decode("ascii"),
            request.version.decode("ascii"),
        )


@dataclass
class Response:
    """A handshake response.

    Attributes:
        status_code: the status.
        reason_phrase: the words after it.
        headers: the header fields.
        body: the body, empty if there is none.
    """

    status_code: int
    reason_phrase: str
    headers: Headers
    body: bytes | bytearray = field(default=b"")

    def serialize(self) -> bytes:
        """The response as it goes over the wire."""
        line = f"HTTP/1.1 {self.status_code} {self.reason_phrase}\r\n"
        return line.encode("latin-1") + self.headers.serialize() + self.body

    @classmethod
    def _from_core(cls, response: wscore.WSUpgradeResponse) -> Response:
        status = int(response.status)
        try:
            phrase = HTTPStatus(status).phrase
        except ValueError:
            phrase = ""
        return cls(status, phrase, Headers(response.headers.items()), response.body or b"")

    def _to_core(self) -> wscore.WSUpgradeResponse:
        headers = CIMultiDict(self.headers.raw_items())
        return wscore.WSUpgradeResponse(
            b"HTTP/1.1", self.status_code, headers, bytes(self.body) or None
        )
