"""Heads of HTTP messages are parsed however they are split, and within limits.

Invalid ones, sent to a server and a client over sockets, are in `test_server` and `test_client`.
"""

import random
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import httptools
import pytest

from wscore import WSUpgradeRequest, WSUpgradeResponse
from wscore.handshake.http import HTTPSyntaxError
from wscore.handshake.http_reader import (
    MAX_BODY_SIZE,
    MAX_HEAD_SIZE,
    MAX_HEADERS,
    MAX_LINE_SIZE,
    MAX_TARGET_SIZE,
    RequestReader,
    ResponseReader,
)

REQUEST = (
    b"GET /a?b=c HTTP/1.1\r\n"
    b"Host: example.com\r\n"
    b"X-Two: 1\r\n"
    b"x-two:2 \r\n"
    b"X-Latin: caf\xe9\r\n"
    b"Connection: Upgrade\r\n"
    b"Upgrade: websocket\r\n"
    b"\r\n"
)
TAIL = b"\x81\x80\x00\x00\x00\x00 and more"


def read(
    reader: RequestReader | ResponseReader, *pieces: bytes
) -> tuple[WSUpgradeRequest | WSUpgradeResponse | None, int]:
    """Feed the pieces; return the message, and how many bytes of all of them belong to it."""
    fed = 0
    for piece in pieces:
        result = reader.feed(piece)
        if result is not None:
            message, consumed = result
            assert 0 <= consumed <= len(piece)
            return message, fed + consumed
        fed += len(piece)
    return None, fed


# Requests


def test_request() -> None:
    request, consumed = read(RequestReader(), REQUEST)
    assert isinstance(request, WSUpgradeRequest)
    assert consumed == len(REQUEST)
    assert (request.method, request.path, request.version) == (b"GET", b"/a?b=c", b"HTTP/1.1")
    assert request.headers.getall("X-TWO") == ["1", "2"]
    assert request.headers["x-latin"] == "café"
    assert [name for name, _ in request.headers.items()] == [
        *("Host", "X-Two", "x-two", "X-Latin", "Connection", "Upgrade")
    ]


@pytest.mark.parametrize("cut", range(1, len(REQUEST)))
def test_request_in_two_pieces(cut: int) -> None:
    """Even with further bytes after it in the second piece."""
    request, consumed = read(RequestReader(), REQUEST[:cut], REQUEST[cut:] + TAIL)
    assert isinstance(request, WSUpgradeRequest)
    assert consumed == len(REQUEST)
    assert request.path == b"/a?b=c"
    assert request.headers.getall("X-Two") == ["1", "2"]


def test_request_byte_by_byte() -> None:
    pieces = [bytes([byte]) for byte in REQUEST + TAIL]
    request, consumed = read(RequestReader(), *pieces)
    assert isinstance(request, WSUpgradeRequest)
    assert consumed == len(REQUEST)
    assert request.headers["Upgrade"] == "websocket"


def test_request_without_upgrade() -> None:
    """Without an upgrade the bytes after it are unknown; the request is complete all the same."""
    request, consumed = read(RequestReader(), b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    assert isinstance(request, WSUpgradeRequest)
    assert consumed == 27


def test_unfinished_request() -> None:
    for end in range(len(REQUEST)):
        assert RequestReader().feed(REQUEST[:end]) is None


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"FETCH / HTTP/1.1\nHost: h\n\n", 400),
        (b"FETCH / HTTPS/1.1", 400),
        (b"FETCH / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"FETCH /" + b"a" * (MAX_TARGET_SIZE + 1) + b" HTTP/1.1\r\n", 414),
        (b"GET /\r\n\r\n", 505),
        (b"\r\n" * (MAX_HEAD_SIZE // 2) + b"G", 431),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: h\n\n", 400),
        (b"GET /" + b"a" * (MAX_TARGET_SIZE + 1) + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * MAX_LINE_SIZE + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"b" * MAX_HEAD_SIZE, 431),
        # llhttp rejects these targets, so the line is parsed without it.
        (b"GET ? HTTP/1.1\r\nA: " + b"b" * MAX_LINE_SIZE + b"\r\n\r\n", 431),
        (b"GET ? HTTP/1.1\r\n" + b"A: b\r\n" * (MAX_HEADERS + 1) + b"\r\n", 431),
        (b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n", 400),
        (b"GET /\xc3", 400),
    ],
)
def test_wrong_request(head: bytes, status: int) -> None:
    with pytest.raises(HTTPSyntaxError) as caught:
        RequestReader().feed(head)
    assert caught.value.status == status


@pytest.mark.parametrize("target", [b"/", b"?"])
def test_a_limit_while_another_exception_is_handled(target: bytes) -> None:
    """A program may run its loop within an `except`."""
    try:
        raise KeyError("other")
    except KeyError:
        with pytest.raises(HTTPSyntaxError) as caught:
            RequestReader().feed(b"GET " + target + b" HTTP/1.1\r\n" + b"A: b\r\n" * 129 + b"\r\n")
    assert caught.value.status == 431


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"a" * (MAX_TARGET_SIZE - 1) + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nA: " + b"b" * (MAX_LINE_SIZE - 1) + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * MAX_HEADERS + b"\r\n",
    ],
    ids=["target", "field", "fields"],
)
def test_request_at_its_limit(head: bytes) -> None:
    assert RequestReader().feed(head) is not None


UNKNOWN = [
    REQUEST.replace(b"GET", b"FETCH"),
    REQUEST.replace(b"GET", b"get"),
    REQUEST.replace(b"HTTP/1.1", b"HTTP/1.9"),
    REQUEST.replace(b"GET", b"G!T").replace(b"HTTP/1.1", b"HTTP/3.0"),
    REQUEST.replace(b"GET", b"PRI").replace(b"HTTP/1.1", b"HTTP/2.0"),
]


@pytest.mark.parametrize("wire", UNKNOWN)
def test_methods_and_versions_that_llhttp_does_not_know(wire: bytes) -> None:
    line = wire.partition(b"\r\n")[0].split(b" ")
    for cut in range(1, len(wire)):
        request, consumed = read(RequestReader(), b"\r\n" + wire[:cut], wire[cut:] + TAIL)
        assert isinstance(request, WSUpgradeRequest)
        assert [request.method, request.path, request.version] == line
        assert request.headers.getall("X-Two") == ["1", "2"]
        assert consumed == 2 + len(wire)
    request, consumed = read(RequestReader(), *(bytes([byte]) for byte in wire + TAIL))
    assert isinstance(request, WSUpgradeRequest)
    assert consumed == len(wire)
    for end in range(len(wire)):
        assert RequestReader().feed(wire[:end]) is None


def test_what_follows_a_request_without_upgrade_is_not_looked_at() -> None:
    head = b"POST / HTTP/1.1\r\nHost: h\r\n"
    for tail in (b"\r\n\x00\x01", b"Transfer-Encoding: chunked\r\n\r\nno chunk"):
        request, _ = read(RequestReader(), head + tail)
        assert isinstance(request, WSUpgradeRequest)
        assert request.method == b"POST"


@pytest.mark.parametrize("ahead", [b"\r\n", b"\r\n" * 2, b"\r\n" * 1000])
def test_empty_lines_ahead(ahead: bytes) -> None:
    for pieces in (
        (ahead + REQUEST + TAIL,),
        (ahead, REQUEST + TAIL),
        (ahead[:1], ahead[1:] + REQUEST),
    ):
        reader = RequestReader()
        request, consumed = read(reader, *pieces)
        assert isinstance(request, WSUpgradeRequest)
        assert consumed == len(ahead) + len(REQUEST)
        assert reader.head == REQUEST[:-4]


def test_empty_lines_are_counted() -> None:
    reader = RequestReader()
    for _ in range(MAX_HEAD_SIZE // 2):
        assert reader.feed(b"\r") is None
        assert reader.feed(b"\n") is None
    with pytest.raises(HTTPSyntaxError) as caught:
        reader.feed(b"\r")
    assert caught.value.status == 431
    assert reader.head == b""


BARE = [b"\r", b"\n", b"\r\r\n", b"\n\r", b"\r\n\r", b"\r\n\n"]


@pytest.mark.parametrize("bare", BARE)
@pytest.mark.parametrize("line", [b"GET / HTTP/1.1\r\n", b"FETCH / HTTP/1.1\r\n"])
def test_bare_line_ends_ahead_of_a_request(bare: bytes, line: bytes) -> None:
    wire = bare + line + b"Host: h\r\n\r\n"
    for pieces in ([wire], [bare, wire[len(bare) :]], [bytes([byte]) for byte in wire]):
        with pytest.raises(HTTPSyntaxError) as caught:
            read(RequestReader(), *pieces)
        assert caught.value.status == 400


# However the input is split, the work on it is linear in its size.


class Counting:
    """Replaces httptools: parsers that count the bytes that they are fed.

    llhttp's user keeps the beginning of a line, and copies it with each further piece; so the cost
    of a piece is its size plus the size of its line so far.
    """

    def __init__(self, cost: list[int]) -> None:
        self._cost = cost

    def __getattr__(self, name: str) -> Any:
        return getattr(httptools, name)

    def HttpRequestParser(self, owner: Any) -> "CountingParser":
        return CountingParser(httptools.HttpRequestParser(owner), self._cost)

    def HttpResponseParser(self, owner: Any) -> "CountingParser":
        return CountingParser(httptools.HttpResponseParser(owner), self._cost)


class CountingParser:
    def __init__(self, parser: Any, cost: list[int]) -> None:
        self._parser = parser
        self._cost = cost
        self._line = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._parser, name)

    def feed_data(self, data: bytes) -> None:
        self._cost.append(self._line + len(data))
        *_, last = data.split(b"\n")
        self._line = len(last) if b"\n" in data else self._line + len(data)
        self._parser.feed_data(data)


def cost_of(
    monkeypatch: pytest.MonkeyPatch,
    reader: type[RequestReader] | type[ResponseReader],
    wire: bytes,
) -> tuple[int, int]:
    """Return the cost of parsing byte by byte: bytes that llhttp's user handles, and calls."""
    cost: list[int] = []
    monkeypatch.setattr("wscore.handshake.http_reader.httptools", Counting(cost))
    read(reader(), *(bytes([byte]) for byte in wire))
    return sum(cost), len(cost)


@pytest.mark.parametrize(
    "make",
    [
        lambda size: b"GET /" + b"a" * size,
        lambda size: b"GET / HTTP/1.1\r\nA: " + b"a" * size,
        lambda size: b"GET / HTTP/1.1\r\n" + b"a" * size,
        lambda size: b"GET / HTTP/1.1\r\n" + (b"A: " + b"b" * 600 + b"\r\n") * (size // 600),
        lambda size: b"FETCH /" + b"a" * size,
        lambda size: b"\r\n" * (size // 2),
    ],
    ids=["target", "value", "name", "fields", "unknown method", "empty lines"],
)
def test_work_is_linear(make: Callable[[int], bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    few, _ = cost_of(monkeypatch, RequestReader, make(1500))
    many, calls = cost_of(monkeypatch, RequestReader, make(6000))
    assert many <= 5 * few + 100
    assert many < 5 * 6000
    assert calls < 200


def test_work_is_linear_in_responses(monkeypatch: pytest.MonkeyPatch) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: " + b"a" * 700 + b"\r\n\r\n"
    few, _ = cost_of(monkeypatch, ResponseReader, b"\r\n" + early * 4)
    many, _ = cost_of(monkeypatch, ResponseReader, b"\r\n" + early * 16)
    assert many <= 5 * few
    assert many < 5 * 16 * len(early)


# Responses

SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
BODY = b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nsorry"
CHUNKED = (
    b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
)


@pytest.mark.parametrize("cut", range(1, len(SWITCHING)))
def test_switching_in_two_pieces(cut: int) -> None:
    reader = ResponseReader()
    response, consumed = read(reader, SWITCHING[:cut], SWITCHING[cut:] + TAIL)
    assert isinstance(response, WSUpgradeResponse)
    assert consumed == len(SWITCHING)
    assert response.status is HTTPStatus.SWITCHING_PROTOCOLS
    assert response.headers["upgrade"] == "websocket"
    assert response.body is None
    assert bytes(reader.head) == SWITCHING[:-4]


@pytest.mark.parametrize(("wire", "body"), [(BODY, b"sorry"), (CHUNKED, b"abcde")])
def test_body_however_it_is_cut(wire: bytes, body: bytes) -> None:
    for cut in range(1, len(wire)):
        response, _ = read(ResponseReader(), wire[:cut], wire[cut:])
        assert isinstance(response, WSUpgradeResponse)
        assert response.body == body
    response, _ = read(ResponseReader(), *(bytes([byte]) for byte in wire))
    assert isinstance(response, WSUpgradeResponse)
    assert response.body == body


def test_unfinished_response() -> None:
    for wire in (SWITCHING, BODY, CHUNKED):
        for end in range(len(wire)):
            assert ResponseReader().feed(wire[:end]) is None


def test_response_that_ends_with_the_connection() -> None:
    reader = ResponseReader()
    assert reader.feed(b"HTTP/1.1 500 Oops\r\n\r\nall ") is None
    assert reader.feed(b"of this") is None
    response = reader.end()
    assert response is not None
    assert response.body == b"all of this"


@pytest.mark.parametrize("status", [b"204 No Content", b"404 Not Found\r\nContent-Length: 0"])
def test_what_follows_a_response_is_not_looked_at(status: bytes) -> None:
    wire = b"HTTP/1.1 " + status + b"\r\nConnection: upgrade\r\n\r\n"
    found = ResponseReader().feed(wire + b"\x82\x01a")
    assert found is not None
    assert found[0].status == int(status[:3])


def test_response_without_a_complete_head_does_not_end() -> None:
    reader = ResponseReader()
    assert reader.end() is None
    reader.feed(b"HTTP/1.1 500 Oops\r\nA: b\r\n")
    assert reader.end() is None


def test_interim_responses_are_passed_over() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </style>\r\n\r\n"
    wire = early * 3 + SWITCHING
    for pieces in ([wire], [bytes([byte]) for byte in wire]):
        response, consumed = read(ResponseReader(), *pieces)
        assert isinstance(response, WSUpgradeResponse)
        assert response.status == 101
        assert "Link" not in response.headers
        assert consumed == len(wire)


def test_endless_interim_responses() -> None:
    """They share the limits of one head, or a server could keep a client busy for ever."""
    reader = ResponseReader()
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </style>\r\n\r\n"
    with pytest.raises(HTTPSyntaxError):
        read(reader, *[early] * 100_000)


def test_head_is_that_of_the_response_that_counts() -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </style>\r\n\r\n"
    wire = b"\r\n" + early + b"\r\n" + early + SWITCHING
    for pieces in ([wire], [bytes([byte]) for byte in wire]):
        reader = ResponseReader()
        _, consumed = read(reader, *pieces)
        assert consumed == len(wire)
        assert reader.head == SWITCHING[:-4]


@pytest.mark.parametrize("bare", BARE)
@pytest.mark.parametrize("early", [b"", b"HTTP/1.1 103 Early Hints\r\nLink: </style>\r\n\r\n"])
def test_bare_line_ends_ahead_of_a_response(bare: bytes, early: bytes) -> None:
    """Even after an interim response."""
    ahead = early + bare
    for pieces in ([ahead + SWITCHING], [ahead, SWITCHING], [early, bare, SWITCHING]):
        with pytest.raises(HTTPSyntaxError):
            read(ResponseReader(), *pieces)
    with pytest.raises(HTTPSyntaxError):
        read(ResponseReader(), *(bytes([byte]) for byte in ahead + SWITCHING))


def test_endless_empty_lines_before_a_response() -> None:
    reader = ResponseReader()
    with pytest.raises(HTTPSyntaxError):
        read(reader, *[b"\r\n" * 100] * 1000)


@pytest.mark.parametrize(
    "endless",
    [b"5;" + b"x" * 100_000, b"0\r\nA: " + b"x" * 100_000, b"0\r\n" + b"A: b\r\n" * 100_000],
    ids=["chunk extension", "trailer field", "trailer fields"],
)
def test_endless_lines_in_a_body(endless: bytes) -> None:
    """Bytes outside the body's data are limited even directly after the head."""
    reader = ResponseReader()
    head = b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert read(reader, head, *[b"1\r\nx\r\n"] * 20_000) == (None, len(head) + 120_000)
    with pytest.raises(HTTPSyntaxError):
        read(reader, *(endless[start : start + 10] for start in range(0, len(endless), 10)))


def test_too_large_a_body() -> None:
    reader = ResponseReader()
    reader.feed(b"HTTP/1.1 500 Oops\r\n\r\n")
    reader.feed(bytes(MAX_BODY_SIZE))
    with pytest.raises(HTTPSyntaxError):
        reader.feed(b"x")


@pytest.mark.parametrize(
    "wire", [b"220 mail\r\n", b"HTTP/1.1 1000 X\r\n", b"HTTP/1.1 101 X\r\nno colon\r\n\r\n"]
)
def test_wrong_response(wire: bytes) -> None:
    with pytest.raises(HTTPSyntaxError):
        ResponseReader().feed(wire)


@pytest.mark.parametrize("reader", [RequestReader, ResponseReader])
def test_garbage_is_refused_or_waited_for(
    reader: type[RequestReader] | type[ResponseReader],
) -> None:
    """No input raises another exception, and splitting it elsewhere changes nothing."""
    source = random.Random(6455)
    start = REQUEST if reader is RequestReader else SWITCHING
    for _ in range(2000):
        wire = bytearray(start)
        for _ in range(source.randint(1, 4)):
            wire[source.randrange(len(wire))] = source.randrange(256)
        cut = source.randrange(len(wire))
        outcomes = []
        for pieces in ((bytes(wire),), (bytes(wire[:cut]), bytes(wire[cut:]))):
            try:
                message, consumed = read(reader(), *pieces)
            except HTTPSyntaxError:
                outcomes.append(None)
            else:
                outcomes.append((message and dict(message.headers), consumed))
        assert outcomes[0] == outcomes[1], bytes(wire)
