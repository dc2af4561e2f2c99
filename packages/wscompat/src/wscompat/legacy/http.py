"""Headers of HTTP messages, read from an `asyncio.StreamReader`.

wscore parses them; bodies are left in the stream.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from wscore.handshake.http import HTTPSyntaxError, WSUpgradeRequest
from wscore.handshake.http_reader import RequestReader, ResponseReader

from ..datastructures import Headers
from ..exceptions import SecurityError

__all__ = ["check_request_line", "read_request", "read_response", "to_exception"]

_LIMITS = {HTTPStatus.REQUEST_URI_TOO_LONG, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE}


async def read_request(stream: asyncio.StreamReader) -> tuple[str, Headers]:
    """Read the request line and headers of a GET request.

    Args:
        stream: where it comes from.

    Returns:
        The request target, and the header fields.

    Raises:
        EOFError: if the stream ends before the headers do.
        SecurityError: if the headers exceed a limit.
        ValueError: if it is not an HTTP/1.1 GET request.
    """
    reader = RequestReader()
    try:
        result = reader.feed(await _read_headers(stream))
    except HTTPSyntaxError as exc:
        raise to_exception(exc) from exc
    if result is None:
        raise ValueError("the headers of the request do not end")
    return check_request_line(result[0]), Headers._from_core(result[0].headers)


async def read_response(stream: asyncio.StreamReader) -> tuple[int, str, Headers]:
    """Read the status line and headers of a response.

    Args:
        stream: where it comes from.

    Returns:
        The status, the reason phrase, and the header fields.

    Raises:
        EOFError: if the stream ends before the headers do.
        SecurityError: if the headers exceed a limit.
        ValueError: if it is not an HTTP/1.1 response.
    """
    headers = await _read_headers(stream)
    reader = ResponseReader()
    try:
        result = reader.feed(headers)
    except HTTPSyntaxError as exc:
        raise to_exception(exc) from exc
    response = reader.end() if result is None else result[0]
    if response is None or response.version != b"HTTP/1.1":
        raise ValueError("it is not an HTTP/1.1 response")
    _, _, phrase = headers.partition(b"\r\n")[0].decode("latin-1").split(" ", 2)
    return int(response.status), phrase, Headers._from_core(response.headers)


def check_request_line(request: WSUpgradeRequest) -> str:
    """Check method and version of a request.

    Args:
        request: the request.

    Returns:
        The request target.

    Raises:
        ValueError: if it is not an HTTP/1.1 GET request.
    """
    if request.method != b"GET":
        raise ValueError(f"unsupported HTTP method: {request.method.decode('latin-1')}")
    if request.version != b"HTTP/1.1":
        raise ValueError(f"unsupported HTTP version: {request.version.decode('latin-1')}")
    return request.path.decode("latin-1")


def to_exception(exc: HTTPSyntaxError) -> Exception:
    """Return the exception of this API for malformed or oversized headers.

    Args:
        exc: the exception of wscore.
    """
    return SecurityError(str(exc)) if exc.status in _LIMITS else ValueError(str(exc))


async def _read_headers(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as exc:
        raise EOFError("connection closed while reading the headers of an HTTP message") from exc
    except asyncio.LimitOverrunError as exc:
        raise SecurityError("the headers of the HTTP message are too long") from exc
