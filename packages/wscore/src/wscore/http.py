"""HTTP/1.1 messages of the opening handshake: reading and writing their heads.

The syntax is checked by llhttp (the package httptools). What llhttp leaves to its user is checked
here: sizes, counts, and the fields that may stand only once. Nothing here knows WebSocket or does
I/O; `handshake` says what the messages must contain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

import httptools
from multidict import CIMultiDict

if TYPE_CHECKING:
    from .transport import WSTransport

__all__ = [
    "HTTPSyntaxError",
    "RequestReader",
    "ResponseReader",
    "WSHeadersLike",
    "WSUpgradeRequest",
    "WSUpgradeResponse",
    "WSUpgradeResponseWithListener",
]

WSHeadersLike = Mapping[str, str] | Iterable[tuple[str, str]]

MAX_TARGET_SIZE = 8192  # bytes
MAX_LINE_SIZE = 8192  # bytes of one header field, name and value
MAX_HEADERS = 128
MAX_HEAD_SIZE = 65536  # bytes, from the first line to the empty one
MAX_BODY_SIZE = 1048576  # bytes of a response that is kept for the exception

#: A token of RFC 9110, 5.6.2.
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_METHOD = re.compile(rb"([A-Za-z]+)(?: |$)")
_NOT_IN_VALUES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


class HTTPSyntaxError(Exception):
    """A malformed or oversized message.

    Args:
        status: the status that a server answers it with.
        text: what is wrong.
    """

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class WSUpgradeRequest:
    """A request for an upgrade, as a server received it or a client sent it.

    Attributes:
        method: ``b"GET"``.
        path: the request target, query included: ``b"/ws?room=1"``.
        version: ``b"HTTP/1.1"``.
        headers: the header fields; names are read in any letter case.
        transport: while a server's listener factory decides, the `WSTransport` of the connection,
            which is not open yet: good for its addresses and `WSTransport.disconnect`. Else None.
    """

    __slots__ = ("headers", "method", "path", "transport", "version")

    transport: WSTransport | None

    def __init__(
        self, method: bytes, path: bytes, version: bytes, headers: CIMultiDict[str]
    ) -> None:
        self.method = method
        self.path = path
        self.version = version
        self.headers = headers
        self.transport = None

    def to_bytes(self) -> bytes:
        """The request as it goes over the wire."""
        first_line = b" ".join((self.method, self.path, self.version))
        return _serialise(first_line, self.headers, b"")


class WSUpgradeResponse:
    """The answer to a request for an upgrade.

    Attributes:
        version: ``b"HTTP/1.1"``.
        status: the status code; an `http.HTTPStatus` where it is a registered one.
        headers: the header fields; names are read in any letter case.
        body: the body, or None.
    """

    __slots__ = ("body", "headers", "status", "version")

    def __init__(
        self,
        version: bytes,
        status: int,
        headers: CIMultiDict[str],
        body: bytes | None = None,
    ) -> None:
        self.version = version
        self.status = status
        self.headers = headers
        self.body = body

    @staticmethod
    def create_101_response(extra_headers: WSHeadersLike | None = None) -> WSUpgradeResponse:
        """A response that accepts the upgrade; the fields the protocol needs are added to it.

        Args:
            extra_headers: further fields, such as ``Sec-WebSocket-Protocol``.
        """
        return _response(HTTPStatus.SWITCHING_PROTOCOLS, None, {}, extra_headers)

    @staticmethod
    def create_ok_response(
        body: bytes | None = None, extra_headers: WSHeadersLike | None = None
    ) -> WSUpgradeResponse:
        """A plain 200 response, for a health check.

        Args:
            body: the body; ``text/plain`` unless `extra_headers` says otherwise.
            extra_headers: further header fields.
        """
        return _response(HTTPStatus.OK, body or b"", {}, extra_headers)

    @staticmethod
    def create_error_response(
        status: int, body: bytes | None = None, extra_headers: WSHeadersLike | None = None
    ) -> WSUpgradeResponse:
        """A response that refuses the upgrade.

        Args:
            status: 400 to 599.
            body: the body; the status and its phrase if None.
            extra_headers: further header fields.

        Raises:
            ValueError: if the status is not an error status.
        """
        if not 400 <= status <= 599:
            raise ValueError(f"an error status is 400 to 599, not {status}")
        if body is None:
            body = f"{status:d} {_phrase(status)}".encode()
        return _response(status, body, {}, extra_headers)

    @staticmethod
    def create_redirect_response(
        status: int, location: str, extra_headers: WSHeadersLike | None = None
    ) -> WSUpgradeResponse:
        """A response that sends the client elsewhere.

        Args:
            status: 300 to 399.
            location: the URL to go to.
            extra_headers: further header fields.

        Raises:
            ValueError: if the status is not a redirect status.
        """
        if not 300 <= status <= 399:
            raise ValueError(f"a redirect status is 300 to 399, not {status}")
        return _response(status, b"", {"Location": location}, extra_headers)

    def to_bytes(self) -> bytearray:
        """The response as it goes over the wire."""
        first_line = self.version + b" %d " % self.status + _phrase(self.status).encode()
        return bytearray(_serialise(first_line, self.headers, self.body or b""))


class WSUpgradeResponseWithListener:
    """What a server's listener factory returns to choose the response itself.

    Args:
        response: the response; only one with status 101 upgrades.
        listener: the listener for the connection; None unless the status is 101.

    Raises:
        ValueError: if there is a listener without status 101, or none with it.
    """

    __slots__ = ("listener", "response")

    def __init__(self, response: WSUpgradeResponse, listener: object | None) -> None:
        if (response.status == HTTPStatus.SWITCHING_PROTOCOLS) != (listener is not None):
            raise ValueError(
                f"a listener goes with status 101 and with no other, not with {response.status:d}"
            )
        self.response = response
        self.listener = listener


class _HeadReader:
    """What requests and responses share: feeding llhttp, bounded.

    Its `on_...` methods are called by httptools.
    """

    _parser: httptools.HttpRequestParser | httptools.HttpResponseParser

    def __init__(self) -> None:
        self.head = bytearray()
        self._headers: CIMultiDict[str] = CIMultiDict()
        self._headers_complete = False
        self._done = False  # what follows is not ours to read

    def _feed_head(self, data: bytes) -> int | None:
        """Give llhttp more bytes; how many of them came before the upgrade, or None."""
        if not self._headers_complete:
            self.head += data
        consumed = None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            consumed = int(upgrade.args[0])
        except httptools.HttpParserCallbackError as exc:
            raise exc.__context__ or exc from None
        if self._headers_complete:
            self._cut_head()
        if len(self.head) > MAX_HEAD_SIZE:
            raise HTTPSyntaxError(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"head over {MAX_HEAD_SIZE} bytes"
            )
        return consumed

    def _cut_head(self) -> None:
        """Leave of the received bytes the head, without the empty lines around it."""
        del self.head[: len(self.head) - len(self.head.lstrip(b"\r\n"))]
        end = self.head.find(b"\r\n\r\n")
        if end >= 0:
            del self.head[end:]

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header field was read."""
        if self._done:
            return
        too_large = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        if len(name) + len(value) > MAX_LINE_SIZE:
            raise HTTPSyntaxError(too_large, f"header field over {MAX_LINE_SIZE} bytes")
        if len(self._headers) == MAX_HEADERS:
            raise HTTPSyntaxError(too_large, f"more than {MAX_HEADERS} header fields")
        self._headers.add(name.decode("latin-1"), value.decode("latin-1").strip(" \t"))


class RequestReader(_HeadReader):
    """Reads one request head, fed as it arrives, however it is cut."""

    _parser: httptools.HttpRequestParser

    def __init__(self) -> None:
        super().__init__()
        self._parser = httptools.HttpRequestParser(self)
        self._target = bytearray()

    def feed(self, data: bytes) -> tuple[WSUpgradeRequest, int] | None:
        """Read on.

        Args:
            data: the bytes that follow those of the last call.

        Returns:
            None if the head is not complete; otherwise the request, and how many bytes of `data`
            belong to it.

        Raises:
            HTTPSyntaxError: if it is malformed or over a limit.
        """
        try:
            consumed = self._feed_head(data)
        except httptools.HttpParserInvalidMethodError:
            if method := _METHOD.match(self.head):
                raise HTTPSyntaxError(
                    HTTPStatus.METHOD_NOT_ALLOWED, f"method {bytes(method[1])!r}"
                ) from None
            raise HTTPSyntaxError(HTTPStatus.BAD_REQUEST, "not an HTTP request") from None
        except httptools.HttpParserError as exc:
            if self._parser.get_method() == b"PRI":  # HTTP/2 with prior knowledge
                raise HTTPSyntaxError(HTTPStatus.METHOD_NOT_ALLOWED, "method b'PRI'") from None
            raise HTTPSyntaxError(HTTPStatus.BAD_REQUEST, str(exc)) from None
        if not self._headers_complete:
            return None
        version = f"HTTP/{self._parser.get_http_version()}".encode()
        request = WSUpgradeRequest(
            self._parser.get_method(), bytes(self._target), version, self._headers
        )
        return request, len(data) if consumed is None else consumed

    def on_url(self, url: bytes) -> None:
        """A part of the request target was read."""
        if self._done:
            return
        self._target += url
        if len(self._target) > MAX_TARGET_SIZE:
            raise HTTPSyntaxError(
                HTTPStatus.REQUEST_URI_TOO_LONG, f"request target over {MAX_TARGET_SIZE} bytes"
            )

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._headers_complete = self._done = True


class ResponseReader(_HeadReader):
    """Reads one response: the head of a 101, or the whole of any other."""

    _parser: httptools.HttpResponseParser

    def __init__(self) -> None:
        super().__init__()
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()

    def feed(self, data: bytes) -> tuple[WSUpgradeResponse, int] | None:
        """Read on.

        Args:
            data: the bytes that follow those of the last call.

        Returns:
            None if the response is not complete; otherwise the response, and how many bytes of
            `data` belong to it.

        Raises:
            HTTPSyntaxError: if it is malformed or over a limit.
        """
        try:
            consumed = self._feed_head(data)
        except httptools.HttpParserError as exc:
            if self._headers_complete and self._parser.get_status_code() == 101:
                self._cut_head()
                return self._response(), len(data)  # without the fields of an upgrade
            raise HTTPSyntaxError(HTTPStatus.BAD_GATEWAY, str(exc)) from None
        if consumed is not None:
            return self._response(), consumed
        return (self._response(), len(data)) if self._done else None

    def end(self) -> WSUpgradeResponse | None:
        """The response that ends with the connection, or None if its head is not complete."""
        return self._response() if self._headers_complete else None

    def _response(self) -> WSUpgradeResponse:
        version = f"HTTP/{self._parser.get_http_version()}".encode()
        status: int = self._parser.get_status_code()
        known = HTTPStatus(status) if status in HTTPStatus._value2member_map_ else status
        return WSUpgradeResponse(version, known, self._headers, bytes(self._body) or None)

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._headers_complete = True

    def on_body(self, body: bytes) -> None:
        """A part of the body was read."""
        if self._done:
            return
        self._body += body
        if len(self._body) > MAX_BODY_SIZE:
            raise HTTPSyntaxError(HTTPStatus.BAD_GATEWAY, f"body over {MAX_BODY_SIZE} bytes")

    def on_message_complete(self) -> None:
        """The message is complete."""
        status = self._parser.get_status_code()
        if status < 200 and status != HTTPStatus.SWITCHING_PROTOCOLS:
            # An interim response (RFC 9110, 15.2): the one that counts follows.
            self._headers = CIMultiDict()
            self._headers_complete = False
        else:
            self._done = True


def _response(
    status: int,
    body: bytes | None,
    headers: Mapping[str, str],
    extra_headers: WSHeadersLike | None,
) -> WSUpgradeResponse:
    fields: CIMultiDict[str] = CIMultiDict(headers)
    fields.extend(extra_headers or {})
    if status != HTTPStatus.SWITCHING_PROTOCOLS:
        fields["Connection"] = "close"
        fields["Content-Length"] = str(len(body or b""))
        if body:
            fields.setdefault("Content-Type", "text/plain; charset=utf-8")
    return WSUpgradeResponse(b"HTTP/1.1", status, fields, body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unregistered"


def _serialise(first_line: bytes, headers: CIMultiDict[str], body: bytes) -> bytes:
    lines = [first_line]
    for name, value in headers.items():
        if not TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is not a header field name")
        if _NOT_IN_VALUES.search(value):
            raise ValueError(f"header field {name!r} has control characters: {value!r}")
        lines.append(f"{name}: {value}".encode("latin-1"))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body
