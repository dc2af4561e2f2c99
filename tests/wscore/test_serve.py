"""Serving: routing, responses without upgrade, the arguments that are passed on, and closing."""

import asyncio
import logging
import socket
from typing import Any

import pytest

from tests.support.leaks import LoopErrors
from tests.support.tls import Tls
from tests.wscore.pairs import Setting, raw_client, serving
from tests.wscore.raw_peer import BOUND, connecting
from tests.wscore.recorder import Recorder
from tests.wscore.wire import TEXT, header_of, request, status_of
from wscore import (
    WSInvalidStatusError,
    WSListener,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_connect,
    ws_create_server,
)

PLAIN = Setting("server", None)


async def test_factory_routes(both: Setting) -> None:
    listeners = {b"/a": Recorder(), b"/b": Recorder()}

    def route(asked: WSUpgradeRequest) -> WSListener | None:
        return listeners.get(asked.path)

    async with serving(both, route) as port:
        for path in ("/a", "/b"):
            transport, _ = await ws_connect(Recorder, both.url(port, path), **both.client_options)
            await listeners[path.encode()].until("connected")
            transport.disconnect()
            await listeners[path.encode()].until("disconnected")
        with pytest.raises(WSInvalidStatusError) as caught:
            await ws_connect(Recorder, both.url(port, "/c"), **both.client_options)
    assert caught.value.response is not None
    assert caught.value.response.status == 404


async def test_health_check(security: Tls | None) -> None:
    """A response to a plain GET on the port of the WebSocket server."""
    health = WSUpgradeResponse.create_ok_response(b"fine\n", {"Cache-Control": "no-store"})
    chosen = WSUpgradeResponseWithListener(health, None)
    async with raw_client(lambda _: chosen, security) as peer:
        await peer.send(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
        answer = await peer.read_to_end()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert status_of(head) == 200
    assert header_of(head, "Cache-Control") == "no-store"
    assert body == b"fine\n"


@pytest.mark.parametrize(
    ("response", "status"),
    [
        (WSUpgradeResponse.create_error_response(403, b"no"), 403),
        (WSUpgradeResponse.create_error_response(503), 503),
        (WSUpgradeResponse.create_redirect_response(307, "ws://127.0.0.1:1/"), 307),
    ],
)
async def test_other_answers(response: WSUpgradeResponse, status: int) -> None:
    chosen = WSUpgradeResponseWithListener(response, None)
    async with raw_client(lambda _: chosen) as peer:
        await peer.send(request())
        assert status_of(await peer.read_to_end()) == status


async def test_own_fields_in_the_101(security: Tls | None) -> None:
    listener = Recorder()
    response = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Protocol": "b", "X": "1"})
    chosen = WSUpgradeResponseWithListener(response, listener)
    async with raw_client(lambda _: chosen, security) as peer:
        await peer.send(request(("Sec-WebSocket-Protocol", "a, b")))
        head = await peer.read_head()
        await listener.until("connected")
    await listener.until("disconnected")
    assert header_of(head, "Sec-WebSocket-Protocol") == "b"
    assert header_of(head, "X") == "1"
    assert listener.transport is not None
    assert listener.transport.response is response
    assert listener.transport.request.headers["Sec-WebSocket-Protocol"] == "a, b"


async def test_factory_that_raises(security: Tls | None, caplog: pytest.LogCaptureFixture) -> None:
    def factory(_: WSUpgradeRequest) -> WSListener:
        raise ZeroDivisionError("a secret of the server")

    async with raw_client(factory, security) as peer:
        await peer.send(request())
        answer = await peer.read_to_end()
    assert status_of(answer) == 500
    assert b"secret" not in answer
    (record,) = (r for r in caplog.records if r.name == "wscore.server" and r.exc_info)
    assert record.levelno == logging.ERROR


@pytest.mark.parametrize("chosen", [object(), "text", Recorder, 404])
async def test_factory_that_returns_something_else(chosen: object) -> None:
    async with raw_client(lambda _: chosen) as peer:
        await peer.send(request())
        assert status_of(await peer.read_to_end()) == 500


@pytest.mark.parametrize(
    "response",
    [
        WSUpgradeResponse.create_ok_response(b"", {"X": 5}),
        WSUpgradeResponse.create_ok_response("text"),
        WSUpgradeResponse(status=None),
        WSUpgradeResponse(headers=None, status=200, body=5),
        WSUpgradeResponse.create_101_response({"Sec-WebSocket-Extensions": 5}),
    ],
    ids=["number in a field", "text", "no status", "no body", "no extension"],
)
@pytest.mark.parametrize("later", [False, True])
async def test_answer_that_is_none(
    response: WSUpgradeResponse, later: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets a response, whatever the listener factory puts into it."""

    def factory(_: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        return WSUpgradeResponseWithListener(
            response, Recorder() if response.status == 101 else None
        )

    async def factory_that_waits(request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        return factory(request)

    async with raw_client(factory_that_waits if later else factory) as peer:
        await peer.send(request())
        assert status_of(await peer.read_to_end()) == 500
    assert [r.levelname for r in caplog.records if r.exc_info] == ["ERROR"]


async def test_answer_that_cannot_be_written() -> None:
    """A header field with a line end would let a client write the rest of the response."""
    response = WSUpgradeResponse.create_101_response({"X": "a\r\nY: b"})
    chosen = WSUpgradeResponseWithListener(response, Recorder())
    async with raw_client(lambda _: chosen) as peer:
        await peer.send(request())
        answer = await peer.read_to_end()
    assert status_of(answer) == 500
    assert b"Y: b" not in answer


# The arguments of asyncio's create_server


async def test_given_socket_that_cannot_listen() -> None:
    """Two sockets may be bound to one port, but only one may listen."""
    with socket.socket() as first, socket.socket() as second:
        for sock in (first, second):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(("127.0.0.1", 0 if sock is first else first.getsockname()[1]))
        first.listen()
        with pytest.raises(OSError, match="in use"):
            await ws_create_server(lambda _: Recorder(), sock=second)
        assert second.fileno() == -1


async def test_given_socket() -> None:
    listener = Recorder()
    bound = socket.create_server(("127.0.0.1", 0))
    port = bound.getsockname()[1]
    server = await ws_create_server(lambda _: listener, sock=bound)
    async with connecting(port) as peer:
        await peer.send(request())
        assert status_of(await peer.read_head()) == 101
    await listener.until("disconnected")
    server.close()
    await server.wait_closed()


async def test_several_hosts() -> None:
    listener = Recorder()
    server = await ws_create_server(lambda _: listener, ["127.0.0.1", "127.0.0.2"], 0)
    addresses = [sock.getsockname() for sock in server.sockets]
    assert sorted(host for host, _ in addresses) == ["127.0.0.1", "127.0.0.2"]
    for count, (host, port) in enumerate(addresses, 1):
        transport, _ = await ws_connect(Recorder, f"ws://{host}:{port}/")
        await listener.until("connected", count)
        transport.disconnect()
        await listener.until("disconnected", count)
    server.close()
    await server.wait_closed()


async def test_address_in_use() -> None:
    async with serving(PLAIN, lambda _: Recorder()) as port:
        with pytest.raises(OSError):
            await ws_create_server(lambda _: Recorder(), "127.0.0.1", port)


async def test_start_serving_later(both: Setting) -> None:
    listener = Recorder()
    server = await ws_create_server(
        lambda _: listener, "127.0.0.1", 0, start_serving=False, **both.server_options
    )
    assert not server.is_serving()
    await server.start_serving()
    assert server.is_serving()
    port = server.sockets[0].getsockname()[1]
    transport, _ = await ws_connect(Recorder, both.url(port), **both.client_options)
    transport.disconnect()
    await listener.until("disconnected")
    server.close()
    await server.wait_closed()
    assert not server.is_serving()


# Closing


async def test_open_connections_survive_the_server(both: Setting) -> None:
    at_server, at_client = Recorder(), Recorder()
    server = await ws_create_server(lambda _: at_server, "127.0.0.1", 0, **both.server_options)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await ws_connect(lambda: at_client, both.url(port), **both.client_options)
    await at_server.until("connected")
    server.close()
    with pytest.raises(OSError):
        await ws_connect(Recorder, both.url(port), **both.client_options)
    assert at_server.transport is not None
    at_server.transport.send(TEXT, "still here")
    await at_client.until("frame")
    transport.disconnect()
    await at_server.until("disconnected")
    async with asyncio.timeout(BOUND):
        await server.wait_closed()


async def test_a_request_to_a_closed_server(both: Setting) -> None:
    """The connection was accepted before, so its request still gets a response."""
    first = Recorder()
    server = await ws_create_server(lambda _: first, "127.0.0.1", 0, **both.server_options)
    port = server.sockets[0].getsockname()[1]
    context = both.tls.client if both.tls else None
    async with connecting(port, context) as late, connecting(port, context) as peer:
        await peer.send(request())  # accepted after the other one
        await first.until("connected")
        server.close()
        await late.send(request())
        assert status_of(await late.read_head()) == 503
        await late.read_to_end()
    await first.until("disconnected")
    async with asyncio.timeout(BOUND):
        await server.wait_closed()


class TimedLoop(asyncio.SelectorEventLoop):
    """Records the timers that are set."""

    def __init__(self) -> None:
        super().__init__()
        self.timers: list[asyncio.TimerHandle] = []

    def call_at(self, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:
        timer = super().call_at(*args, **kwargs)
        self.timers.append(timer)
        return timer

    def latest(self) -> float:
        return max(timer.when() for timer in self.timers if not timer.cancelled())


def test_handshakes_leave_no_timer() -> None:
    """A pending timer slows every iteration of the loop."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, TimedLoop)
        async with serving(PLAIN, lambda _: Recorder()) as port:
            transport, listener = await ws_connect(Recorder, PLAIN.url(port))
            began = loop.time()
            assert began < loop.latest() < began + 1
            await asyncio.sleep(loop.latest() - began)  # the timer fires, with nothing to do
            await asyncio.sleep(0)
            assert loop.latest() <= loop.time()
            transport.disconnect()
            await listener.until("disconnected")

    with asyncio.Runner(loop_factory=TimedLoop) as runner:
        runner.run(main())


async def test_serve_forever_until_cancelled(both: Setting) -> None:
    server = await ws_create_server(lambda _: Recorder(), "127.0.0.1", 0, **both.server_options)
    port = server.sockets[0].getsockname()[1]
    task = asyncio.ensure_future(server.serve_forever())
    await asyncio.sleep(0)
    assert server.is_serving()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not server.is_serving()
    with pytest.raises(ConnectionRefusedError):
        await ws_connect(Recorder, both.url(port), **both.client_options)


async def test_server_as_a_context(both: Setting) -> None:
    server = await ws_create_server(lambda _: Recorder(), "127.0.0.1", 0, **both.server_options)
    async with server:
        assert server.is_serving()
    assert not server.is_serving()
    server.close()


async def test_many_clients_at_once(both: Setting, no_leaks: LoopErrors) -> None:
    listeners: list[Recorder] = []

    def factory(_: WSUpgradeRequest) -> WSListener:
        listeners.append(Recorder(lambda transport, frame: transport.send(TEXT, "echo")))
        return listeners[-1]

    async with serving(both, factory) as port:
        clients = [Recorder() for _ in range(50)]
        made = await asyncio.gather(
            *(
                ws_connect(lambda c=c: c, both.url(port), **both.client_options)  # type: ignore[misc]
                for c in clients
            )
        )
        for transport, _ in made:
            transport.send(TEXT, "x")
        for client in clients:
            await client.until("frame")
            assert client.seen == [(TEXT, b"echo")]
        for transport, _ in made:
            transport.disconnect()
        for listener in listeners:
            await listener.until("disconnected")
    assert not no_leaks


async def test_every_silent_client_has_its_own_deadline() -> None:
    """One timer serves all of them, in order, even after one that was in time."""
    ended: list[int] = []
    listener = Recorder()
    server = await ws_create_server(
        lambda _: listener, "127.0.0.1", 0, websocket_handshake_timeout=0.2
    )
    address = server.sockets[0].getsockname()[:2]

    async def stay_silent(number: int) -> None:
        reader, writer = await asyncio.open_connection(*address)
        assert await reader.read() == b""
        ended.append(number)
        writer.close()

    async with server, asyncio.timeout(BOUND), asyncio.TaskGroup() as group:
        group.create_task(stay_silent(0))
        await asyncio.sleep(0.05)  # the deadlines must differ
        transport, _ = await ws_connect(Recorder, f"ws://127.0.0.1:{address[1]}/")
        await asyncio.sleep(0.05)
        group.create_task(stay_silent(2))
        await asyncio.sleep(0.05)
        group.create_task(stay_silent(3))
        while ended != [0, 2, 3]:
            await asyncio.sleep(0.01)
        assert listener.events == ["connected"]
        transport.disconnect()
        await listener.until("disconnected")
