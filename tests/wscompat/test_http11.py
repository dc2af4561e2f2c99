"""Requests and responses are read and written as by websockets."""

from typing import Any

import pytest
import websockets.datastructures
import websockets.http11
from multidict import CIMultiDict

import wscore
from tests.wscompat.sansio import WEBSOCKETS, WSCOMPAT, describe, pieces, plain
from wscompat import http11
from wscompat.datastructures import Headers
from wscompat.version import version

PAIRS = [("Host", "example.com"), ("X", "1"), ("x", "ž".encode().decode("latin-1"))]


def test_serialize() -> None:
    model_headers = websockets.datastructures.Headers(PAIRS)
    request = http11.Request("/path?query", Headers(PAIRS))
    assert (
        request.serialize() == websockets.http11.Request("/path?query", model_headers).serialize()
    )
    response = http11.Response(404, "Not Found", Headers(PAIRS), b"body")
    model = websockets.http11.Response(404, "Not Found", model_headers, b"body")
    assert response.serialize() == model.serialize()


def test_from_core() -> None:
    core = wscore.WSUpgradeRequest(b"GET", b"/p?q=%C5%BE", b"HTTP/1.1", CIMultiDict(PAIRS))
    assert http11.Request._from_core(core) == http11.Request("/p?q=%C5%BE", Headers(PAIRS))


@pytest.mark.parametrize(
    ("status", "phrase", "body"),
    [(101, "Switching Protocols", None), (404, "Not Found", b"body"), (599, "", b"")],
)
def test_response_from_core(status: int, phrase: str, body: bytes | None) -> None:
    core = wscore.WSUpgradeResponse(b"HTTP/1.1", status, CIMultiDict(PAIRS), body)
    expected = http11.Response(status, phrase, Headers(PAIRS), body or b"")
    assert http11.Response._from_core(core) == expected


def test_product_names() -> None:
    assert http11.USER_AGENT == http11.SERVER
    assert http11.USER_AGENT.startswith("Python/3.")
    assert http11.USER_AGENT.endswith(f" wscompat/{version}")


# -- reading

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def parsed(library: Any, data: bytes, *, size: int, end: bool, proxy: bool = False) -> Any:
    """Return the result of reading a response, in pieces of some size."""
    reader = library.streams.StreamReader()
    reading = library.http11.Response.parse(
        reader.read_line, reader.read_exact, reader.read_to_eof, proxy
    )
    try:
        for begin in range(0, len(data), size):
            reader.feed_data(data[begin : begin + size])
            next(reading)
        if end:
            reader.feed_eof()
            next(reading)
    except StopIteration as stop:
        return plain(stop.value)
    except Exception as exc:
        return describe(exc)
    return "waits"


RESPONSES = [
    b"",
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 200 OK\n",
    OK + b"\r\n",
    OK + b"\r\nbody",
    OK + b"A:b\r\nC:  d\t \r\nE:\r\n\r\n",
    *(
        line + b"\r\n\r\n"
        for line in (
            *(b"HTTP/1.1 200", b"HTTP/1.1 200 ", b"HTTP/1.0 200 ", b"HTTP/2 200 ", b"SSH-2"),
            *(b"HTTP/1.1 abc x", b"HTTP/1.1 20 x", b"HTTP/1.1 2000 x", b"HTTP/1.1 600 x"),
            *(b"HTTP/1.1 099 x", b"HTTP/1.1 200 \xe9x", b"HTTP/1.1 200 \x01x", b"HTTP/1.1  101 x"),
            *(b"http/1.1 101 x", b"HTTP/1.1 +99 x"),
        )
    ),
    *(
        OK + field + b"\r\n\r\nbody"
        for field in (
            *(
                b"Content-Length: 3",
                b"Content-Length: 5",
                b"Content-Length: x",
                b"Content-Length: -1",
            ),
            *(b"Content-Length: +1", b"Content-Length: 3, 3", b"Content-Length:"),
            *(b"Content-Length: 9999999", b"Content-Length: 99999999999999999999"),
            b"Content-Length: 3\r\nContent-Length: 3",
            *(
                b"Transfer-Encoding: gzip",
                b"Transfer-Encoding: gzip, chunked",
                b"Transfer-Encoding: ",
            ),
            *(b"A :b", b"A", b" A:b", b": x", b"A: \xff\0"),
        )
    ),
    *(
        CHUNKED + body
        for body in (
            b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\nrest",
            b"0\r\nX: y\r\nZ: t\r\n\r\nrest",
            *(b"zz\r\n", b"\r\n", b"-1\r\n", b"3 ; x\r\n", b"f" * 16 + b"\r\n", b"3\r\nab"),
            *(b"0\r\nX y\r\n", b"200000\r\n", b"1" * 9000 + b"\r\n"),
        )
    ),
    *(
        line + b"Content-Length: 2\r\n\r\nxx"
        for line in (
            *(b"HTTP/1.1 101 x\r\n", b"HTTP/1.1 204 x\r\n", b"HTTP/1.1 304 x\r\n"),
            *(b"HTTP/1.1 407 x\r\n", b"HTTP/1.1 199 x\r\n"),
        )
    ),
    b"x" * 8193,
    OK + b"A: " + b"b" * 8187 + b"\r\n\r\n",
    OK + b"A: " + b"b" * 8188 + b"\r\n\r\n",
    OK + b"A: b\r\n" * 128 + b"\r\n",
    OK + b"A: b\r\n" * 129 + b"\r\n",
]


@pytest.mark.parametrize("proxy", [False, True])
@pytest.mark.parametrize("end", [False, True])
@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("index", range(len(RESPONSES)))
def test_parse_response(index: int, size: int, end: bool, proxy: bool) -> None:
    data = RESPONSES[index]
    ours, model = (
        parsed(library, data, size=size, end=end, proxy=proxy) for library in (WSCOMPAT, WEBSOCKETS)
    )
    assert ours == model


def test_body_too_large() -> None:
    for library in (WSCOMPAT, WEBSOCKETS):
        found = parsed(library, OK + b"\r\n" + bytes(1 << 20) + b"x", size=65536, end=True)
        assert found.startswith("SecurityError: read 1048577 bytes")
        chunks = (b"80000\r\n" + bytes(0x80000) + b"\r\n") * 3
        found = parsed(library, CHUNKED + chunks, size=65536, end=True)
        assert found == "SecurityError: chunk too large: 524288 bytes after 1048576 bytes"


def test_chunk_without_its_end() -> None:
    found = parsed(WSCOMPAT, CHUNKED + b"3\r\nabcXX0\r\n\r\n", size=7, end=True)
    assert found == "ValueError: chunk without CRLF"


@pytest.mark.parametrize("split", ["whole", "bytes", "1"])
def test_parse_request(split: str) -> None:
    for library in (WSCOMPAT, WEBSOCKETS):
        reader = library.streams.StreamReader()
        reading = library.http11.Request.parse(reader.read_line)
        request = None
        for piece in pieces(b"PUT /path?q HTTP/1.0\r\nA: \xe9\r\n\r\n", split):
            reader.feed_data(piece)
            try:
                next(reading)
            except StopIteration as stop:
                request = stop.value
        assert request is not None
        assert (request.method, request.path, request.protocol) == ("PUT", "/path?q", "HTTP/1.0")
        assert request.headers["A"] == "é"


def test_method() -> None:
    """Stricter than websockets: it must be a token (RFC 9110, 9.1)."""
    reader = WSCOMPAT.streams.StreamReader()
    reader.feed_data(b"G(T / HTTP/1.1\r\n\r\n")
    with pytest.raises(ValueError, match="invalid HTTP method"):
        next(WSCOMPAT.http11.Request.parse(reader.read_line))


def test_what_is_not_ascii() -> None:
    headers = Headers(PAIRS)
    with pytest.raises(UnicodeEncodeError):
        http11.Request("/é", headers).serialize()
    assert http11.Response(200, "é", headers).serialize().startswith(b"HTTP/1.1 200 \xe9\r\n")


@pytest.mark.parametrize("name", ["Request", "Response"])
def test_exception(name: str) -> None:
    texts = []
    for library in (WSCOMPAT, WEBSOCKETS):
        arguments = ("/",) if name == "Request" else (200, "OK")
        message = getattr(library.http11, name)(*arguments, library.datastructures.Headers())
        with pytest.warns(DeprecationWarning, match=r"exception is deprecated") as caught:
            assert message.exception is None
        texts.append(str(caught[0].message))
    assert texts[0] == texts[1]
