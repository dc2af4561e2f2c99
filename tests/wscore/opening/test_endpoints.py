"""Opening and accepting connections: asyncio's arguments, and the methods of its servers."""

import asyncio
import contextlib
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.leaks import open_sockets
from tests.support.tls import Tls
from tests.wscore.raw_peer import free_port
from tests.wscore.servers import LOOPBACK, Echo, port_of, serving, talk, talk_to
from wscore import (
    WSHandshakeError,
    WSTransport,
    ws_create_server,
)
from wscore.sockets.socket_transport import SocketTransport
from wscore.tls.tls_transport import TlsTransport

# Arguments for a client's socket


async def test_plain_connections_run_on_our_transport() -> None:
    async with serving(LOOPBACK, 0) as server:
        transport = await talk_to(server)
        assert isinstance(transport.underlying_transport, SocketTransport)


async def test_local_address() -> None:
    """The server sees the client's local address."""
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
    """A name with addresses of two families, of which only one accepts."""
    async with serving(LOOPBACK, 0) as server:
        await talk_to(server, "localhost", happy_eyeballs_delay=delay, interleave=interleave)


async def test_connected_socket() -> None:
    async with serving(LOOPBACK, 0) as server:
        sock = socket.create_connection((LOOPBACK, port_of(server)))
        transport = await talk("ws://example.invalid/", sock=sock)
        assert transport.underlying_transport.get_extra_info("socket") is sock
        assert sock.fileno() == -1  # the transport owned it


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
    """With a full backlog the connection is never made."""
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


# Arguments for a server's sockets


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are not shown here")
@pytest.mark.parametrize(("host", "in_url"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_addresses_need_no_thread(host: str, in_url: str, loop: str) -> None:
    """Neither on the server nor on the client."""
    pytest.importorskip(loop)
    program = f"""
import asyncio, os, {loop}
from wscore import WSListener, ws_connect, ws_create_server

async def main():
    server = await ws_create_server(lambda _: WSListener(), "{host}", 0)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await ws_connect(WSListener, f"ws://{in_url}:{{port}}/")
    transport.disconnect()
    await transport.wait_disconnected()
    server.close()
    print(len(os.listdir("/proc/self/task")))

{loop}.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=30
    )
    assert done.stdout == "1\n"


async def test_port_as_text() -> None:
    """The resolver accepts one, and programs read it from their environment."""
    async with serving(LOOPBACK, "0") as server:  # type: ignore[arg-type]
        await talk(f"ws://{LOOPBACK}:{server.sockets[0].getsockname()[1]}/")


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
            with contextlib.suppress(OSError):  # where one of the two families is disabled
                await talk(f"ws://{host}:{sock.getsockname()[1]}/")


async def test_family_of_a_server() -> None:
    async with serving("localhost", 0, family=socket.AF_INET) as server:
        assert {sock.family for sock in server.sockets} == {socket.AF_INET}


async def test_reuse_port() -> None:
    """Two servers on one port, either of which may serve a client."""
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
    """As with asyncio: programs get its port from it."""
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
        if sys.platform == "linux":
            told = server.sockets[0].getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 32)
            # The field tcpi_sacked, which for a listening socket is the backlog.
            assert int.from_bytes(told[28:32], sys.byteorder) == backlog


async def test_not_serving_at_first() -> None:
    async with serving(LOOPBACK, 0, start_serving=False) as server:
        assert not server.is_serving()
        with pytest.raises(ConnectionRefusedError):
            await talk_to(server)
        await server.start_serving()
        assert server.is_serving()
        await server.start_serving()
        await talk_to(server)


# TLS


@pytest.mark.parametrize("use_aiofastnet", [True, False, None])
async def test_tls_runs_on_our_transport(tls: Tls, use_aiofastnet: bool | None) -> None:
    """Regardless of `use_aiofastnet`, which programs written for picows may pass."""
    options = {"use_aiofastnet": use_aiofastnet}
    async with serving(LOOPBACK, 0, ssl=tls.server, **options) as server:
        url = f"wss://{LOOPBACK}:{port_of(server)}/"
        transport = await talk(url, ssl_context=tls.client, **options)
        assert transport.is_secure
        assert isinstance(transport.underlying_transport, TlsTransport)


@pytest.mark.parametrize("argument", [{"server_hostname": "a"}, {"ssl_handshake_timeout": 1}])
async def test_what_is_for_tls_needs_tls(argument: dict[str, object]) -> None:
    (name,) = argument
    async with serving(LOOPBACK, 0) as server:
        with pytest.raises(ValueError, match=f"{name} requires ssl"):
            await talk(f"ws://{LOOPBACK}:{port_of(server)}/", **argument)


async def test_connected_socket_for_tls(tls: Tls) -> None:
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        sock = socket.create_connection((LOOPBACK, port_of(server)))
        sock.setblocking(False)
        await talk("wss://localhost/", sock=sock, ssl_context=tls.client)


async def test_plain_client_of_a_tls_server(tls: Tls) -> None:
    async with serving(LOOPBACK, 0, ssl=tls.server) as server:
        with pytest.raises((WSHandshakeError, OSError)):
            await talk_to(server)
