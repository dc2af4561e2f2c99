"""Heads of HTTP messages, read from an `asyncio.StreamReader`.

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
    """Read the head of a GET request.

    Args:
        stream: where it comes from.

    Returns:
        The request target, and the header fields.

    Raises:
        EOFError: if the stream ends before the head does.
        SecurityError: if the head is over a limit.
        ValueError: if it is not an HTTP/1.1 GET request.
    """
    reader = RequestReader()
    try:
        result = reader.feed(await _head(stream))
    except HTTPSyntaxError as exc:
        raise to_exception(exc) from exc
    if result is None:
        raise ValueError("the head of the request does not end")
    return check_request_line(result[0]), Headers._from_core(result[0].headers)


async def read_response(stream: asyncio.StreamReader) -> tuple[int, str, Headers]:
    """Read the head of a response.

    Args:
        stream: where it comes from.

    Returns:
        The status, the reason phrase, and the header fields.

    Raises:
        EOFError: if the stream ends before the head does.
        SecurityError: if the head is over a limit.
        ValueError: if it is not an HTTP/1.1 response.
    """
    head = await _head(stream)
    reader = ResponseReader()
    try:
        result = reader.feed(head)
    except HTTPSyntaxError as exc:
        raise to_exception(exc) from exc
    response = reader.end() if result is None else result[0]
    if response is None or response.version != b"HTTP/1.1":
        raise ValueError("it is not an HTTP/1.1 response")
    _, _, phrase = head.partition(b"\r\n")[0].decode("latin-1").split(" ", 2)
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
    """The exception that this API has for a malformed or oversized head.

    Args:
        exc: what wscore raised.
    """
    return SecurityError(str(exc)) if exc.status in _LIMITS else ValueError(str(exc))


async def _head(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as exc:
        raise EOFError("connection closed while reading the head of an HTTP message") from exc
    except asyncio.LimitOverrunError as exc:
        raise SecurityError("the head of the HTTP message is too long") from exc
