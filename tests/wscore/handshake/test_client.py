"""How a client treats the responses to its handshake: the exception, and its attributes.

Each row is sent by a bare socket, in one write and byte by byte. For all of them the fixture
`no_leaks`, and the peer, which reads until EOF, assert that an exception leaves no task and no
socket behind.
"""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from tests.support.tls import Tls
from tests.wscore.pairs import Setting
from tests.wscore.raw_peer import RawPeer, accepting, free_port
from tests.wscore.recorder import Recorder
from tests.wscore.wire import header_of, response
from wscore import (
    WSError,
    WSHandshakeError,
    WSInvalidHeaderError,
    WSInvalidMessageError,
    WSInvalidStatusError,
    WSInvalidUpgradeError,
    ws_connect,
)

Change = tuple[str, str | None]


@dataclass(frozen=True)
class Row:
    """A response, and the client's reaction to it.

    Attributes:
        name: of the row.
        answer: the response to a key.
        error: the type of the exception.
        field: `name` and `value` of a WSInvalidHeaderError.
        says: a part of the exception's message.
    """

    name: str
    answer: Callable[[str], bytes]
    error: type[WSHandshakeError]
    field: Change | None = None
    says: str = ""


def wrong_field(name: str, value: str | None, error: type[WSInvalidHeaderError]) -> Row:
    return Row(f"{name}: {value}", lambda key: response(key, (name, value)), error, (name, value))


def twice(name: str, value: str) -> Row:
    return Row(
        f"{name} twice",
        lambda key: response(key, (name, value), extra=f"{name}: {value}\r\n"),
        WSInvalidHeaderError,
        (name, value),
    )


def text(name: str, answer: bytes, error: type[WSHandshakeError], says: str = "") -> Row:
    return Row(name, lambda _: answer, error, says=says)


WRONG_KEY = base64.b64encode(bytes(20)).decode()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"

ROWS = [
    # Upgrade and Connection
    *(wrong_field("Upgrade", v, WSInvalidUpgradeError) for v in (None, "h2c", "websockets", "")),
    wrong_field("Upgrade", "websocket, h2c", WSInvalidUpgradeError),
    wrong_field("Upgrade", "\xa0websocket", WSInvalidUpgradeError),
    wrong_field("Connection", "upgrade\x85", WSInvalidUpgradeError),
    wrong_field("Connection", "upgrade, keep alive", WSInvalidUpgradeError),
    wrong_field("Connection", "upgrade, upgrade;q=1", WSInvalidUpgradeError),
    *(wrong_field("Connection", v, WSInvalidUpgradeError) for v in (None, "close", "keep-alive")),
    # The accept key
    *(
        wrong_field("Sec-WebSocket-Accept", value, WSInvalidHeaderError)
        for value in (None, WRONG_KEY, "nonsense")
    ),
    Row(
        "accept key in lower case",
        lambda key: response(key).lower().replace(b"http/1.1", b"HTTP/1.1"),
        WSInvalidHeaderError,
    ),
    Row(
        "the right accept key, twice",
        lambda key: response(
            key, extra=response(key).split(b"\r\n")[3].decode() + "\r\n"
        ),
        WSInvalidHeaderError,
    ),
    # Subprotocols and extensions that were not offered
    wrong_field("Sec-WebSocket-Protocol", "chat", WSInvalidHeaderError),
    wrong_field("Sec-WebSocket-Extensions", "permessage-deflate", WSInvalidHeaderError),
    wrong_field("Sec-WebSocket-Extensions", "x-unknown; a=1", WSInvalidHeaderError),
    wrong_field("Sec-WebSocket-Extensions", ",", WSInvalidHeaderError),
    wrong_field("Sec-WebSocket-Protocol", ",", WSInvalidHeaderError),
    # A body on 101
    wrong_field("Content-Length", "5", WSInvalidHeaderError),
    wrong_field("Transfer-Encoding", "chunked", WSInvalidHeaderError),
    # Other statuses
    text("200", OK, WSInvalidStatusError, "200"),
    text("404 without a body", b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
         WSInvalidStatusError, "404"),
    text("a redirect to nowhere", b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n",
         WSInvalidStatusError, "301"),
    text("500 until the end", b"HTTP/1.1 500 Oops\r\n\r\nall of this", WSInvalidStatusError, "500"),
    text("503 in chunks",
         b"HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
         WSInvalidStatusError, "503"),
    text("a status nobody knows", b"HTTP/1.1 599 Hm\r\nContent-Length: 0\r\n\r\n",
         WSInvalidStatusError, "599"),
    Row("200 with all fields of an upgrade",
        lambda key: response(key, line="HTTP/1.1 200 OK", extra="Content-Length: 0\r\n"),
        WSInvalidStatusError, says="200"),
    # The version
    Row("HTTP/1.0 101", lambda key: response(key, line="HTTP/1.0 101 Switching Protocols"),
        WSInvalidMessageError, says="1.0"),
    # Not HTTP
    text("a mail server", b"220 mail.example.com ESMTP ready\r\n\r\n", WSInvalidMessageError),
    text("an SSH server", b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", WSInvalidMessageError),
    text("a frame", b"\x81\x05hello", WSInvalidMessageError),
    text("binary", bytes(range(256)), WSInvalidMessageError),
    text("a TLS alert", b"\x15\x03\x01\x00\x02\x02\x46", WSInvalidMessageError),
    text("HTTP/2", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00", WSInvalidMessageError),
    # Bare CR or LF before a valid response
    Row("bare CR ahead", lambda key: b"\r" + response(key), WSInvalidMessageError),
    Row("bare LF ahead", lambda key: b"\n" + response(key), WSInvalidMessageError),
    Row("bare CR behind an interim response",
        lambda key: b"HTTP/1.1 103 Early Hints\r\n\r\n\r" + response(key),
        WSInvalidMessageError),
    # An incomplete response
    text("nothing at all", b"", WSInvalidMessageError, "closed"),
    text("half a status line", b"HTTP/1.1 10", WSInvalidMessageError, "closed"),
    Row("a head without its end", lambda key: response(key)[:-2], WSInvalidMessageError,
        says="closed"),
    # Malformed heads
    *(
        Row(name, lambda key, extra=extra: response(key, extra=extra), WSInvalidMessageError)
        for name, extra in (
            ("NUL in a value", "X-Nul: a\x00b\r\n"),
            ("bare CR", "X-Cr: a\rb\r\n"),
            ("no colon", "X-Nothing\r\n"),
            ("space before the colon", "X-Space : a\r\n"),
            ("two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n"),
        )
    ),
]  # fmt: skip

TOO_LARGE = [
    Row("field of 9000 bytes", lambda key: response(key, ("X", "a" * 9000)), WSInvalidMessageError),
    Row("129 fields", lambda key: response(key, extra="X: a\r\n" * 126), WSInvalidMessageError),
    Row("head of 70000 bytes", lambda key: response(key, extra=f"X: {'a' * 8000}\r\n" * 9),
        WSInvalidMessageError),
    text("endless field", b"HTTP/1.1 101 Sw\r\nX: " + b"a" * 300000, WSInvalidMessageError),
    text("endless fields", b"HTTP/1.1 101 Sw\r\n" + b"X: a\r\n" * 50000, WSInvalidMessageError),
    text("endless empty lines", b"\r\n" * 150000, WSInvalidMessageError),
    text("endless interim responses", b"HTTP/1.1 100 Continue\r\n\r\n" * 20000,
         WSInvalidMessageError),
    text("endless trailer",
         b"HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: " + b"a" * 300000,
         WSInvalidMessageError),
    text("endless reason", b"HTTP/1.1 101 " + b"a" * 300000, WSInvalidMessageError),
    text("endless body", b"HTTP/1.1 500 Oops\r\n\r\n" + b"a" * 1200000, WSInvalidMessageError),
]  # fmt: skip


@contextlib.asynccontextmanager
async def answering(
    row: Row, tls: Tls | None = None, *, each_byte: bool = False
) -> AsyncIterator[str]:
    """Yield the URL of a server that sends this response, and reads until the client closes."""

    async def script(peer: RawPeer) -> None:
        key = header_of(await peer.read_head(), "Sec-WebSocket-Key")
        assert key is not None
        await peer.send(row.answer(key), each_byte=each_byte)
        if not tls:  # EOF, as from a server that has nothing more to send
            peer.end_sending()
            assert await peer.read_to_end() == b""

    async with accepting(script, tls and tls.server) as port:
        yield Setting("client", tls).url(port)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_refused(row: Row, each_byte: bool) -> None:
    listener = Recorder()
    async with answering(row, each_byte=each_byte) as url:
        with pytest.raises(WSError) as caught:
            await ws_connect(lambda: listener, url)
        check_error(row, caught.value)
    assert listener.events == []


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_refused_over_tls(row: Row, tls: Tls) -> None:
    async with answering(row, tls) as url:
        with pytest.raises(WSError) as caught:
            await ws_connect(Recorder, url, ssl_context=tls.client)
        check_error(row, caught.value)


@pytest.mark.parametrize("row", TOO_LARGE, ids=lambda row: row.name)
async def test_too_large(row: Row) -> None:
    async with answering(row) as url:
        with pytest.raises(WSError) as caught:
            await ws_connect(Recorder, url)
        check_error(row, caught.value)


def check_error(row: Row, error: WSError) -> None:
    assert type(error) is row.error
    assert isinstance(error, WSHandshakeError)
    assert row.says in str(error)
    assert isinstance(error.__cause__, EOFError) == (row.says == "closed")
    if isinstance(error, WSInvalidHeaderError):
        assert error.response is not None
        assert error.response.status == 101
        if row.field is not None:
            assert (error.name, error.value) in (row.field, (row.field[0], row.field[1] or ""))
            assert row.field[0] in str(error)
    if isinstance(error, WSInvalidStatusError):
        assert error.response is not None


@pytest.mark.parametrize(
    ("tail", "body"),
    [
        (b"Content-Length: 7\r\n\r\nno way!", b"no way!"),
        (b"Content-Length: 0\r\n\r\n", None),
        (b"\r\nto the end", b"to the end"),
        (b"Transfer-Encoding: chunked\r\n\r\n2\r\nno\r\n4\r\n way\r\n0\r\n\r\n", b"no way"),
        (b"Content-Length: 70\r\n\r\ncut off", b"cut off"),
    ],
    ids=["length", "empty", "to the end", "chunks", "cut off"],
)
async def test_what_a_status_error_carries(
    tail: bytes, body: bytes | None, each_byte: bool
) -> None:
    head = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nX-Two: 1\r\nX-Two: 2\r\n"
    async with answering(text("", head + tail, WSInvalidStatusError), each_byte=each_byte) as url:
        with pytest.raises(WSInvalidStatusError) as caught:
            await ws_connect(Recorder, url)
    error = caught.value
    assert error.response is not None
    assert error.response.status == 429
    assert error.response.version == b"HTTP/1.1"
    assert error.response.headers["retry-after"] == "7"
    assert error.response.headers.getall("X-Two") == ["1", "2"]
    assert error.response.body == body
    assert error.raw_body == (body or b"")
    assert error.raw_header is not None
    assert error.raw_header.startswith(head[:-2])
    assert not error.raw_header.endswith(b"\r\n")


async def test_what_a_message_error_carries(each_byte: bool) -> None:
    row = text("", b"HTTP/1.1 101 Sw\r\nX-Good: 1\r\nX-Bad\r\n\r\n", WSInvalidMessageError)
    async with answering(row, each_byte=each_byte) as url:
        with pytest.raises(WSInvalidMessageError) as caught:
            await ws_connect(Recorder, url)
    assert caught.value.raw_header is not None
    assert caught.value.raw_header.startswith(b"HTTP/1.1 101 Sw\r\nX-Good: 1\r\nX-Bad\r\n"[:30])
    assert caught.value.response is None


GRANTED: list[tuple[str, Callable[[str], bytes]]] = [
    ("as simple as it gets", lambda key: response(key)),
    ("keep-alive too", lambda key: response(key, ("Connection", "keep-alive, Upgrade"))),
    ("any letter case", lambda key: response(key, ("Upgrade", "WebSocket"))),
    ("no reason phrase", lambda key: response(key, line="HTTP/1.1 101")),
    ("other reason phrase", lambda key: response(key, line="HTTP/1.1 101 Fine by me")),
    ("Content-Length: 0", lambda key: response(key, ("Content-Length", "0"))),
    ("other fields", lambda key: response(key, extra="Server: x\r\nDate: now\r\n")),
    ("after 103", lambda key: b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n" + response(key)),
    ("after 100", lambda key: b"HTTP/1.1 100 Continue\r\n\r\n" + response(key)),
]


@pytest.mark.parametrize(("name", "answer"), GRANTED, ids=[name for name, _ in GRANTED])
async def test_granted(name: str, answer: Callable[[str], bytes], each_byte: bool) -> None:
    row = Row(name, lambda key: answer(key) + b"\x81\x02hi", WSHandshakeError)
    listener = Recorder()
    async with answering(row, each_byte=each_byte) as url:
        transport, made = await ws_connect(lambda: listener, url)
        assert made is listener
        assert transport.response.status == 101
        assert "Link" not in transport.response.headers
        await listener.until("frame")
        assert listener.seen == [(1, b"hi")]
        await transport.wait_disconnected()
    assert listener.events == ["connected", "frame", "disconnected"]


@pytest.mark.parametrize(
    ("offered", "chosen", "right"),
    [
        ("a, b", "b", True),
        ("a", "a", True),
        ("a, b", "c", False),
        ("a, b", "a, b", False),
        ("a", "A", False),
        ("a, b", "b,", True),
        ("a,, b", ", b ,,", True),
        ("a, b", "\xa0b", False),
    ],
)
async def test_subprotocol(offered: str, chosen: str, right: bool) -> None:
    row = Row("", lambda key: response(key, ("Sec-WebSocket-Protocol", chosen)), WSHandshakeError)
    async with answering(row) as url:
        connecting = ws_connect(Recorder, url, extra_headers={"Sec-WebSocket-Protocol": offered})
        if right:
            transport, _ = await connecting
            assert transport.response.headers["Sec-WebSocket-Protocol"] == chosen
            await transport.wait_disconnected()
        else:
            with pytest.raises(WSInvalidHeaderError) as caught:
                await connecting
            assert caught.value.name == "Sec-WebSocket-Protocol"


async def test_request(security: Tls | None) -> None:
    """The request as the server receives it, and the key: new for each connection."""
    keys: list[str | None] = []
    heads: list[bytes] = []

    async def script(peer: RawPeer) -> None:
        head = await peer.read_head()
        heads.append(head)
        keys.append(header_of(head, "Sec-WebSocket-Key"))
        await peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    async with accepting(script, security and security.server) as port:
        url = Setting("client", security).url(port, "/room/ä?x=1&y=%20")
        for _ in range(2):
            with pytest.raises(WSInvalidStatusError):
                await ws_connect(
                    Recorder, url, ssl_context=security and security.client,
                    extra_headers=[("X-Two", "1"), ("X-Two", "2")],
                )  # fmt: skip
        await asyncio.sleep(0)
    assert heads[0].startswith(b"GET /room/%C3%A4?x=1&y=%20 HTTP/1.1\r\n")
    assert header_of(heads[0], "Host") == f"127.0.0.1:{port}"
    assert header_of(heads[0], "Upgrade") == "websocket"
    assert header_of(heads[0], "Connection") == "Upgrade"
    assert header_of(heads[0], "Sec-WebSocket-Version") == "13"
    assert heads[0].count(b"X-Two: ") == 2
    assert all(key and len(base64.b64decode(key, validate=True)) == 16 for key in keys)
    assert keys[0] != keys[1]


@pytest.mark.parametrize("name", ["Host", "host", "HOST"])
async def test_host_is_replaced(name: str) -> None:
    heads: list[bytes] = []

    async def script(peer: RawPeer) -> None:
        heads.append(await peer.read_head())

    async with accepting(script) as port:
        with pytest.raises(WSInvalidMessageError):
            await ws_connect(
                Recorder, f"ws://127.0.0.1:{port}/", extra_headers={name: "example.com"}
            )
    assert header_of(heads[0], "Host") == "example.com"
    assert heads[0].lower().count(b"\r\nhost:") == 1


@pytest.mark.parametrize(
    ("user_info", "extra", "expected"),
    [
        ("user:pass@", {}, "Basic dXNlcjpwYXNz"),
        ("user:p%40ss%3A@", {}, "Basic " + base64.b64encode(b"user:p@ss:").decode()),
        ("user@", {}, "Basic dXNlcjo="),
        ("%C3%A4:%E2%82%AC@", {}, "Basic " + base64.b64encode("ä:€".encode()).decode()),
        ("user:pass@", {"Authorization": "Bearer x"}, "Bearer x"),
        ("", {}, None),
    ],
)
async def test_credentials(user_info: str, extra: dict[str, str], expected: str | None) -> None:
    heads: list[bytes] = []

    async def script(peer: RawPeer) -> None:
        heads.append(await peer.read_head())

    async with accepting(script) as port:
        with pytest.raises(WSInvalidMessageError):
            await ws_connect(Recorder, f"ws://{user_info}127.0.0.1:{port}/", extra_headers=extra)
    assert header_of(heads[0], "Authorization") == expected
    assert header_of(heads[0], "Host") == f"127.0.0.1:{port}"


@pytest.mark.parametrize(
    "extra",
    [
        {"X-Bad": "a\r\nX-Injected: b"},
        {"X-Bad": "a\nb"},
        {"X-Bad": "a\x00"},
        {"X Bad": "a"},
        {"X-Bad:": "a"},
        {"": "a"},
        {"X-Bad\r\n": "a"},
        {"X-Bad": "€"},
    ],
)
async def test_fields_that_cannot_be_sent(extra: dict[str, str]) -> None:
    """It is reported before anything is connected to."""
    with pytest.raises(ValueError):
        await ws_connect(Recorder, f"ws://127.0.0.1:{free_port()}/", extra_headers=extra)
