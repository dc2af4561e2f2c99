"""The opening handshake of `ServerProtocol`, compared with that of websockets."""

import logging
import re
from typing import Any

import pytest

from tests.wscompat.sansio import (
    SPLITS,
    WEBSOCKETS,
    WSCOMPAT,
    describe,
    frame,
    observe,
    pieces,
    plain,
)

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
USUAL = {
    "Host": "example.com",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}
ORIGIN, PROTOCOL = "Origin", "Sec-WebSocket-Protocol"
EXTENSIONS = "Sec-WebSocket-Extensions"


def request(
    *changes: tuple[str, str], without: str = "", line: str = "GET /path?query HTTP/1.1"
) -> bytes:
    """Return a request: the usual fields, except those that are changed or left out."""
    changed = {name for name, _ in changes}
    kept = [(name, value) for name, value in USUAL.items() if name not in (*changed, without)]
    fields = "".join(f"{name}: {value}\r\n" for name, value in [*kept, *changes])
    return f"{line}\r\n{fields}\r\n".encode("latin-1")


def handshake(library: Any, data: bytes, split: str = "whole", **options: Any) -> list[Any]:
    """Receive a request, and answer it; what there is to see of that."""
    if "deflate" in options:
        settings = options.pop("deflate")
        options["extensions"] = [library.deflate.ServerPerMessageDeflateFactory(**settings)]
    protocol = library.server.ServerProtocol(**options)
    received: list[Any] = []
    for piece in pieces(data, split):
        protocol.receive_data(piece)
        received += protocol.events_received()
    record = [observe(protocol, events=received, writes=protocol.data_to_send())]
    if received:
        response = protocol.accept(received[0])
        record += [plain(response), observe(protocol)]
        with pytest.warns(DeprecationWarning, match=r"Request.exception is deprecated"):
            record.append(describe(received[0].exception))
        protocol.send_response(response)
        record.append(observe(protocol, writes=protocol.data_to_send()))
        frames = frame("SERVER", 1, b"hello")
        protocol.receive_data(frames)
        received = protocol.events_received()
        record.append(observe(protocol, events=received, writes=protocol.data_to_send()))
    protocol.receive_eof()
    record.append(observe(protocol, writes=protocol.data_to_send()))
    return record


def same(data: bytes, split: str = "whole", **options: Any) -> list[Any]:
    """Assert that both libraries do the same."""
    ours, model = (handshake(library, data, split, **options) for library in (WSCOMPAT, WEBSOCKETS))
    assert ours == model
    return ours


REQUESTS: dict[str, bytes] = {
    "usual": request(),
    "keep-alive, Upgrade": request(("Connection", "keep-alive, Upgrade")),
    "two Connection fields": request(("Connection", "x"), ("Connection", "upgrade")),
    "Upgrade in capitals": request(("Upgrade", "WebSocket")),
    "method": request(line="POST / HTTP/1.1"),
    "HTTP/1.0": request(line="GET / HTTP/1.0"),
    "HTTP/2": request(line="GET / HTTP/2"),
    "no version": request(line="GET /"),
    "two spaces": request(line="GET  / HTTP/1.1"),
    "no text": b"\xff\xfe\r\n\r\n",
    "path": request(line="GET /é HTTP/1.1"),
    "no Connection": request(without="Connection"),
    "Connection": request(("Connection", "keep-alive")),
    "malformed Connection": request(("Connection", "???(")),
    "no Upgrade": request(without="Upgrade"),
    "Upgrade": request(("Upgrade", "h2c")),
    "two protocols": request(("Upgrade", "h2c, WebSocket")),
    "no key": request(without="Sec-WebSocket-Key"),
    "short key": request(("Sec-WebSocket-Key", "c2hvcnQ=")),
    "key without padding": request(("Sec-WebSocket-Key", "abc")),
    "key that is no base64": request(("Sec-WebSocket-Key", "!!!!")),
    "two keys": request(("Sec-WebSocket-Key", KEY), ("Sec-WebSocket-Key", KEY)),
    "no WebSocket version": request(without="Sec-WebSocket-Version"),
    "version": request(("Sec-WebSocket-Version", "8")),
    "two versions": request(("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Version", "13")),
    "no Host": request(without="Host"),
    "origin": request((ORIGIN, "http://a")),
    "subprotocol": request((PROTOCOL, "a, b")),
    "malformed subprotocol": request((PROTOCOL, "a(")),
    "body": request(("Content-Length", "3")),
    "empty body": request(("Content-Length", "0")),
    "chunked": request(("Transfer-Encoding", "chunked")),
    "name": request(("X Y", "z")),
    "control character": request(("X", "\x01")),
    "not ASCII": request(("X", "é")),
    "no colon": request().replace(b"Host: ", b"Host"),
    "folded": request().replace(b"Host: e", b"Host: \r\n e"),
    "line feeds": request().replace(b"\r\n", b"\n"),
    "one line feed": request().replace(b"com\r\n", b"com\n"),
    "128 fields": request(*((f"X-{i}", "y") for i in range(123))),
    "129 fields": request(*((f"X-{i}", "y") for i in range(124))),
}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", REQUESTS)
def test_request(name: str, split: str) -> None:
    same(REQUESTS[name], split)


@pytest.mark.parametrize(
    "data", [b"GET /" + b"x" * 9000, request(("X", "y" * 9000))], ids=["path", "field"]
)
def test_too_long(data: bytes) -> None:
    record = same(data)
    assert record[0]["sent"][0].startswith(("HTTP/1.1 414 ", "HTTP/1.1 431 "))


@pytest.mark.parametrize("size", [0, 5, 20, len(request()) - 1, len(request())])
def test_end(size: int) -> None:
    def end(library: Any) -> Any:
        protocol = library.server.ServerProtocol()
        protocol.receive_data(request()[:size])
        protocol.receive_eof()
        writes, events = protocol.data_to_send(), protocol.events_received()
        return observe(protocol, writes=writes, events=events)

    assert end(WSCOMPAT) == end(WEBSOCKETS)


def test_frames_behind_the_request() -> None:
    data = request() + frame("SERVER", 1, b"hasty", fin=False) + frame("SERVER", 0, b"x")
    record = same(data)
    assert [name for name, _ in record[0]["events"]] == ["Request", "Frame", "Frame"]


def test_compressed_frames_behind_the_request() -> None:
    """No extension is in use yet, so that they are wrong, even if one will be."""
    offer = request((EXTENSIONS, "permessage-deflate"))
    protocol = WSCOMPAT.server.ServerProtocol(
        extensions=[WSCOMPAT.deflate.ServerPerMessageDeflateFactory()]
    )
    protocol.receive_data(offer + frame("SERVER", 1, b"x", rsv=4))
    assert describe(protocol.parser_exc) == "ProtocolError: reserved bits must be 0"


@pytest.mark.parametrize("sent", ["http://a", "http://abc", "http://c", None, ("x", "x")])
@pytest.mark.parametrize(
    "origins",
    [None, [], [None], ["http://a"], ["http://a", None], [re.compile("http://a.*"), "http://c"]],
)
def test_origins(origins: Any, sent: Any) -> None:
    values = sent if isinstance(sent, tuple) else [] if sent is None else [sent]
    same(request(*((ORIGIN, value) for value in values)), origins=origins)


@pytest.mark.parametrize("offered", [[], ["a"], ["a, b"], ["a", "b"], ["c"], ["a("]])
@pytest.mark.parametrize("supported", [None, [], ["b"], ["b", "a"], ["d", "e"]])
def test_subprotocols(supported: Any, offered: list[str]) -> None:
    same(request(*((PROTOCOL, value) for value in offered)), subprotocols=supported)


def test_select_subprotocol(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Any] = []

    def first(protocol: Any, subprotocols: Any) -> Any:
        seen.append((type(protocol).__name__, list(subprotocols)))
        return subprotocols[0]

    def fail(protocol: Any, subprotocols: Any) -> Any:
        raise RuntimeError("no idea")

    data = request((PROTOCOL, "a, b"))
    same(data, select_subprotocol=first)
    assert seen == [("ServerProtocol", ["a", "b"])] * 2
    same(data, subprotocols=["x"], select_subprotocol=lambda protocol, names: None)
    same(data, subprotocols=["x"], select_subprotocol=lambda protocol, names: "y")
    same(data, select_subprotocol=fail)
    messages = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert messages == ["opening handshake failed"] * 2


@pytest.mark.parametrize(
    "offer",
    [
        "permessage-deflate",
        "permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=10; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=8, permessage-deflate",
        "permessage-deflate, permessage-deflate",
        "permessage-deflate; unknown",
        "another, permessage-deflate; server_no_context_takeover",
        "permessage-deflate;=",
    ],
)
@pytest.mark.parametrize("deflate", [None, {}, {"client_max_window_bits": 12}])
def test_extensions(deflate: Any, offer: str) -> None:
    options = {} if deflate is None else {"deflate": deflate}
    same(request((EXTENSIONS, offer)), **options)


@pytest.mark.parametrize("status", [404, 200, 503, 599])
def test_reject(status: int, caplog: pytest.LogCaptureFixture) -> None:
    records = []
    for library in (WSCOMPAT, WEBSOCKETS):
        caplog.clear()
        protocol = library.server.ServerProtocol()
        protocol.receive_data(request())
        protocol.events_received()
        try:
            response = protocol.reject(status, "né\n")
        except ValueError as exc:
            records.append([describe(exc)])
            continue
        response.headers["X"] = "y"
        protocol.send_response(response)
        record = [observe(protocol, writes=protocol.data_to_send())]
        protocol.receive_data(b"more")
        protocol.receive_eof()
        record.append(observe(protocol, writes=protocol.data_to_send()))
        lines = [(entry.levelname, entry.getMessage()) for entry in caplog.records]
        record.append([line for line in lines if "Date" not in line[1]])
        records.append(record)
    assert records[0] == records[1]


@pytest.mark.parametrize("name", ["usual", "Upgrade", "method", "HTTP/1.0", "no key", "body"])
def test_log(name: str, caplog: pytest.LogCaptureFixture) -> None:
    logs = []
    for library in (WSCOMPAT, WEBSOCKETS):
        caplog.clear()
        handshake(library, REQUESTS[name])
        assert {record.name for record in caplog.records} == {"websockets.server"}
        logs.append(
            [
                (record.levelname, record.getMessage())
                for record in caplog.records
                if "Date" not in record.getMessage()
            ]
        )
    assert logs[0] == logs[1]


def test_quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    handshake(WSCOMPAT, request())
    assert [record.getMessage() for record in caplog.records] == [
        "connection open",
        "connection closed",
    ]


def test_former_name() -> None:
    with pytest.warns(DeprecationWarning, match="ServerConnection was renamed to ServerProtocol"):
        protocol = WSCOMPAT.server.ServerConnection()
    assert isinstance(protocol, WSCOMPAT.server.ServerProtocol)
