"""`serve`: the life of a server and of its connections, and how both end."""

import asyncio
import logging
import socket
import ssl
import struct
from pathlib import Path
from typing import Any

import pytest

from tests.support.leaks import LoopErrors
from tests.support.tls import Tls
from tests.wscompat.libraries import (
    BOUND,
    WEBSOCKETS,
    WSCOMPAT,
    Library,
    describe,
    port_of,
    serving,
    uri_of,
)
from tests.wscompat.raw import REQUEST, raw_client
from tests.wscore.wire import TEXT, F, close
from wscompat.asyncio.client import connect, unix_connect
from wscompat.asyncio.server import Server, ServerConnection, serve, unix_serve
from wscompat.exceptions import (
    ConnectionClosedError,
    InvalidMessage,
    InvalidStatus,
    ProtocolError,
)
from wscompat.http11 import SERVER

LIBRARIES = pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=repr)


async def stay(connection: Any) -> None:
    await connection.wait_closed()


async def end_of(connection: Any) -> str:
    """Return how a connection ends for a task that receives from it."""
    async with asyncio.timeout(BOUND):
        try:
            while True:
                await connection.recv()
        except Exception as exc:
            return describe(exc)


# -- connections


@LIBRARIES
async def test_connections(library: Library) -> None:
    async with serving(library, stay) as server:
        assert server.connections == set()
        connection = await connect(uri_of(server))
        async with asyncio.timeout(BOUND):
            while not server.connections:
                await asyncio.sleep(0)
        (other,) = server.connections
        assert other.remote_address == connection.local_address
        assert other.server is server
        await connection.close()
        await other.wait_closed()
        assert server.connections == set()


async def test_response() -> None:
    async with serving(WSCOMPAT, stay) as server, connect(uri_of(server)) as connection:
        assert connection.response.headers["Server"] == SERVER
        assert connection.response.headers["Date"].endswith(" GMT")
    async with (
        serving(WSCOMPAT, stay, server_header=None) as server,
        connect(uri_of(server)) as connection,
    ):
        assert "Server" not in connection.response.headers


async def test_own_class_of_connections() -> None:
    seen = []

    class Own(ServerConnection):
        pass

    async def note(connection: ServerConnection) -> None:
        seen.append(type(connection))

    async with serving(WSCOMPAT, note, create_connection=Own) as server:
        async with connect(uri_of(server)) as connection:
            await connection.wait_closed()
        assert seen == [Own]


@LIBRARIES
async def test_failing_handler(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    async def fail(connection: Any) -> None:
        raise RuntimeError("its own error")

    async with serving(library, fail) as server:
        connection = await connect(uri_of(server))
        assert await end_of(connection) == (
            "ConnectionClosedError: received 1011 (internal error); then sent 1011 (internal error)"
        )
    (record,) = (r for r in caplog.records if r.levelno >= logging.ERROR)
    assert record.name == "websockets.server"
    assert record.getMessage() == "connection handler failed"
    assert record.exc_info is not None
    assert "its own error" in str(record.exc_info[1])


async def test_cancelled_handler() -> None:
    async def give_up(connection: Any) -> None:
        raise asyncio.CancelledError

    async with serving(WSCOMPAT, give_up) as server:
        connection = await connect(uri_of(server))
        assert (await end_of(connection)).startswith("ConnectionClosedError: received 1011")


async def test_handler_cancelled_before_it_began() -> None:
    """The server closes the connection with the others, and does not wait for the handler."""

    class Cancelling(ServerConnection):
        def on_ws_connected(self, transport: Any) -> None:
            super().on_ws_connected(transport)
            self.server.handlers[self].cancel()

    async with serving(WSCOMPAT, stay, create_connection=Cancelling) as server:
        connection = await connect(uri_of(server))
        server.close()
        async with asyncio.timeout(BOUND):
            await connection.wait_closed()
            await server.wait_closed()
    assert connection.close_code == 1001
    assert server.handlers == {}


async def test_client_that_does_not_answer_a_close() -> None:
    async def leave(connection: Any) -> None:
        pass

    async with (
        serving(WSCOMPAT, leave, close_timeout=0.05) as server,
        raw_client(port_of(server), REQUEST + b"\r\n") as client,
    ):
        assert (await client.head()).startswith(b"HTTP/1.1 101 ")
        assert await client.rest() == b"\x88\x02\x03\xe8"


async def test_client_that_does_not_finish_its_request() -> None:
    async with (
        serving(WSCOMPAT, stay, open_timeout=0.05) as server,
        raw_client(port_of(server), REQUEST) as client,
    ):
        async with asyncio.timeout(BOUND):
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await client.reader.readexactly(1)


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01"], ids=["nothing", "some"])
@LIBRARIES
async def test_client_that_does_not_begin_tls(library: Library, sent: bytes, tls: Tls) -> None:
    async with (
        serving(library, stay, open_timeout=0.1, ssl=tls.server) as server,
        raw_client(port_of(server), sent) as client,
    ):
        assert await client.rest() == b""


async def test_endless_empty_lines() -> None:
    async with (
        serving(WSCOMPAT, stay) as server,
        raw_client(port_of(server), b"\r\n" * 40_000) as client,
    ):
        assert (await client.head()).startswith(b"HTTP/1.1 431 ")


async def test_context_of_the_wrong_side(tls: Tls) -> None:
    """It is refused at once; with the model every connection fails."""
    with pytest.raises(ValueError, match="ssl must be a context for a server"):
        await serve(stay, "127.0.0.1", 0, ssl=tls.client)


async def test_plain_client_of_a_tls_server(tls: Tls, no_leaks: LoopErrors) -> None:
    async with serving(WSCOMPAT, stay, ssl=tls.server) as server:
        port = port_of(server)
        with pytest.raises((OSError, InvalidMessage)):
            await connect(f"ws://127.0.0.1:{port}/", open_timeout=BOUND)
        with pytest.raises(ssl.SSLError):
            await connect(f"wss://127.0.0.1:{port}/")
    # The server's TLS library may report to the loop that a client gave up.
    no_leaks[:] = [error for error in no_leaks if "SSL handshake failed" not in error["message"]]


# -- the end of the server


@LIBRARIES
async def test_close(library: Library) -> None:
    async with serving(library, stay) as server:
        connection = await connect(uri_of(server))
        assert server.is_serving()
        server.close()
        server.close(code=1013)
        assert await end_of(connection) == (
            "ConnectionClosedOK: received 1001 (going away); then sent 1001 (going away)"
        )
        async with asyncio.timeout(BOUND):
            await server.wait_closed()
        assert not server.is_serving()
        assert not server.sockets
        assert server.connections == set()
        with pytest.raises(ConnectionRefusedError):
            await connect(uri_of_closed(connection))


def uri_of_closed(connection: Any) -> str:
    return f"ws://{connection.request.headers['Host']}/"


@pytest.mark.parametrize("arguments", [{"code": 5}, {"code": 1006}, {"reason": "x" * 124}])
async def test_close_with_what_cannot_be_sent(arguments: dict[str, Any]) -> None:
    """The server stays as it is, and can still be closed otherwise."""
    async with serving(WSCOMPAT, stay) as server, connect(uri_of(server)) as connection:
        with pytest.raises(ProtocolError):
            server.close(**arguments)
        assert server.is_serving()
        assert connection.state.name == "OPEN"


@LIBRARIES
async def test_close_with_code_and_reason(library: Library) -> None:
    async with serving(library, stay) as server:
        connection = await connect(uri_of(server))
        server.close(code=1012, reason="restart")
        assert await end_of(connection) == (
            "ConnectionClosedError: received 1012 (service restart) restart; "
            "then sent 1012 (service restart) restart"
        )


@LIBRARIES
async def test_close_without_the_connections(library: Library) -> None:
    release = asyncio.Event()

    async def finish(connection: Any) -> None:
        await release.wait()
        await connection.send("finished")

    async with serving(library, finish) as server:
        connection = await connect(uri_of(server))
        server.close(close_connections=False)
        closed = asyncio.ensure_future(server.wait_closed())
        await (await connection.ping())
        assert not closed.done()
        release.set()
        assert await connection.recv() == "finished"
        assert (await end_of(connection)).startswith("ConnectionClosedOK: received 1000")
        async with asyncio.timeout(BOUND):
            await closed


@LIBRARIES
async def test_close_while_a_handshake_is_under_way(library: Library) -> None:
    async with (
        serving(library, stay) as server,
        raw_client(port_of(server), REQUEST) as client,
    ):
        async with connect(uri_of(server)):
            pass  # so the one that came before is accepted too
        server.close()
        client.writer.write(b"\r\n")
        assert (await client.head()).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
        assert await client.rest() == b"Server is shutting down.\n"


@LIBRARIES
async def test_handshakes_under_way_are_waited_for(library: Library) -> None:
    """So that they are answered, even if the program ends then."""
    asked, decide = asyncio.Event(), asyncio.Event()

    async def process_request(*_: object) -> None:
        asked.set()
        await decide.wait()

    async with (
        serving(library, stay, process_request=process_request) as server,
        asyncio.timeout(BOUND),
    ):
        port = port_of(server)
        async with raw_client(port, REQUEST + b"\r\n") as client:
            await asked.wait()
            server.close()
            closed = asyncio.create_task(server.wait_closed())
            for _ in range(5):
                await asyncio.sleep(0)
            assert not closed.done()
            decide.set()
            assert (await client.head()).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
            await client.rest()
        await closed


@LIBRARIES
async def test_handlers_are_waited_for(library: Library) -> None:
    finished = []

    async def tidy_up(connection: Any) -> None:
        await connection.wait_closed()
        await asyncio.sleep(0)
        finished.append(connection)

    async with serving(library, tidy_up) as server:
        await connect(uri_of(server))
        async with asyncio.timeout(BOUND):
            while not server.connections:
                await asyncio.sleep(0)
    assert len(finished) == 1


@LIBRARIES
async def test_serve_forever(library: Library) -> None:
    server = await library.serve(stay, "127.0.0.1", 0)
    forever = asyncio.ensure_future(server.serve_forever())
    connection = await connect(uri_of(server))
    forever.cancel()
    assert (await end_of(connection)).startswith("ConnectionClosedOK: received 1001")
    async with asyncio.timeout(BOUND):
        with pytest.raises(asyncio.CancelledError):
            await forever
    assert not server.sockets


@LIBRARIES
async def test_serve_forever_until_it_is_closed(library: Library) -> None:
    server = await library.serve(stay, "127.0.0.1", 0)
    forever = asyncio.ensure_future(server.serve_forever())
    await asyncio.sleep(0)
    server.close()
    async with asyncio.timeout(BOUND):
        await forever
        await server.wait_closed()


@LIBRARIES
async def test_start_serving(library: Library) -> None:
    server = await library.serve(stay, "127.0.0.1", 0, start_serving=False)
    try:
        assert not server.is_serving()
        assert server.get_loop() is asyncio.get_running_loop()
        await server.start_serving()
        assert server.is_serving()
        async with connect(uri_of(server)):
            pass
    finally:
        server.close()
        await server.wait_closed()


async def test_context_manager(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serve(stay, "127.0.0.1", 0) as server:
        assert isinstance(server, Server)
        port = port_of(server)
        connection = await connect(uri_of(server))
    assert (await end_of(connection)).startswith("ConnectionClosedOK: received 1001")
    ours = [r.getMessage() for r in caplog.records if r.name == "websockets.server"]
    assert ours == [
        f"server listening on 127.0.0.1:{port}",
        "connection open",
        "server closing",
        "connection closed",
        "server closed",
    ]


async def test_not_started() -> None:
    with pytest.raises(RuntimeError, match="the server was not started"):
        serve(stay, "127.0.0.1", 0).server  # noqa: B018


async def test_address_in_use() -> None:
    async with serving(WSCOMPAT, stay) as server:
        with pytest.raises(OSError):
            await serve(stay, *server.sockets[0].getsockname())


async def test_unix_serve(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    for _ in range(2):  # the second time there is a socket already
        async with unix_serve(stay, path) as server:
            assert server.sockets[0].getsockname() == str(path)
            async with unix_connect(path) as connection:
                assert connection.remote_address == str(path)


async def test_unix_serve_where_there_is_something_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("keep me")
    with pytest.raises(OSError):
        await unix_serve(stay, path)
    assert path.read_text() == "keep me"


async def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="unsupported compression: lzma"):
        serve(stay, "127.0.0.1", 0, compression="lzma")
    with pytest.raises(TypeError):
        serve(stay, "127.0.0.1", 0, subprotocols="chat")
    with pytest.raises(TypeError):
        await serve(stay, "127.0.0.1", 0, nonsense=True)


# -- limits


@pytest.mark.parametrize("max_size", [10, (10, None), (10, 10), (None, 10), (100, 10)])
async def test_message_over_the_limit(max_size: Any) -> None:
    async def receive(connection: Any) -> None:
        assert await connection.recv() == "x" * 10
        with pytest.raises(ConnectionClosedError, match=r"sent 1009 \(message too big\)"):
            await connection.recv()

    async with serving(WSCOMPAT, receive, max_size=max_size) as server:
        connection = await connect(uri_of(server))
        await connection.send("x" * 10)
        await connection.send("x" * 11)
        assert "received 1009 (message too big)" in await end_of(connection)


async def test_fragments_over_the_limit() -> None:
    async with serving(WSCOMPAT, stay, max_size=(15, 10)) as server:
        connection = await connect(uri_of(server))
        await connection.send(["x" * 10, "x" * 10])
        assert "received 1009 (message too big)" in await end_of(connection)


async def test_unread_messages_slow_the_sender_down() -> None:
    sent = 0
    blocked = asyncio.Event()

    async def flood(connection: Any) -> None:
        nonlocal sent
        message = b"x" * 100_000
        for _ in range(400):
            sending = asyncio.ensure_future(connection.send(message))
            done, _ = await asyncio.wait([sending], timeout=0.5)
            if not done:
                blocked.set()
            await sending
            sent += 1

    async with serving(WSCOMPAT, flood, write_limit=2**16) as server:
        connection = await connect(uri_of(server), max_queue=4)
        async with asyncio.timeout(BOUND):
            await blocked.wait()
        assert 4 < sent < 400
        received = 0
        async for message in connection:
            received += len(message)
        assert received == 400 * 100_000


async def test_refused_upgrade_is_logged_and_answered() -> None:
    async with serving(WSCOMPAT, stay, origins=["http://example.com"]) as server:
        with pytest.raises(InvalidStatus, match="HTTP 403"):
            await connect(uri_of(server))


@pytest.mark.parametrize("library", [WEBSOCKETS, WSCOMPAT], ids=str)
@pytest.mark.parametrize("sent", [b"", b"\x81\x81\0\0\0\0a"], ids=["request", "message"])
async def test_client_that_resets_behind_its_request(
    library: Library, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """No handler could do anything for such a client, and no log needs it."""
    caplog.set_level("INFO")
    handled = []

    async def handler(connection: Any) -> None:
        handled.append(connection)
        await connection.recv()

    async with serving(library, handler) as server:
        for number in range(1, 4):
            client = socket.create_connection(server.sockets[0].getsockname())
            client.sendall(REQUEST + b"\r\n" + sent)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
            async with asyncio.timeout(BOUND):
                while caplog.messages.count("connection closed") < number:
                    await asyncio.sleep(0.001)
    assert handled == []
    assert [record for record in caplog.records if record.levelname != "INFO"] == []


async def receive(connection: Any) -> None:
    await connection.recv()


async def iterate(connection: Any) -> None:
    async for _ in connection:
        pass


async def send_and_receive(connection: Any) -> None:
    await connection.send("hello")
    await connection.recv()
    await connection.recv()


@pytest.mark.parametrize("handler", [receive, iterate, send_and_receive])
@pytest.mark.parametrize(
    "sent",
    [b"", F(TEXT, b"a").wire(True), close(1000).wire(True), F(TEXT, b"a").wire(True) * 3],
    ids=["nothing", "message", "CLOSE", "messages"],
)
async def test_client_that_leaves_right_behind_its_request(
    sent: bytes, handler: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """That the handler fails is nothing to report. (websockets does not run it then.)"""
    caplog.set_level("INFO")
    async with serving(WSCOMPAT, handler) as server:
        with socket.create_connection(server.sockets[0].getsockname()) as client:
            client.sendall(REQUEST + b"\r\n" + sent)
            client.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(BOUND):
                while "connection closed" not in caplog.messages:
                    await asyncio.sleep(0.001)
    assert [record for record in caplog.records if record.levelname != "INFO"] == []


async def test_failure_of_a_handler_whose_client_has_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nothing to report is only ConnectionClosed."""

    async def fail(connection: Any) -> None:
        raise ValueError("on purpose")

    async with serving(WSCOMPAT, fail) as server:
        with socket.create_connection(server.sockets[0].getsockname()) as client:
            client.sendall(REQUEST + b"\r\n")
            client.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(BOUND):
                while "connection handler failed" not in caplog.messages:
                    await asyncio.sleep(0.001)
