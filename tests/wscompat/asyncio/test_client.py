"""`connect`: its arguments, its exceptions, and that nothing is left of a failure."""

import asyncio
import contextlib
import socket
import ssl
from typing import Any

import pytest

from tests.support.leaks import LoopErrors
from tests.support.tls import Tls
from tests.wscompat.libraries import BOUND, WEBSOCKETS, WSCOMPAT, Library, port_of, serving, uri_of
from tests.wscompat.raw import ACCEPTED, raw_server
from wscompat.asyncio.client import ClientConnection, connect
from wscompat.exceptions import (
    ConnectionClosedError,
    InvalidHandshake,
    InvalidHeaderValue,
    InvalidMessage,
    InvalidStatus,
    InvalidURI,
)
from wscompat.http11 import USER_AGENT

ANSWERS = {
    "garbage": b"garbage\r\n\r\n",
    "nothing": b"",
    "half a status line": b"HTTP/1.1 404 Not",
    "404": b"HTTP/1.1 404 Not Found\r\nX: y\r\nContent-Length: 3\r\n\r\nabc",
    "200 to the end": b"HTTP/1.1 200 OK\r\n\r\nabc",
    "no Upgrade": b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\n\r\n",
    "no Connection": b"HTTP/1.1 101 X\r\nUpgrade: websocket\r\n\r\n",
    "wrong Upgrade": b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "wrong Connection": b"HTTP/1.1 101 X\r\nConnection: close\r\nUpgrade: websocket\r\n\r\n",
    "no accept": b"HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "wrong accept": ACCEPTED.replace(b"%KEY", b"d3Jvbmc=") + b"\r\n",
    "unrequested subprotocol": ACCEPTED + b"Sec-WebSocket-Protocol: a\r\n\r\n",
    "unrequested extension": ACCEPTED + b"Sec-WebSocket-Extensions: foo\r\n\r\n",
}
ANSWERS_TO_SUBPROTOCOLS = {
    "another one": ACCEPTED + b"Sec-WebSocket-Protocol: c\r\n\r\n",
    "another case": ACCEPTED + b"Sec-WebSocket-Protocol: A\r\n\r\n",
    "both": ACCEPTED + b"Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n\r\n",
}


async def failure(library: Library, uri: str, **options: Any) -> tuple[Any, ...]:
    """Return the exception of an attempt to connect."""
    with pytest.raises(Exception) as caught:
        await library.connect(uri, compression=None, proxy=None, **options)
    exc = caught.value
    attributes: dict[str, Any] = {
        key: str(value) for key, value in vars(exc).items() if key != "response"
    }
    response = getattr(exc, "response", None)
    if response is not None:
        attributes["body"] = bytes(response.body)
        attributes["headers"] = list(response.headers.raw_items())
        attributes["status"] = response.status_code
    return type(exc).__name__, str(exc), attributes


# -- what goes wrong


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
async def test_bad_answers(answer: bytes) -> None:
    async with raw_server(answer) as server:
        ours = await failure(WSCOMPAT, server.uri)
        assert ours == await failure(WEBSOCKETS, server.uri)
    assert server.received == b""


@pytest.mark.parametrize("answer", ANSWERS_TO_SUBPROTOCOLS.values(), ids=ANSWERS_TO_SUBPROTOCOLS)
async def test_bad_choices_of_a_subprotocol(answer: bytes) -> None:
    async with raw_server(answer) as server:
        ours = await failure(WSCOMPAT, server.uri, subprotocols=["a", "b"])
        assert ours == await failure(WEBSOCKETS, server.uri, subprotocols=["a", "b"])


@pytest.mark.parametrize(
    "uri",
    ["http://localhost/", "localhost", "ws://", "ws://localhost/#part", "wss://[::1", "ws://h:x"],
)
async def test_wrong_uri(uri: str) -> None:
    with pytest.raises(InvalidURI) as caught:
        await connect(uri)
    assert caught.value.uri == uri
    assert str(caught.value).startswith(f"{uri} isn't a valid URI: ")


async def test_refused_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        await connect(f"ws://127.0.0.1:{port}/")


async def test_unknown_host() -> None:
    with pytest.raises(OSError):
        await connect("ws://nowhere.invalid/")


async def test_server_that_is_no_websocket_server() -> None:
    async with raw_server(b"HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nhello") as server:
        with pytest.raises(InvalidStatus, match="HTTP 200") as caught:
            await connect(server.uri)
        response = caught.value.response
        assert (response.status_code, response.reason_phrase) == (200, "OK")
        assert (response.headers["x"], response.body) == ("y", b"hello")


async def test_wrong_accept_key() -> None:
    async with raw_server(ACCEPTED.replace(b"%KEY", b"d3Jvbmc=") + b"\r\n") as server:
        with pytest.raises(InvalidHeaderValue, match="invalid Sec-WebSocket-Accept header: d3Jv"):
            await connect(server.uri)


async def test_server_that_hangs_up() -> None:
    async with raw_server(b"") as server:
        with pytest.raises(InvalidMessage) as caught:
            await connect(server.uri)
        assert isinstance(caught.value, InvalidHandshake)


async def test_no_answer_in_time() -> None:
    async with raw_server(b"", stays=True) as server:
        ours = await failure(WSCOMPAT, server.uri, open_timeout=0.05)
        assert ours == await failure(WEBSOCKETS, server.uri, open_timeout=0.05)


async def test_cancelled_while_opening() -> None:
    async with raw_server(b"HTTP/1.1 101 ", stays=True) as server:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connect(server.uri), 0.05)


@pytest.mark.parametrize(
    ("uri", "options"),
    [("ws://127.0.0.1:1/", {"ssl": True}), ("wss://127.0.0.1:1/", {"ssl": None})],
)
async def test_tls_arguments_that_contradict_the_uri(uri: str, options: dict[str, Any]) -> None:
    assert await failure(WSCOMPAT, uri, **options) == await failure(WEBSOCKETS, uri, **options)


@pytest.mark.parametrize("name", ["ssl", "proxy_ssl"])
async def test_context_of_the_wrong_side(tls: Tls, name: str) -> None:
    """It is refused before there is a connection; by the model when there is one."""
    options: dict[str, Any] = {"proxy": "https://127.0.0.1:1" if name == "proxy_ssl" else None}
    with pytest.raises(ValueError, match=f"^{name} must be a context for a client"):
        await connect("wss://127.0.0.1:1/", **options, **{name: tls.server})
    with pytest.raises(TypeError, match=f"^{name} must be an SSLContext"):
        await connect("wss://127.0.0.1:1/", **options, **{name: "ca.pem"})


async def test_tls_with_an_unknown_authority(tls: Tls, no_leaks: LoopErrors) -> None:
    async with serving(WSCOMPAT, stay, ssl=tls.server) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(uri_of(server, secure=True))
        with pytest.raises(ssl.SSLCertVerificationError):
            await connect(uri_of(server, secure=True), ssl=tls.stranger)
    # The server's TLS library may report to the loop that a client gave up.
    no_leaks[:] = [error for error in no_leaks if "SSL handshake failed" not in error["message"]]


async def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="unsupported compression: lzma"):
        connect("ws://127.0.0.1/", compression="lzma")
    with pytest.raises(TypeError):
        connect("ws://127.0.0.1/", subprotocols="chat")
    with pytest.raises(TypeError):
        await connect("ws://127.0.0.1:1/", nonsense=True)


# -- what is sent


async def head_of_request(uri_path: str = "", **options: Any) -> list[str]:
    async with raw_server(ACCEPTED + b"Sec-WebSocket-Protocol: b\r\n\r\n", stays=True) as server:
        uri = f"ws://user:p%40ss@127.0.0.1:{server.port}/{uri_path}"
        connection = await connect(uri, subprotocols=["a", "b"], close_timeout=0.05, **options)
        assert connection.subprotocol == "b"
        await connection.close()
        (head,) = server.requests
    return head.decode("latin-1").split("\r\n")


async def test_request() -> None:
    lines = await head_of_request(
        "páth?query",
        origin="http://example.com",
        additional_headers=[("X-Own", "1"), ("X-Own", "2")],
    )
    assert lines[0] == "GET /p%C3%A1th?query HTTP/1.1"
    for line in (
        "Authorization: Basic dXNlcjpwQHNz",
        "Origin: http://example.com",
        "Sec-WebSocket-Protocol: a, b",
        "X-Own: 1",
        "X-Own: 2",
        f"User-Agent: {USER_AGENT}",
    ):
        assert lines.count(line) == 1, line


@pytest.mark.parametrize(
    "additional_headers", [{"X": 7}, [("X", 7), ("X", None)], {"X": 1.5, "Y": True}]
)
async def test_values_that_are_no_strings(additional_headers: Any) -> None:
    async def sent(library: Library) -> list[str]:
        async with raw_server(ACCEPTED + b"\r\n", stays=True) as server:
            uri = f"ws://127.0.0.1:{server.port}/"
            options: dict[str, Any] = {"additional_headers": additional_headers}
            await (await library.connect(uri, close_timeout=0.05, **options)).close()
        lines = server.requests[0].decode().split("\r\n")
        return [line for line in lines if line.startswith(("X", "Y"))]

    ours = await sent(WSCOMPAT)
    assert ours == await sent(WEBSOCKETS)
    assert len(ours) == len(additional_headers)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("Sec-WebSocket-Protocol: b,", ("b", [])),
        ("Sec-WebSocket-Protocol: , ,b", ("b", [])),
        ("Sec-WebSocket-Protocol:\t,b\t, ", ("b", [])),
        ("Sec-WebSocket-Extensions: permessage-deflate,", (None, ["permessage-deflate"])),
        ("Sec-WebSocket-Extensions: ,, permessage-deflate", (None, ["permessage-deflate"])),
    ],
)
@pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=repr)
async def test_lists_with_empty_items(
    library: Library, fields: str, expected: tuple[str | None, list[str]]
) -> None:
    """RFC 9110, 5.6.1.2."""
    async with raw_server(ACCEPTED + fields.encode() + b"\r\n\r\n", stays=True) as server:
        connection = await library.connect(server.uri, subprotocols=["a", "b"], close_timeout=0.05)
        extensions = [extension.name for extension in connection.protocol.extensions]
        assert (connection.subprotocol, extensions) == expected
        await connection.close()


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"user_agent_header": None}, []),
        ({"user_agent_header": "mine"}, ["User-Agent: mine"]),
        ({"additional_headers": {"User-Agent": "other"}}, ["User-Agent: other"]),
    ],
)
async def test_user_agent(options: dict[str, Any], expected: list[str]) -> None:
    lines = await head_of_request(**options)
    assert [line for line in lines if line.startswith("User-Agent")] == expected


# -- what is there afterwards


async def stay(connection: Any) -> None:
    await connection.wait_closed()


async def test_context_manager() -> None:
    async with serving(WSCOMPAT, stay) as server:
        async with connect(uri_of(server)) as connection:
            assert connection.state.name == "OPEN"
            assert [connection.close_code, connection.close_reason] == [None, None]
        assert connection.state.name == "CLOSED"
        assert connection.close_code == 1000
        with contextlib.suppress(ValueError):
            async with connect(uri_of(server)) as connection:
                raise ValueError
        assert connection.close_code == 1011


async def test_attributes() -> None:
    async with (
        serving(WSCOMPAT, stay) as server,
        connect(uri_of(server) + "path?query") as connection,
    ):
        assert isinstance(connection, ClientConnection)
        assert connection.remote_address == server.sockets[0].getsockname()
        assert connection.local_address[0] == "127.0.0.1"
        (other,) = server.connections
        assert connection.local_address == other.remote_address
        assert connection.request.path == "/path?query"
        assert connection.request.headers == other.request.headers
        assert connection.response.status_code == 101
        assert connection.response.headers == other.response.headers
        assert connection.subprotocol is other.subprotocol is None
        assert connection.id == connection.id != other.id
        assert connection.transport.get_extra_info("peername") == connection.remote_address
        assert connection.logger.name == "websockets.client"


async def test_another_host_and_port_than_in_the_uri() -> None:
    async with serving(WSCOMPAT, stay) as server:
        port = port_of(server)
        async with connect("ws://example.com/", host="127.0.0.1", port=port) as connection:
            assert connection.request.headers["Host"] == "example.com"


async def test_connected_socket() -> None:
    async with serving(WSCOMPAT, stay) as server:
        sock = socket.create_connection(server.sockets[0].getsockname())
        async with connect("ws://example.com/", sock=sock) as connection:
            assert connection.request.headers["Host"] == "example.com"


async def test_own_class_of_connection() -> None:
    class Own(ClientConnection):
        pass

    async with (
        serving(WSCOMPAT, stay) as server,
        connect(uri_of(server), create_connection=Own) as connection,
    ):
        assert isinstance(connection, Own)


async def test_tls(tls: Tls) -> None:
    async with serving(WSCOMPAT, stay, ssl=tls.server) as server:
        async with connect(uri_of(server, secure=True), ssl=tls.client) as connection:
            assert connection.transport.get_extra_info("ssl_object") is not None
        port = port_of(server)
        uri = f"wss://example.com:{port}/"
        async with connect(uri, host="127.0.0.1", server_hostname="localhost", ssl=tls.client):
            pass


async def test_server_that_never_ends_the_connection() -> None:
    async with raw_server(ACCEPTED + b"\r\n\x88\x02\x03\xe8", stays=True) as server:
        connection = await connect(server.uri, close_timeout=0.05)
        async with asyncio.timeout(BOUND):
            with pytest.raises(Exception, match="received 1000"):
                await connection.recv()


async def test_server_that_does_not_answer_a_close() -> None:
    async with raw_server(ACCEPTED + b"\r\n", stays=True) as server:
        connection = await connect(server.uri, close_timeout=0.05)
        async with asyncio.timeout(BOUND):
            await connection.close()
        with pytest.raises(ConnectionClosedError, match="no close frame received") as caught:
            await connection.recv()
        assert isinstance(caught.value.__cause__, TimeoutError)
        assert str(caught.value.__cause__) == "timed out while closing connection"


@pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=repr)
async def test_pings_that_are_not_answered(library: Library) -> None:
    async with raw_server(ACCEPTED + b"\r\n", stays=True) as server:
        connection = await library.connect(
            server.uri, compression=None, proxy=None, close_timeout=0.05
        )
        waiter = await connection.ping()
        ignored = await connection.ping()
        await connection.close()
        async with asyncio.timeout(BOUND):
            with pytest.raises(library.exceptions.ConnectionClosedError, match="sent 1000"):
                await waiter
        assert ignored.done()
