"""What a server answers to opening handshakes, right and wrong: status and header fields.

Each row is sent by a bare socket, in one write and byte by byte.
"""

import asyncio
import re
from dataclasses import dataclass, field

import pytest

from tests.support.tls import Tls
from tests.wscore.pairs import raw_client
from tests.wscore.recorder import Recorder
from tests.wscore.wire import KEY, accept_for, header_of, request, status_of
from wscore import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener

UPGRADE = {"Upgrade": "websocket"}


@dataclass(frozen=True)
class Row:
    """A request, and how it is answered.

    Attributes:
        name: of the row.
        sent: the request.
        status: of the response.
        headers: what the response must have.
    """

    name: str
    sent: bytes
    status: int
    headers: dict[str, str] = field(default_factory=dict)


REFUSED = [
    # Method and version
    *(
        Row(f"method {method}", request(line=f"{method} / HTTP/1.1"), 405, {"Allow": "GET"})
        for method in ("POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW")
    ),
    *(
        Row(f"HTTP/{version}", request(line=f"GET / HTTP/{version}"), 505)
        for version in ("1.0", "0.9", "2.0", "1.2", "3.0")
    ),
    # Upgrade and Connection
    Row("no Upgrade", request(("Upgrade", None)), 426, UPGRADE),
    Row("Upgrade to something else", request(("Upgrade", "h2c")), 426, UPGRADE),
    Row("Upgrade to a longer word", request(("Upgrade", "websockets")), 426, UPGRADE),
    Row("no Connection", request(("Connection", None)), 426, UPGRADE),
    Row("Connection: keep-alive", request(("Connection", "keep-alive")), 426, UPGRADE),
    Row("Connection: no-upgrade", request(("Connection", "no-upgrade")), 426, UPGRADE),
    # Version of the protocol
    *(
        Row(
            f"Sec-WebSocket-Version: {version}",
            request(("Sec-WebSocket-Version", version)),
            426,
            {"Sec-WebSocket-Version": "13", **UPGRADE},
        )
        for version in (None, "8", "12", "14", "013", "13.0", "thirteen")
    ),
    Row(
        "two versions",
        request(extra="Sec-WebSocket-Version: 13\r\n"),
        426,
        {"Sec-WebSocket-Version": "13"},
    ),
    # The key
    Row("no key", request(("Sec-WebSocket-Key", None)), 400),
    Row("two keys", request(extra=f"Sec-WebSocket-Key: {KEY}\r\n"), 400),
    Row("key of 15 bytes", request(("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAA")), 400),
    Row("key of 17 bytes", request(("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAAA=")), 400),
    Row("key not in base64", request(("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZ!==")), 400),
    Row("key without padding", request(("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ")), 400),
    Row("key with a space", request(("Sec-WebSocket-Key", "dGhlIHNhbXBs ZSBub25jZQ==")), 400),
    Row("key not in ASCII", request(("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZ\xe9==")), 400),
    # Lists
    *(
        Row(f"{name}: {value!r}", request((name, value)), 400)
        for name, values in (
            ("Sec-WebSocket-Protocol", ("a b", "a,,b", ",", "a;b", '"a"', "a, (b)")),
            ("Sec-WebSocket-Extensions", ("a b", "a,,b", ",", "; x=1", '"a"')),
        )
        for value in values
    ),
    # Host, folding, forbidden characters, bodies
    Row("no Host", request(("Host", None)), 400),
    Row("two Hosts", request(extra="Host: localhost\r\n"), 400),
    Row("folded header field", request(extra="X-Folded: a\r\n b\r\n"), 400),
    Row("NUL in a value", request(extra="X-Nul: a\x00b\r\n"), 400),
    Row("NUL in a name", request(extra="X-\x00Nul: a\r\n"), 400),
    Row("bare CR in a value", request(extra="X-Cr: a\rb\r\n"), 400),
    Row("bare LF as a line end", request(extra="X-Lf: a\n"), 400),
    Row("no colon", request(extra="X-Nothing\r\n"), 400),
    Row("space before the colon", request(extra="X-Space : a\r\n"), 400),
    Row("space in a name", request(extra="X Space: a\r\n"), 400),
    Row("empty name", request(extra=": a\r\n"), 400),
    Row("Content-Length: 5", request(("Content-Length", "5")) + b"hello", 400),
    Row("chunked body", request(("Transfer-Encoding", "chunked")) + b"0\r\n\r\n", 400),
    Row("Content-Length: -1", request(("Content-Length", "-1")), 400),
    Row("two lengths", request(("Content-Length", "0"), extra="Content-Length: 5\r\n"), 400),
    # Not HTTP
    Row("TLS on a plain port", bytes.fromhex("160301020001000001fc0303") + bytes(32), 400),
    Row("HTTP/2 with prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 405),
    Row("lower-case method", request(line="get / HTTP/1.1"), 405),
    Row("no version", b"GET /\r\n\r\n", 505),
    Row("version in lower case", request(line="GET / http/1.1"), 400),
    Row("three spaces", request(line="GET /a b HTTP/1.1"), 400),
    Row("binary", b"\x00\x01\x02\x03\r\n\r\n", 400),
    Row("a frame", b"\x81\x85\x00\x00\x00\x00hello\r\n\r\n", 400),
]

TOO_LARGE = [
    Row("target of 9000 bytes", request(line=f"GET /{'a' * 9000} HTTP/1.1"), 414),
    Row("endless target", b"GET /" + b"a" * 70000, 414),
    Row("field of 9000 bytes", request(("X-Large", "a" * 9000)), 431),
    Row("name of 9000 bytes", request((f"X-{'a' * 9000}", "a")), 431),
    Row("129 fields", request(extra="X-Many: a\r\n" * 124), 431),
    Row("head of 70000 bytes", request(extra=f"X-Large: {'a' * 8000}\r\n" * 9), 431),
    Row("endless field", request(extra="X-Endless: ")[:-2] + b"a" * 70000, 431),
    Row("endless fields", request()[:-2] + b"X: a\r\n" * 12000, 431),
]

GRANTED = [
    Row("as simple as it gets", request(), 101),
    Row("what Firefox sends", request(("Connection", "keep-alive, Upgrade")), 101),
    Row("any letter case", request(("Upgrade", "WebSocket"), ("Connection", "uPGRADE")), 101),
    Row("several upgrades", request(("Upgrade", "h2c, websocket")), 101),
    Row("Connection twice", request(("Connection", "close"), extra="Connection: upgrade\r\n"), 101),
    Row("names in lower case", request().replace(b"Sec-WebSocket", b"sec-websocket"), 101),
    Row("no space after the colon", request().replace(b": ", b":"), 101),
    Row("space after the value", request(extra="X-Space: a \t \r\n"), 101),
    Row("empty value", request(extra="X-Empty:\r\n"), 101),
    Row("empty line before", b"\r\n" + request(), 101),
    Row("Content-Length: 0", request(("Content-Length", "0")), 101),
    Row("absolute target", request(line="GET http://localhost/chat HTTP/1.1"), 101),
    Row("subprotocols that nobody wants", request(("Sec-WebSocket-Protocol", "a, b")), 101),
    Row(
        "extensions that nobody wants",
        request(("Sec-WebSocket-Extensions", "permessage-deflate; client_max_window_bits, x; a=1")),
        101,
    ),
    Row("128 fields", request(extra="X-Many: a\r\n" * 123), 101),
    Row("target of 8000 bytes", request(line=f"GET /{'a' * 8000} HTTP/1.1"), 101),
]


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.name)
async def test_refused(row: Row, each_byte: bool) -> None:
    listener = Recorder()
    async with raw_client(lambda _: listener) as peer:
        await peer.send(row.sent, each_byte=each_byte)
        check_refusal(row, await peer.read_to_end())
    assert listener.events == []


@pytest.mark.parametrize("row", TOO_LARGE, ids=lambda row: row.name)
async def test_too_large(row: Row) -> None:
    listener = Recorder()
    async with raw_client(lambda _: listener) as peer:
        await peer.send(row.sent)
        check_refusal(row, await peer.read_to_end())
    assert listener.events == []


def check_refusal(row: Row, answer: bytes) -> None:
    head, separator, body = answer.partition(b"\r\n\r\n")
    assert separator
    assert status_of(head) == row.status
    assert re.match(rb"HTTP/1\.1 \d{3} [A-Z]", head)
    for name, value in row.headers.items():
        assert header_of(head, name) == value
    assert header_of(head, "Content-Length") == str(len(body))
    assert body
    # A client that is refused learns that it need not wait, nor ask again on this connection.
    assert "close" in str(header_of(head, "Connection")).lower()


@pytest.mark.parametrize("row", GRANTED, ids=lambda row: row.name)
async def test_granted(row: Row, each_byte: bool) -> None:
    listener = Recorder()
    async with raw_client(lambda _: listener) as peer:
        await peer.send(row.sent, each_byte=each_byte)
        head = await peer.read_head()
        assert head.startswith(b"HTTP/1.1 101 Switching Protocols\r\n")
        assert header_of(head, "Sec-WebSocket-Accept") == accept_for(KEY)
        assert str(header_of(head, "Upgrade")).lower() == "websocket"
        assert str(header_of(head, "Connection")).lower() == "upgrade"
        for name in ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Content-Length"):
            assert header_of(head, name) is None
        await listener.until("connected")
    await listener.until("disconnected")


async def test_example_of_the_standard(security: Tls | None) -> None:
    """RFC 6455, 1.3: this key is answered like that."""
    listener = Recorder()
    async with raw_client(lambda _: listener, security) as peer:
        await peer.send(request(("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")))
        head = await peer.read_head()
        assert header_of(head, "Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    await listener.until("disconnected")


# The order: syntax, method and version, then the factory, then what an upgrade needs.


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.name)
async def test_factory_sees_what_is_a_request(row: Row) -> None:
    """It may answer any GET that is HTTP, also one that asks for no upgrade."""
    asked: list[WSUpgradeRequest] = []

    def health(request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        asked.append(request)
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_ok_response(b"fine"), None)

    upgrade_is_wrong = row.status == 426 or "Sec-WebSocket" in row.name or "key" in row.name
    async with raw_client(health) as peer:
        await peer.send(row.sent)
        answer = await peer.read_to_end()
    assert status_of(answer) == (200 if upgrade_is_wrong else row.status)
    assert len(asked) == upgrade_is_wrong


async def test_what_the_factory_sees(security: Tls | None, each_byte: bool) -> None:
    asked: list[WSUpgradeRequest] = []
    async with raw_client(asked.append, security) as peer:
        await peer.send(
            request(
                ("X-Twice", "one"),
                ("Sec-WebSocket-Protocol", "a, b"),
                line="GET /room%20a?x=1&y=%C3%A4 HTTP/1.1",
                extra="x-twice:  two \r\n",
            ),
            each_byte=each_byte,
        )
        assert status_of(await peer.read_to_end()) == 404
    (seen,) = asked
    assert (seen.method, seen.path, seen.version) == (
        b"GET",
        b"/room%20a?x=1&y=%C3%A4",
        b"HTTP/1.1",
    )
    assert seen.headers["host"] == seen.headers["HOST"] == "localhost"
    assert seen.headers.getall("X-Twice") == ["one", "two"]
    assert seen.headers.get("X-None") is None


async def test_deadline(each_byte: bool) -> None:
    """However slowly a request drips in, the deadline is counted from the connection on."""
    listener = Recorder()
    async with raw_client(lambda _: listener, websocket_handshake_timeout=0.1) as peer:

        async def drip() -> None:
            while True:
                await peer.send(b"X")
                await asyncio.sleep(0.01)

        await peer.send(request()[:-2])
        dripping = asyncio.ensure_future(drip()) if each_byte else None
        assert await peer.read_to_end() == b""
        if dripping is not None:
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)
    assert listener.events == []


async def test_deadline_ends_with_the_handshake(security: Tls | None) -> None:
    listener = Recorder()
    async with raw_client(lambda _: listener, security, websocket_handshake_timeout=0.1) as peer:
        await peer.send(request())
        await peer.read_head()
        await asyncio.sleep(0.2)  # nothing is to happen at the end of it
        assert listener.events == ["connected"]
        assert listener.transport is not None
        assert not listener.transport.is_disconnected
    await listener.until("disconnected")


@pytest.mark.parametrize("sent", [b"", b"GET", request()[:-1]], ids=["nothing", "GET", "most"])
async def test_client_goes_away(sent: bytes, security: Tls | None) -> None:
    listener = Recorder()
    async with raw_client(lambda _: listener, security) as peer:
        await peer.send(sent)
        peer.reset()
    assert listener.events == []
