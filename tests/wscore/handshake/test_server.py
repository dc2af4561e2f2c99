"""A server's responses to opening handshakes, valid and invalid: status and header fields.

Each row is sent by a bare socket, in one write and byte by byte.
"""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import pytest

from tests.support.tls import Tls
from tests.wscore.pairs import raw_client
from tests.wscore.raw_peer import BOUND, connecting
from tests.wscore.recorder import Recorder
from tests.wscore.wire import KEY, accept_for, header_of, request, status_of
from wscore import (
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

UPGRADE = {"Upgrade": "websocket"}


@dataclass(frozen=True)
class Row:
    """A request, and the response to it.

    Attributes:
        name: of the row.
        sent: the request.
        status: of the response.
        headers: the header fields that the response must have.
    """

    name: str
    sent: bytes
    status: int
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def is_for_upgrade(self) -> bool:
        """Return whether its fault only matters to an upgrade."""
        return self.status == 426 or "Sec-WebSocket" in self.name or "key" in self.name


WELL_FORMED = [
    # Method and version
    *(
        Row(f"method {method}", request(line=f"{method} / HTTP/1.1"), 405, {"Allow": "GET"})
        for method in ("POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW", "get", "a|b!")
    ),
    *(
        Row(f"HTTP/{version}", request(line=f"GET / HTTP/{version}"), 505)
        for version in ("1.0", "0.9", "2.0", "1.2", "3.0")
    ),
    Row("method and version", request(line="BREW /pot HTTP/1.7"), 405),
    Row("CONNECT", request(line="CONNECT h:1 HTTP/1.1"), 405),
    Row("OPTIONS *", request(line="OPTIONS * HTTP/1.1"), 405),
    Row("HTTP/2 with prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 405),
    Row("bytes behind what is no upgrade", b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n\x00\x01", 405),
    # Upgrade and Connection
    Row("no Upgrade", request(("Upgrade", None)), 426, UPGRADE),
    Row("no-break space in Upgrade", request(("Upgrade", "\xa0websocket")), 426, UPGRADE),
    Row("next line in Upgrade", request(("Upgrade", "h2c,websocket\x85")), 426, UPGRADE),
    Row("no-break space in Connection", request(("Connection", "upgrade\xa0")), 426, UPGRADE),
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
        for version in (None, "8", "12", "14", "013", "13.0", "thirteen", "\xa013", "13\xa0")
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
            ("Sec-WebSocket-Protocol", ("a b", ",", ", ,", "a;b", '"a"', "a, (b)", "a,\xa0b")),
            ("Sec-WebSocket-Extensions", ("a b", ",", ", ,", "; x=1", '"a"', "a,\xa0b")),
        )
        for value in values
    ),
    # Host, bodies
    Row("no Host", request(("Host", None)), 400),
    Row("two Hosts", request(extra="Host: localhost\r\n"), 400),
    Row("Content-Length: 5", request(("Content-Length", "5")) + b"hello", 400),
    Row("chunked body", request(("Transfer-Encoding", "chunked")) + b"0\r\n\r\n", 400),
]

MALFORMED = [
    # Folding, forbidden characters, lengths
    Row("folded header field", request(extra="X-Folded: a\r\n b\r\n"), 400),
    Row("NUL in a value", request(extra="X-Nul: a\x00b\r\n"), 400),
    Row("NUL in a name", request(extra="X-\x00Nul: a\r\n"), 400),
    Row("bare CR in a value", request(extra="X-Cr: a\rb\r\n"), 400),
    Row("bare LF as a line end", request(extra="X-Lf: a\n"), 400),
    Row("no colon", request(extra="X-Nothing\r\n"), 400),
    Row("space before the colon", request(extra="X-Space : a\r\n"), 400),
    Row("space in a name", request(extra="X Space: a\r\n"), 400),
    Row("empty name", request(extra=": a\r\n"), 400),
    Row("Content-Length: -1", request(("Content-Length", "-1")), 400),
    Row("two lengths", request(("Content-Length", "0"), extra="Content-Length: 5\r\n"), 400),
    # Not HTTP
    Row("TLS on a plain port", bytes.fromhex("160301020001000001fc0303") + bytes(32), 400),
    Row("no version", b"GET /\r\n\r\n", 505),
    Row("version in lower case", request(line="GET / http/1.1"), 400),
    Row("three spaces", request(line="GET /a b HTTP/1.1"), 400),
    Row("binary", b"\x00\x01\x02\x03\r\n\r\n", 400),
    Row("a frame", b"\x81\x85\x00\x00\x00\x00hello\r\n\r\n", 400),
    Row("unknown method, no colon", request(line="BREW / HTTP/1.1", extra="X-Nothing\r\n"), 400),
    Row("unknown method, wrong version", request(line="BREW / HTTPS/1.1"), 400),
    Row("bare CR ahead", b"\r" + request(), 400),
    Row("bare LF ahead", b"\n" + request(), 400),
    Row("bare CR behind an empty line", b"\r\n\r" + request(), 400),
    Row("unknown method, bare CR ahead", b"\rBREW / HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    Row("unknown method, bare LF", b"BREW / HTTP/1.1\nHost: h\n\n", 400),
    Row("unknown version, control character", request(line="GET /\x01 HTTP/1.2"), 400),
    Row("method of 65 characters", request(line=f"{'A' * 65} / HTTP/1.1"), 400),
    Row("SSH", b"SSH-2.0-OpenSSH_9.2\r\n", 400),
]
REFUSED = [*WELL_FORMED, *MALFORMED]

TOO_LARGE = [
    Row("target of 9000 bytes", request(line=f"GET /{'a' * 9000} HTTP/1.1"), 414),
    Row("endless target", b"GET /" + b"a" * 70000, 414),
    Row("unknown method, target of 9000 bytes", request(line=f"BREW /{'a' * 9000} HTTP/1.1"), 414),
    Row("unknown method, endless target", b"BREW /" + b"a" * 70000, 431),
    Row("endless empty lines", b"\r\n" * 33000, 431),
    Row("many empty lines and a request", b"\r\n" * 32768 + request(), 431),
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
    Row("empty lines before", b"\r\n" * 100 + request(), 101),
    Row("Content-Length: 00", request(("Content-Length", "00")), 101),
    Row("empty items in Upgrade", request(("Upgrade", ",websocket, ,")), 101),
    *(
        Row(f"{name}: {value!r}", request((name, value)), 101)
        for name in ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions")
        for value in ("a,,b", "a,", " ,\t, a", ",a , ,")
    ),
    *(
        Row(
            f"{name} twice, empty once",
            request(extra=f"{name}:\r\n{name}: a\r\n"),
            101,
        )
        for name in ("Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions")
    ),
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
    if row.sent.startswith(b"HEAD"):
        assert not body
    else:
        assert body
        assert header_of(head, "Content-Length") == str(len(body))
    # A client that is refused learns that it need not wait, nor send another request here.
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
    """The key and the accept key of RFC 6455, 1.3."""
    listener = Recorder()
    async with raw_client(lambda _: listener, security) as peer:
        await peer.send(request(("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")))
        head = await peer.read_head()
        assert header_of(head, "Sec-WebSocket-Accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    await listener.until("disconnected")


# The order: syntax and limits, then the factory, then method, version, Host and body, then the
# fields of an upgrade.


def answering(
    asked: list[WSUpgradeRequest],
) -> Callable[[WSUpgradeRequest], WSUpgradeResponseWithListener]:
    """Return a listener factory that answers every request itself, and records it."""

    def health(request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        asked.append(request)
        response = WSUpgradeResponse(status=200, body=b"fine")
        return WSUpgradeResponseWithListener(response, None)

    return health


@pytest.mark.parametrize("row", WELL_FORMED, ids=lambda row: row.name)
async def test_factory_sees_what_is_well_formed(row: Row, each_byte: bool) -> None:
    """It may answer any request, regardless of its method, version, Host or body."""
    asked: list[WSUpgradeRequest] = []
    async with raw_client(answering(asked)) as peer:
        await peer.send(row.sent, each_byte=each_byte)
        answer = await peer.read_to_end()
    assert status_of(answer) == 200
    head, _, body = answer.partition(b"\r\n\r\n")
    assert header_of(head, "Connection") == "close"
    (seen,) = asked
    assert body == (b"" if seen.method == b"HEAD" else b"fine")
    line = row.sent.partition(b"\r\n")[0]
    assert b" ".join((seen.method, seen.path, seen.version)) == line


@pytest.mark.parametrize("row", [*MALFORMED, *TOO_LARGE], ids=lambda row: row.name)
async def test_factory_does_not_see_the_rest(row: Row) -> None:
    asked: list[WSUpgradeRequest] = []
    async with raw_client(answering(asked)) as peer:
        await peer.send(row.sent)
        assert status_of(await peer.read_to_end()) == row.status
    assert asked == []


@pytest.mark.parametrize(
    "row", [row for row in WELL_FORMED if not row.is_for_upgrade], ids=lambda row: row.name
)
async def test_method_version_host_and_body_come_before_404(row: Row) -> None:
    async with raw_client(lambda _: None) as peer:
        await peer.send(row.sent)
        assert status_of(await peer.read_to_end()) == row.status


async def test_health_checks_over_tls_and_by_a_coroutine(security: Tls | None) -> None:
    """A body that arrives later is not read, and does not reset the connection."""
    asked: list[WSUpgradeRequest] = []
    answer_now = answering(asked)

    async def health(request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        await asyncio.sleep(0)
        return answer_now(request)

    async with raw_client(health, security) as peer:
        head = b"POST /health HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"
        await peer.send(head, bytes(100000))
        answer = await peer.read_to_end()
    assert status_of(answer) == 200
    assert answer.endswith(b"\r\n\r\nfine")
    assert [seen.method for seen in asked] == [b"POST"]


async def test_answers_may_be_used_again() -> None:
    """The body omitted in response to a HEAD is sent in response to the next GET."""
    response = WSUpgradeResponse.create_ok_response(b"fine")
    chosen = WSUpgradeResponseWithListener(response, None)
    for method, body in ((b"HEAD", b""), (b"GET", b"fine")):
        async with raw_client(lambda _: chosen) as peer:
            await peer.send(method + b" / HTTP/1.0\r\n\r\n")
            head, _, sent = (await peer.read_to_end()).partition(b"\r\n\r\n")
            assert (header_of(head, "Content-Length"), sent) == ("4", body)


async def test_factory_that_fails_with_any_request(caplog: pytest.LogCaptureFixture) -> None:
    def fail(request: WSUpgradeRequest) -> None:
        raise ZeroDivisionError

    async with raw_client(fail) as peer:
        await peer.send(b"HEAD / HTTP/1.0\r\n\r\n")
        answer = await peer.read_to_end()
    assert status_of(answer) == 500
    assert answer.endswith(b"\r\n\r\n")
    assert "ZeroDivisionError" in caplog.text


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
    """However slowly a request arrives, the deadline counts from the connection."""
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


async def test_deadline_with_empty_lines() -> None:
    async with raw_client(lambda _: Recorder(), websocket_handshake_timeout=0.1) as peer:

        async def drip() -> None:
            while True:
                await peer.send(b"\r\n")
                await asyncio.sleep(0.005)

        dripping = asyncio.ensure_future(drip())
        assert await peer.read_to_end() == b""
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)


CLIENT_HELLO = bytes.fromhex("16030100c8010000c40303")  # the first bytes of one


@pytest.mark.parametrize("sent", [b"", CLIENT_HELLO], ids=["nothing", "some"])
async def test_deadline_without_tls_handshake(tls: Tls, sent: bytes) -> None:
    """The deadline of a connection includes its TLS handshake."""
    factory = partial(ws_create_server, lambda _: Recorder(), "127.0.0.1", 0, ssl=tls.server)
    server = await factory(websocket_handshake_timeout=0.1)
    async with server, connecting(server.sockets[0].getsockname()[1]) as peer:
        await peer.send(sent)
        assert await peer.read_to_end() == b""


async def test_deadline_begins_when_the_connection_is_accepted(tls: Tls) -> None:
    """It does not start again after the TLS handshake."""
    server = await ws_create_server(
        lambda _: Recorder(), "127.0.0.1", 0, ssl=tls.server, websocket_handshake_timeout=0.6
    )
    port = server.sockets[0].getsockname()[1]
    async with server, connecting(port) as slow:
        await asyncio.sleep(0.3)  # so less time is left for the request
        await slow.writer.start_tls(tls.client, server_hostname="127.0.0.1")
        async with connecting(port) as later:
            ends = [asyncio.ensure_future(peer.read_to_end()) for peer in (slow, later)]
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            assert done == {ends[0]}
            assert await asyncio.gather(*ends) == [b"", b""]


async def test_request_after_slow_tls(tls: Tls) -> None:
    server = await ws_create_server(
        lambda _: Recorder(), "127.0.0.1", 0, ssl=tls.server, websocket_handshake_timeout=BOUND
    )
    async with server, connecting(server.sockets[0].getsockname()[1]) as peer:
        await asyncio.sleep(0.01)
        await peer.writer.start_tls(tls.client, server_hostname="127.0.0.1")
        await peer.send(request())
        assert status_of(await peer.read_head()) == 101


async def test_deadline_ends_with_the_handshake(security: Tls | None) -> None:
    listener = Recorder()
    async with raw_client(lambda _: listener, security, websocket_handshake_timeout=0.1) as peer:
        await peer.send(request())
        await peer.read_head()
        await asyncio.sleep(0.2)  # nothing must happen when it ends
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
