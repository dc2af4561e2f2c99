"""How connections are opened and accepted: asyncio's arguments, and a server with its methods."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.support.leaks import open_sockets
from tests.support.tls import Tls
from tests.wscore.programs import run
from tests.wscore.raw_peer import free_port
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.wire import CLOSE, TEXT
from wscore import (
    WSHandshakeError,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
    ws_create_server,
)
from wscore.socket_transport import SocketTransport

LOOPBACK = "127.0.0.1"


class Echo(WSListener):
    """Replies with what it got, and answers a CLOSE."""

    def on_ws_frame(self, transport: WSTransport, frame: Any) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        else:
            transport.send(frame.msg_type, frame.get_payload_as_bytes())


@contextlib.asynccontextmanager
async def serving(*address: Any, **options: Any) -> AsyncIterator[asyncio.Server]:
    server = await ws_create_server(lambda _: Echo(), *address, **options)
    try:
        yield server
    finally:
        server.close()
        async with asyncio.timeout(BOUND):
            await server.wait_closed()


def port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


async def talk(url: str, **options: Any) -> WSTransport:
    """Open a connection, send and get a message, and close it well."""
    listener = Recorder()
    transport, _ = await ws_connect(lambda: listener, url, **options)
    transport.send(WSMsgType.TEXT, "hello")
    await listener.until("frame")
    transport.send_close(1000)
    await listener.until("disconnected")
    assert [opcode for opcode, _ in listener.seen] == [TEXT, CLOSE]
    return transport


async def talk_to(server: asyncio.Server, host: str = LOOPBACK, **options: Any) -> WSTransport:
    return await talk(f"ws://{host}:{port_of(server)}/", **options)


# What a client may say about its socket


async def test_plain_connections_run_on_our_transport() -> None:
    async with serving(LOOPBACK, 0) as server:
        transport = await talk_to(server)
        assert isinstance(transport.underlying_transport, SocketTransport)


async def test_local_address() -> None:
    """The server sees where the client comes from."""
    seen = []

    class Asking(Echo):
        def on_ws_connected(self, transport: WSTransport) -> None:
            seen.append(transport.underlying_transport.get_extra_info("peername"))

    server = await ws_create_server(lambda _: Asking(), LOOPBACK, 0)
    async with server:
        local = (LOOPBACK, free_port())
        await talk_to(server, local_addr=local)
        assert seen == [local]


@pytest.mark.parametrize("family", [socket.AF_UNSPEC, socket.AF_INET])
async def test_family(family: int) -> None:
    async with serving(LOOPBACK, 0) as server:
        await talk_to(server, "localhost", family=family)


async def test_family_that_the_address_has_not() -> None:
    async with serving(LOOPBACK, 0) as server:
        with pytest.raises(OSError):
            await talk_to(server, family=socket.AF_INET6)


async def test_proto_and_flags() -> None:
    async with serving(LOOPBACK, 0) as server:
        await talk_to(server, proto=socket.IPPROTO_TCP, flags=socket.AI_NUMERICHOST)
        with pytest.raises(socket.gaierror):
            await talk_to(server, "localhost", flags=socket.AI_NUMERICHOST)


@pytest.mark.parametrize("delay", [None, 0.01, 0.25])
@pytest.mark.parametrize("interleave", [None, 1])
async def test_happy_eyeballs(delay: float | None, interleave: int | None) -> None:
    """A name with addresses of two families, of which only one answers."""
    async with serving(LOOPBACK, 0) as server:
        await talk_to(server, "localhost", happy_eyeballs_delay=delay, interleave=interleave)


async def test_connected_socket() -> None:
    async with serving(LOOPBACK, 0) as server:
        sock = socket.create_connection((LOOPBACK, port_of(server)))
        transport = await talk("ws://example.invalid/", sock=sock)
        assert transport.underlying_transport.get_extra_info("socket") is sock
        assert sock.fileno() == -1  # it belonged to the transport


async def test_refused_connection() -> None:
    before = open_sockets()
    with pytest.raises(ConnectionRefusedError):
        await talk(f"ws://{LOOPBACK}:{free_port()}/")
    assert open_sockets() == before


async def test_local_address_that_is_not_ours() -> None:
    async with serving(LOOPBACK, 0) as server:
        with pytest.raises(OSError):
            await talk_to(server, local_addr=("192.0.2.1", 0))


async def test_name_that_does_not_exist() -> None:
    with pytest.raises(socket.gaierror):
        await talk("ws://does-not-exist.invalid/")


async def test_cancelled_while_connecting() -> None:
    """A full backlog, so that the connection is never made."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind((LOOPBACK, 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        port = listener.getsockname()[1]
        task = asyncio.create_task(talk(f"ws://{LOOPBACK}:{port}/"))
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# What a server may be told


async def test_several_hosts() -> None:
    async with serving([LOOPBACK, "127.0.0.2"], 0) as server:
        hosts = {sock.getsockname()[0] for sock in server.sockets}
        assert hosts == {LOOPBACK, "127.0.0.2"}
        for sock in server.sockets:
            host, port = sock.getsockname()
            await talk(f"ws://{host}:{port}/")


async def test_all_interfaces() -> None:
    async with serving(None, 0) as server:
        for sock in server.sockets:
            host = "[::1]" if sock.family == socket.AF_INET6 else LOOPBACK
            with contextlib.suppress(OSError):  # where one of the two is switched off
                await talk(f"ws://{host}:{sock.getsockname()[1]}/")


async def test_family_of_a_server() -> None:
    async with serving("localhost", 0, family=socket.AF_INET) as server:
        assert {sock.family for sock in server.sockets} == {socket.AF_INET}


async def test_reuse_port() -> None:
    """Two servers at one port, and each of them is right for any client."""
    async with serving(LOOPBACK, 0, reuse_port=True) as first:
        port = port_of(first)
        async with serving(LOOPBACK, port, reuse_port=True) as second:
            assert port_of(second) == port
            for _ in range(5):
                await talk_to(first)


async def test_port_that_is_taken() -> None:
    before = open_sockets()
    async with serving(LOOPBACK, 0) as server:
        with pytest.raises(OSError):
            await ws_create_server(lambda _: Echo(), LOOPBACK, port_of(server))
    assert open_sockets() == before


async def test_given_listening_socket() -> None:
    with socket.socket() as sock:
        sock.bind((LOOPBACK, 0))
        address = sock.getsockname()
        async with serving(sock=sock) as server:
            assert server.sockets[0].getsockname() == address
            await talk_to(server)


async def test_given_listening_socket_stays_usable() -> None:
    """As with asyncio: programs ask it for its port."""
    sock = socket.socket()
    sock.bind((LOOPBACK, 0))
    address = sock.getsockname()
    async with serving(sock=sock):
        assert sock.getsockname() == address
        await talk(f"ws://{LOOPBACK}:{address[1]}/")


@pytest.mark.parametrize("backlog", [1, 2, 500])
async def test_backlog(backlog: int) -> None:
    async with serving(LOOPBACK, 0, backlog=backlog) as server:
        await asyncio.gather(*(talk_to(server) for _ in range(10)))


async def test_not_serving_at_first() -> None:
    async with serving(LOOPBACK, 0, start_serving=False) as server:
        assert not server.is_serving()
        with pytest.raises(ConnectionRefusedError):
            await talk_to(server)
        await server.start_serving()
        assert server.is_serving()
        await server.start_serving()
        await talk_to(server)


# The server's methods


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
    listener = Recorder()
    async with serving(LOOPBACK, 0) as server:
        transport, _ = await ws_connect(lambda: listener, f"ws://{LOOPBACK}:{port_of(server)}/")
    transport.send(WSMsgType.TEXT, "still there?")
    await listener.until("frame")
    transport.send_close(1000)
    await listener.until("disconnected")


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


# On what TLS runs


@pytest.mark.parametrize("use_aiofastnet", [True, False, None])
async def test_tls_on_either(tls: Tls, use_aiofastnet: bool | None) -> None:
    options = {"use_aiofastnet": use_aiofastnet}
    async with serving(LOOPBACK, 0, ssl=tls.server, **options) as server:
        url = f"wss://{LOOPBACK}:{port_of(server)}/"
        transport = await talk(url, ssl_context=tls.client, **options)
        assert transport.is_secure
        module = type(transport.underlying_transport).__module__
        assert module.startswith("aiofastnet") is (use_aiofastnet is True)


@pytest.mark.parametrize("use_aiofastnet", [True, False, None])
async def test_plain_connections_run_on_neither(use_aiofastnet: bool | None) -> None:
    async with serving(LOOPBACK, 0, use_aiofastnet=use_aiofastnet) as server:
        transport = await talk_to(server, use_aiofastnet=use_aiofastnet)
        assert isinstance(transport.underlying_transport, SocketTransport)


async def test_connected_socket_for_tls(tls: Tls) -> None:
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        sock = socket.create_connection((LOOPBACK, port_of(server)))
        sock.setblocking(False)
        await talk("wss://localhost/", sock=sock, ssl_context=tls.client)


async def test_plain_client_of_a_tls_server(tls: Tls) -> None:
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        with pytest.raises((WSHandshakeError, OSError)):
            await talk_to(server)


# Out of descriptors

EXHAUSTED = """
import asyncio, resource, socket, sys
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
