"""The server that accepts connections itself: the methods of `asyncio.Server`, and its troubles."""

import asyncio
import contextlib
import socket
import sys
from pathlib import Path

import pytest

from tests.support.skips import lacking
from tests.support.tls import Tls
from tests.wscore.programs import run
from tests.wscore.raw_peer import connecting, sending_on
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.servers import LOOPBACK, Echo, port_of, serving, talk, talk_to
from tests.wscore.socket_pairs import pattern
from tests.wscore.wire import BINARY, F, request
from wscore import WSListener, WSMsgType, ws_connect, ws_create_server


async def test_life_of_a_server() -> None:
    server = await ws_create_server(lambda _: Echo(), LOOPBACK, 0)
    assert server.is_serving()
    assert server.get_loop() is asyncio.get_running_loop()
    assert len(server.sockets) == 1
    port = port_of(server)
    await talk_to(server)
    server.close()
    assert not server.is_serving()
    assert server.sockets == ()
    server.close()
    await server.wait_closed()
    await server.wait_closed()
    with pytest.raises(ConnectionRefusedError):
        await talk(f"ws://{LOOPBACK}:{port}/")
    with pytest.raises(RuntimeError):
        await server.start_serving()
    with pytest.raises(RuntimeError):
        await server.serve_forever()


async def test_wait_closed_waits() -> None:
    server = await ws_create_server(lambda _: Echo(), LOOPBACK, 0)
    waiting = asyncio.create_task(server.wait_closed())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    server.close()
    async with asyncio.timeout(BOUND):
        await waiting


async def test_server_as_a_context_manager() -> None:
    server = await ws_create_server(lambda _: Echo(), LOOPBACK, 0)
    async with server as entered:
        assert entered is server
        await talk_to(server)
    assert not server.is_serving()
    assert server.sockets == ()


@pytest.mark.parametrize("start_serving", [True, False])
async def test_serve_forever_until_cancelled(start_serving: bool) -> None:
    server = await ws_create_server(lambda _: Echo(), LOOPBACK, 0, start_serving=start_serving)
    task = asyncio.create_task(server.serve_forever())
    while not server.is_serving():
        await asyncio.sleep(0)
    await talk_to(server)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not server.is_serving()
    await server.wait_closed()


async def test_serve_forever_until_closed() -> None:
    """As with asyncio, the task that serves is cancelled."""
    server = await ws_create_server(lambda _: Echo(), LOOPBACK, 0)
    task = asyncio.create_task(server.serve_forever())
    await asyncio.sleep(0)
    server.close()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_open_connections_outlive_the_server() -> None:
    """They go on, and whoever waits for the server waits for them."""
    listener = Recorder()
    async with serving(LOOPBACK, 0) as server:
        transport, _ = await ws_connect(lambda: listener, f"ws://{LOOPBACK}:{port_of(server)}/")
        server.close()
        closed = asyncio.create_task(server.wait_closed())
        transport.send(WSMsgType.TEXT, "still there?")
        await listener.until("frame")
        assert not closed.done()
        transport.send_close(1000)
        await listener.until("disconnected")
        async with asyncio.timeout(BOUND):
            await closed


async def test_a_cancelled_wait_is_one_of_many() -> None:
    server = await ws_create_server(lambda _: Echo(), LOOPBACK, 0)
    first, second = (asyncio.create_task(server.wait_closed()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    server.close()
    async with asyncio.timeout(BOUND):
        await second
    assert first.cancelled()


@pytest.mark.parametrize("method", ["close_clients", "abort_clients"])
async def test_closing_the_sockets_of_all_clients(method: str, security: Tls | None) -> None:
    listeners = [Recorder() for _ in range(3)]
    scheme, context = ("ws", None) if security is None else ("wss", security.client)
    async with serving(LOOPBACK, 0, ssl=security and security.server) as server:
        url = f"{scheme}://{LOOPBACK}:{port_of(server)}/"
        for listener in listeners:
            await ws_connect(lambda listener=listener: listener, url, ssl_context=context)
        server.close()
        getattr(server, method)()
        async with asyncio.timeout(BOUND):
            await server.wait_closed()
        for listener in listeners:
            await listener.until("disconnected")
            assert listener.seen == []  # below WebSocket: no CLOSE


async def test_closing_the_sockets_of_clients_that_are_sending(security: Tls | None) -> None:
    """They get all that was sent to them before."""
    payload = pattern(300_000)
    listener = Recorder()
    server = await ws_create_server(
        lambda _: listener, LOOPBACK, 0, ssl=security and security.server
    )
    async with connecting(port_of(server), security and security.client) as peer:
        await peer.send(request())
        await peer.read_head()
        async with sending_on(peer, F(BINARY, bytes(10_000))):
            await listener.until("frame", 5)
            assert listener.transport is not None
            listener.transport.send(WSMsgType.BINARY, payload)
            server.close()
            server.close_clients()
            seen = len(listener.frames)
            assert (await peer.read_frame()).payload == payload
            assert await peer.read_to_end() == b""
    async with asyncio.timeout(BOUND):
        await server.wait_closed()
    assert len(listener.frames) == seen


async def test_listener_that_closes_the_server() -> None:
    """From within the very callback that accepts and reads."""
    servers: list[asyncio.Server] = []

    def factory(_: object) -> WSListener:
        servers[0].close()
        return Echo()

    servers.append(await ws_create_server(factory, LOOPBACK, 0))
    await talk_to(servers[0])
    assert not servers[0].is_serving()


async def test_many_connections_at_once() -> None:
    async with serving(LOOPBACK, 0) as server:
        await asyncio.gather(*(talk_to(server) for _ in range(100)))


@pytest.mark.skipif(sys.platform != "linux", reason=lacking("a backlog as long as Linux has it"))
async def test_clients_that_come_before_the_loop_turns() -> None:
    """They wait in the system, which drops none of them: each would try again a second later."""
    count = 300
    if int(Path("/proc/sys/net/core/somaxconn").read_text()) < count:
        pytest.skip(lacking("the right to so long a backlog"))
    async with serving(LOOPBACK, 0) as server:
        address = server.sockets[0].getsockname()
        with contextlib.ExitStack() as closing:
            socks = [
                closing.enter_context(socket.create_connection(address, timeout=0.5))
                for _ in range(count)
            ]
            url = f"ws://{LOOPBACK}:{address[1]}/"
            async with asyncio.timeout(BOUND):
                await asyncio.gather(*(talk(url, sock=sock) for sock in socks))


# Out of descriptors

EXHAUSTED = """
import asyncio, resource, socket, sys
import encodings.idna  # uvloop resolves with it, and cannot import it without a descriptor
from wscore import WSHandshakeError, WSListener, WSMsgType, ws_connect, ws_create_server

class Echo(WSListener):
    def on_ws_frame(self, transport, frame):
        transport.send(frame.msg_type, frame.get_payload_as_bytes())

class Client(WSListener):
    def __init__(self):
        self.replied = asyncio.Event()
    def on_ws_frame(self, transport, frame):
        self.replied.set()

async def main():
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    contexts = []
    loop.set_exception_handler(lambda _, context: (contexts.append(context), told.set()))
    server = await ws_create_server(lambda _: Echo(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sock = socket.socket()
    sock.setblocking(False)
    taken = []
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    highest = max(sock.fileno(), server.sockets[0].fileno())
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 4, hard))
    try:
        while True:
            taken.append(socket.socket())
    except OSError:
        pass
    await loop.sock_connect(sock, ("127.0.0.1", port))
    await told.wait()
    print(contexts[0]["message"], type(contexts[0]["exception"]).__name__)
    for _ in range(10):
        await asyncio.sleep(0)
    print(len(contexts))
    for one in taken:
        one.close()
    transport, client = await ws_connect(Client, f"ws://127.0.0.1:{port}/", sock=sock)
    transport.send(WSMsgType.TEXT, "hello")
    await client.replied.wait()
    print("served")
    transport.disconnect()
    await transport.wait_disconnected()
    server.close()
    await server.wait_closed()

if sys.argv[1] == "uvloop":
    import uvloop
    factory = uvloop.new_event_loop
else:
    factory = asyncio.new_event_loop
with asyncio.Runner(loop_factory=factory) as runner:
    runner.run(main())
"""


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_out_of_descriptors(loop: str) -> None:
    """It is said once, the loop does not spin, and the waiting client is served in the end."""
    lines = asyncio.run(run("-c", EXHAUSTED, loop))
    assert lines == ["accepting connections failed, trying again OSError", "1", "served"]
