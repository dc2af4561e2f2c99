"""Tests of `wscompat.legacy.http`: headers are read from a stream as by websockets."""

import asyncio
from typing import Any

import pytest

from tests.wscompat.legacy.models import MODEL, OURS, Legacy


async def read(library: Legacy, function: str, data: bytes) -> Any:
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    try:
        *values, headers = await getattr(library.http, function)(stream)
    except Exception as exc:
        return type(exc).__name__
    return values, list(headers.raw_items()), await stream.read()


@pytest.mark.parametrize(
    "data",
    [
        b"GET /path?query HTTP/1.1\r\nHost: x\r\nX: a\r\nX: b\r\n\r\nbody",
        b"POST / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.0\r\nHost: x\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"GET / HTTP/1.1\r\nX Y: z\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
        b"",
    ],
)
async def test_requests(data: bytes) -> None:
    assert await read(OURS, "read_request", data) == await read(MODEL, "read_request", data)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nframes",
        b"HTTP/1.1 200 Very fine\r\nContent-Length: 4\r\n\r\nbody",
        b"HTTP/1.1 503 \r\n\r\nuntil the end",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: y",
        b"HTTP/1.1 200 OK\r\nX Y: z\r\n\r\n",
    ],
)
async def test_responses(data: bytes) -> None:
    assert await read(OURS, "read_response", data) == await read(MODEL, "read_response", data)
