"""The request and the response of the opening handshake: reading and writing (RFC 9112).

Reading is strict, and bounded in every direction. The meaning of the fields is not examined here,
except for the size of a body.
"""

from __future__ import annotations

import os
import re
import sys
import warnings
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import wscore
from wscore.handshake.token import TOKEN

from .datastructures import Headers
from .exceptions import (
    HeaderLineTooLong,
    RequestLineTooLong,
    SecurityError,
    StatusLineTooLong,
    TooManyHeaders,
)
from .version import version

__all__ = ["SERVER", "USER_AGENT", "Request", "Response"]

_PRODUCT = f"Python/{sys.version_info[0]}.{sys.version_info[1]} wscompat/{version}"

USER_AGENT = os.environ.get("WEBSOCKETS_USER_AGENT", _PRODUCT)
"""The default of the request's ``User-Agent``."""

SERVER = os.environ.get("WEBSOCKETS_SERVER", _PRODUCT)
"""The default of the response's ``Server``."""

MAX_LINE_LENGTH = int(os.environ.get("WEBSOCKETS_MAX_LINE_LENGTH", "8192"))
"""Bytes of the first line, and of each header field."""

MAX_NUM_HEADERS = int(os.environ.get("WEBSOCKETS_MAX_NUM_HEADERS", "128"))
"""Header fields of a message."""

MAX_BODY_SIZE = int(os.environ.get("WEBSOCKETS_MAX_BODY_SIZE", "1048576"))
"""Bytes of a response's body."""

ReadLine = Callable[[int, type[Exception]], Generator[None, None, bytes | bytearray]]
ReadExact = Callable[[int], Generator[None, None, bytes | bytearray]]

_PROTOCOLS = (b"HTTP/1.1", b"HTTP/1.0")
_TOKEN = re.compile(TOKEN.pattern.encode())
_VALUE = re.compile(rb"[\t\x20-\x7e\x80-\xff]*")
_NUMBER = re.compile(rb"[0-9]{1,18}")
_HEX_NUMBER = re.compile(rb"[0-9A-Fa-f]{1,15}")


@dataclass
class Request:
    """A handshake request.

    Attributes:
        path: the path, with the query if there is one; ASCII.
        headers: the header fields.
        method: the method; ASCII.
        protocol: the version of HTTP.
    """

    path: str
    headers: Headers
    method: str = "GET"
    protocol: str = "HTTP/1.1"
    # Why it was refused; kept for programs that still read `exception`.
    _exception: Exception | None = None

    @property
    def exception(self) -> Exception | None:
        """Why it was refused, or None; deprecated in favour of ``ServerProtocol.handshake_exc``."""
        _warn("Request.exception is deprecated; use ServerProtocol.handshake_exc instead")
        return self._exception

    @classmethod
    def parse(cls, read_line: ReadLine) -> Generator[None, None, Request]:
        """Read a request without a body; a generator that yields while more data is needed.

        Args:
            read_line: reads a line, such as `StreamReader.read_line`.

        Raises:
            EOFError: if the stream ends before the request does.
            RequestLineTooLong: if the request line is too long.
            HeaderLineTooLong: if a header field is too long.
            TooManyHeaders: if there are too many header fields.
            UnicodeDecodeError: if method or path is not ASCII.
            ValueError: if it is malformed, or has a body.
            NotImplementedError: if a transfer coding is applied.
        """
        try:
            line = yield from _read_line(read_line, RequestLineTooLong)
        except EOFError as exc:
            raise EOFError("connection closed while reading HTTP request line") from exc
        parts = bytes(line).split(b" ", 2)
        if len(parts) != 3:
            raise ValueError(f"invalid HTTP request line: {_quote(line)}")
        method, path, protocol = parts
        if protocol not in _PROTOCOLS:
            raise _unsupported(line, _PROTOCOLS)
        if not _TOKEN.fullmatch(method):
            raise ValueError(f"invalid HTTP method: {_quote(method)}")
        target = path.decode("ascii")
        headers = yield from _parse_headers(read_line)
        if "Transfer-Encoding" in headers:
            raise NotImplementedError("transfer codings aren't supported")
        if any(size.strip("0") for size in headers.get_all("Content-Length")):
            raise ValueError("unsupported request body")
        return cls(target, headers, method.decode("ascii"), protocol.decode("ascii"))

    def serialize(self) -> bytes:
        """Serialize the request.

        Raises:
            UnicodeEncodeError: if method or path is not ASCII.
        """
        line = f"{self.method} {self.path} {self.protocol}\r\n"
        return line.encode("ascii") + self.headers.serialize()

    @classmethod
    def _from_core(cls, request: wscore.WSUpgradeRequest) -> Request:
        return cls(
            request.path.decode("latin-1"),
            Headers._from_core(request.headers),
            request.method.decode("ascii"),
            request.version.decode("ascii"),
        )


@dataclass
class Response:
    """A handshake response.

    Attributes:
        status_code: the status.
        reason_phrase: the reason phrase.
        headers: the header fields.
        body: the body, empty if there is none.
    """

    status_code: int
    reason_phrase: str
    headers: Headers
    body: bytes | bytearray = b""
    # Why it was refused; kept for programs that still read `exception`.
    _exception: Exception | None = None

    @property
    def exception(self) -> Exception | None:
        """Why it was refused, or None; deprecated in favour of ``ClientProtocol.handshake_exc``."""
        _warn("Response.exception is deprecated; use ClientProtocol.handshake_exc instead")
        return self._exception

    @classmethod
    def parse(
        cls,
        read_line: ReadLine,
        read_exact: ReadExact,
        read_to_eof: ReadLine,
        proxy: bool = False,
    ) -> Generator[None, None, Response]:
        """Read a response and its body; a generator that yields while more data is needed.

        Args:
            read_line: reads a line, such as `StreamReader.read_line`.
            read_exact: reads a number of bytes.
            read_to_eof: reads all that comes.
            proxy: whether it answers a CONNECT, so that the data after the headers is not its body.

        Raises:
            EOFError: if the stream ends before the response does.
            StatusLineTooLong: if the status line is too long.
            HeaderLineTooLong: if a header field is too long.
            TooManyHeaders: if there are too many header fields.
            SecurityError: if the body is too large, or its size malformed.
            LookupError: if the size of the body is given more than once.
            ValueError: if it is malformed otherwise.
            NotImplementedError: if a transfer coding other than ``chunked`` is applied.
        """
        try:
            line = yield from _read_line(read_line, StatusLineTooLong)
        except EOFError as exc:
            raise EOFError("connection closed while reading HTTP status line") from exc
        protocols = _PROTOCOLS if proxy else _PROTOCOLS[:1]
        status, phrase = _parse_status_line(bytes(line), protocols)
        headers = yield from _parse_headers(read_line)
        body: bytes | bytearray = b""
        if not proxy and status >= 200 and status not in (204, 304):
            body = yield from _read_body(headers, read_line, read_exact, read_to_eof)
        return cls(status, phrase, headers, body)

    def serialize(self) -> bytes:
        """Serialize the response."""
        line = f"HTTP/1.1 {self.status_code} {self.reason_phrase}\r\n"
        return line.encode("latin-1") + self.headers.serialize() + self.body

    @classmethod
    def _from_core(cls, response: wscore.WSUpgradeResponse, raw: bytes | None = None) -> Response:
        status = int(response.status)
        phrase = _phrase(status) if raw is None else _sent_phrase(raw)
        return cls(status, phrase, Headers._from_core(response.headers), response.body or b"")

    def _to_core(self) -> wscore.WSUpgradeResponse:
        headers = self.headers._to_core().copy()  # wscore adds to them
        return wscore.WSUpgradeResponse(
            b"HTTP/1.1", self.status_code, headers, bytes(self.body) or None
        )


# -- the parts of a message


def _parse_status_line(line: bytes, protocols: Sequence[bytes]) -> tuple[int, str]:
    parts = line.split(b" ", 2)
    if len(parts) != 3:
        raise ValueError(f"invalid HTTP status line: {_quote(line)}")
    protocol, status, phrase = parts
    if protocol not in protocols:
        raise _unsupported(line, protocols)
    if not _NUMBER.fullmatch(status):
        raise ValueError(f"invalid status code; expected integer; got {_quote(status)}")
    if len(status) != 3 or not 100 <= int(status) < 600:
        raise ValueError(f"invalid status code; expected 100–599; got {_quote(status)}")
    if not _VALUE.fullmatch(phrase):
        raise ValueError(f"invalid HTTP reason phrase: {_quote(phrase)}")
    return int(status), phrase.decode("latin-1")


def _phrase(status: int) -> str:
    """Return the registered reason phrase of a status."""
    return HTTPStatus(status).phrase if status in list(HTTPStatus) else ""


def _sent_phrase(raw: bytes) -> str:
    """Return the reason phrase for the first line of a response."""
    return raw.partition(b"\r\n")[0].partition(b" ")[2].partition(b" ")[2].decode("latin-1")


def _parse_headers(read_line: ReadLine) -> Generator[None, None, Headers]:
    headers = Headers()
    for _ in range(MAX_NUM_HEADERS + 1):
        try:
            line = yield from _read_line(read_line, HeaderLineTooLong)
        except EOFError as exc:
            raise EOFError("connection closed while reading HTTP headers") from exc
        if not line:
            return headers
        name, colon, value = bytes(line).partition(b":")
        if not colon:
            raise ValueError(f"invalid HTTP header line: {_quote(line)}")
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"invalid HTTP header name: {_quote(name)}")
        value = value.strip(b" \t")
        if not _VALUE.fullmatch(value):
            raise ValueError(f"invalid HTTP header value: {_quote(value)}")
        headers.set_insecure(name.decode("ascii"), value.decode("latin-1"))
    raise TooManyHeaders(f"expected no more than {MAX_NUM_HEADERS} headers")


def _read_body(
    headers: Headers, read_line: ReadLine, read_exact: ReadExact, read_to_eof: ReadLine
) -> Generator[None, None, bytes | bytearray]:
    """Read a body that ends as the headers say, or with the stream."""
    coding = headers.get("Transfer-Encoding")
    if coding is not None:
        if coding != "chunked":
            raise NotImplementedError(f"transfer coding {coding} isn't supported")
        return (yield from _read_chunks(read_line, read_exact))
    size = headers.get("Content-Length")
    if size is None:
        return (yield from read_to_eof(MAX_BODY_SIZE, SecurityError))
    if not _NUMBER.fullmatch(size.encode("latin-1")):
        raise SecurityError(f"invalid content length: {size}")
    if int(size) > MAX_BODY_SIZE:
        raise SecurityError(f"body too large: {int(size)} bytes")
    return (yield from read_exact(int(size)))


def _read_chunks(read_line: ReadLine, read_exact: ReadExact) -> Generator[None, None, bytes]:
    """Read a body in chunks, and the trailer, which is dropped (RFC 9112, 7.1)."""
    body = bytearray()
    while True:
        line = yield from _read_line(read_line, SecurityError)
        digits = bytes(line).partition(b";")[0]
        if not _HEX_NUMBER.fullmatch(digits):
            raise SecurityError(f"invalid chunk size: {_quote(digits)}")
        size = int(digits, 16)
        if size == 0:
            yield from _parse_headers(read_line)
            return bytes(body)
        if len(body) + size > MAX_BODY_SIZE:
            raise SecurityError(f"chunk too large: {size} bytes after {len(body)} bytes")
        body += yield from read_exact(size)
        if (yield from read_exact(2)) != b"\r\n":
            raise ValueError("chunk without CRLF")


def _read_line(
    read_line: ReadLine, too_long: type[Exception]
) -> Generator[None, None, bytes | bytearray]:
    """Read a line, and return it without its end."""
    line = yield from read_line(MAX_LINE_LENGTH, too_long)
    if not line.endswith(b"\r\n"):
        raise EOFError("line without CRLF")
    return line[:-2]


def _unsupported(line: bytes | bytearray, protocols: Sequence[bytes]) -> ValueError:
    expected = " or ".join(protocol.decode("ascii") for protocol in protocols)
    return ValueError(f"unsupported protocol; expected {expected}: {_quote(line)}")


def _quote(value: bytes | bytearray) -> str:
    """Quote bytes for the message of an exception."""
    return value.decode("ascii", "backslashreplace")


def _warn(text: str) -> None:
    warnings.warn(text, DeprecationWarning, stacklevel=3)
