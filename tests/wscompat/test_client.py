"""The handshake of `ClientProtocol`, and when to connect again, compared with websockets."""

import itertools
import logging
from typing import Any

import pytest
import websockets.client
import websockets.exceptions
import websockets.http11

import wscompat.client
import wscompat.exceptions
import wscompat.http11
import wscompat.uri
import wscompat.utils
from tests.wscompat.sansio import (
    SPLITS,
    WEBSOCKETS,
    WSCOMPAT,
    frame,
    observe,
    pieces,
    plain,
    shake_hands,
)


def test_backoff() -> None:
    first, *others = itertools.islice(wscompat.client.backoff(), 20)
    assert 0 <= first < 5
    assert others == list(itertools.islice(websockets.client.backoff(), 20))[1:]
    assert list(itertools.islice(wscompat.client.backoff(0, 2, 10, 3), 6)) == [0, 2, 6, 10, 10, 10]


def exceptions(package: Any) -> list[Exception]:
    """Return failures of each kind."""
    raised = package.exceptions
    hung_up = raised.InvalidMessage("hung up")
    hung_up.__cause__ = EOFError()
    statuses = (302, 400, 404, 500, 501, 502, 503, 504, 505)
    responses = [package.http11.Response(status, "", {}) for status in statuses]
    return [
        OSError(),
        TimeoutError(),
        hung_up,
        raised.InvalidMessage("garbage"),
        raised.InvalidURI("uri", "why"),
        raised.SecurityError("why"),
        ValueError(),
        *(raised.InvalidStatus(response) for response in responses),
    ]


@pytest.mark.parametrize("index", range(16))
def test_process_exception(index: int) -> None:
    ours, model = exceptions(wscompat)[index], exceptions(websockets)[index]
    fatal = wscompat.client.process_exception(ours)
    assert fatal in (None, ours)
    assert (fatal is None) == (websockets.client.process_exception(model) is None)


# -- the opening handshake

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
USUAL = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": "%ACCEPT"}
ACCEPT, PROTOCOL = "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol"
EXTENSIONS = "Sec-WebSocket-Extensions"


def response(
    *changes: tuple[str, str], without: str = "", line: str = "HTTP/1.1 101 Switching Protocols"
) -> bytes:
    """Return a response: the usual fields, except those that are changed or left out."""
    changed = {name for name, _ in changes}
    kept = [(name, value) for name, value in USUAL.items() if name not in (*changed, without)]
    fields = "".join(f"{name}: {value}\r\n" for name, value in [*kept, *changes])
    accept = wscompat.utils.accept_key(KEY)
    return f"{line}\r\n{fields}\r\n".replace("%ACCEPT", accept).encode("latin-1")


def handshake(
    library: Any, data: bytes, split: str = "whole", uri: str = "ws://e.com/path", **options: Any
) -> list[Any]:
    """Send a request, and receive the answer; what there is to see of that."""
    if "deflate" in options:
        factory = library.deflate.ClientPerMessageDeflateFactory
        options["extensions"] = [factory(**settings) for settings in options.pop("deflate")]
    protocol = library.client.ClientProtocol(library.uri.parse_uri(uri), **options)
    protocol.key = KEY
    request = protocol.connect()
    protocol.send_request(request)
    record = [plain(request), observe(protocol, writes=protocol.data_to_send())]
    received: list[Any] = []
    for piece in pieces(data, split):
        protocol.receive_data(piece)
        received += protocol.events_received()
    record.append(observe(protocol, events=received, writes=protocol.data_to_send()))
    protocol.receive_data(frame("CLIENT", 1, b"hello"))
    received = protocol.events_received()
    record.append(observe(protocol, events=received, writes=protocol.data_to_send()))
    protocol.receive_eof()
    received = protocol.events_received()
    record.append(observe(protocol, events=received, writes=protocol.data_to_send()))
    return record


def same(data: bytes, split: str = "whole", **options: Any) -> list[Any]:
    """Assert that both libraries do the same."""
    ours, model = (handshake(library, data, split, **options) for library in (WSCOMPAT, WEBSOCKETS))
    assert ours == model
    return ours


NOT_FOUND = "HTTP/1.1 404 Not Found"
RESPONSES: dict[str, bytes] = {
    "usual": response(),
    "frame after it": response() + frame("CLIENT", 1, b"hello"),
    "wrong frame after it": response() + frame("CLIENT", 1, b"hello", rsv=4),
    "two Connection fields": response(("Connection", "x"), ("Connection", "upgrade")),
    "200": response(line="HTTP/1.1 200 OK"),
    "404": response(("Content-Length", "2"), line=NOT_FOUND) + b"no",
    "404 in chunks": response(("Transfer-Encoding", "chunked"), line=NOT_FOUND)
    + b"2\r\nno\r\n0\r\n\r\n",
    "404 too large": response(("Content-Length", "99999999"), line=NOT_FOUND),
    "no Connection": response(without="Connection"),
    "Connection": response(("Connection", "close")),
    "malformed Connection": response(("Connection", "(")),
    "no Upgrade": response(without="Upgrade"),
    "Upgrade": response(("Upgrade", "h2c")),
    "no accept": response(without=ACCEPT),
    "accept": response((ACCEPT, "x")),
    "two accepts": response((ACCEPT, "%ACCEPT"), (ACCEPT, "%ACCEPT")),
    "all wrong": response(("Connection", "x"), ("Upgrade", "y"), (ACCEPT, "z"), (PROTOCOL, "a")),
    "unasked for": response((PROTOCOL, "a"), (EXTENSIONS, "x")),
    "no HTTP": b"garbage\r\n",
    "half": b"HTTP/1.1 101",
    "nothing": b"",
    "129 fields": response(*((f"X-{i}", "y") for i in range(126))),
    "control character": response(("X", "\x01")),
}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", RESPONSES)
def test_response(name: str, split: str) -> None:
    same(RESPONSES[name], split)


@pytest.mark.parametrize("data", [b"x" * 9000, b"HTTP/1.1 101 OK\r\n" + b"x" * 9000])
def test_too_long(data: bytes) -> None:
    same(data)


@pytest.mark.parametrize(
    "options",
    [
        {"uri": "wss://user:secret@e.com:99"},
        {"uri": "ws://[::1]:80/?q"},
        {"uri": "wss://e.com", "origin": "http://x"},
        {"uri": "wss://u:p@e.com", "origin": "http://x", "subprotocols": ["a", "b"]},
        {"deflate": [{}]},
        {"deflate": [{"server_no_context_takeover": True, "client_max_window_bits": None}, {}]},
        {"subprotocols": []},
        {"max_size": (10, 5)},
    ],
    ids=str,
)
def test_request(options: dict[str, Any]) -> None:
    same(response(), **options)


@pytest.mark.parametrize("chosen", [[], ["a"], ["c"], ["a, b"], ["a", "b"], ["("]])
@pytest.mark.parametrize("offered", [None, ["b", "a"]])
def test_subprotocols(offered: Any, chosen: list[str]) -> None:
    same(response(*((PROTOCOL, value) for value in chosen)), subprotocols=offered)


@pytest.mark.parametrize(
    "answer",
    [
        "permessage-deflate",
        "another",
        "permessage-deflate; unknown",
        "permessage-deflate; client_max_window_bits=10",
        "permessage-deflate; client_max_window_bits=8",
        "permessage-deflate; server_max_window_bits=8; server_no_context_takeover",
        "permessage-deflate, permessage-deflate",
        "permessage-deflate;",
    ],
)
@pytest.mark.parametrize("deflate", [None, [{}], [{"server_no_context_takeover": True}, {}]])
def test_extensions(deflate: Any, answer: str) -> None:
    options = {} if deflate is None else {"deflate": deflate}
    same(response((EXTENSIONS, answer)), **options)


@pytest.mark.parametrize("name", ["usual", "404", "no accept", "no HTTP"])
def test_log(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logs = []
    for library in (WSCOMPAT, WEBSOCKETS):
        caplog.clear()
        handshake(library, RESPONSES[name])
        assert {record.name for record in caplog.records} == {"websockets.client"}
        logs.append([(record.levelname, record.getMessage()) for record in caplog.records])
    assert logs[0] == logs[1]


def test_both_sides() -> None:
    """A client of either library, and a server of the other one."""
    for one, other in ((WSCOMPAT, WEBSOCKETS), (WEBSOCKETS, WSCOMPAT)):
        client = one.client.ClientProtocol(
            one.uri.parse_uri("ws://e.com/"),
            extensions=one.deflate.enable_client_permessage_deflate(None),
            subprotocols=["chat"],
        )
        server = other.server.ServerProtocol(
            extensions=other.deflate.enable_server_permessage_deflate(None), subprotocols=["chat"]
        )
        shake_hands(client, server)
        assert client.state.name == server.state.name == "OPEN"
        assert client.subprotocol == server.subprotocol == "chat"
        client.send_text(b"compressed " * 100)
        (data,) = client.data_to_send()
        assert len(data) < 100
        server.receive_data(data)
        (message,) = server.events_received()
        assert message.data == b"compressed " * 100


def test_former_name() -> None:
    uri = wscompat.uri.parse_uri("ws://e.com/")
    with pytest.warns(DeprecationWarning, match="ClientConnection was renamed to ClientProtocol"):
        protocol = wscompat.client.ClientConnection(uri)
    assert isinstance(protocol, wscompat.client.ClientProtocol)
