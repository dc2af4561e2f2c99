"""Connecting to addresses without a resolver, and to names, at once and after a wait."""

import asyncio
import contextlib
import errno
import socket
import threading
from collections.abc import Iterator

import pytest

from tests.support.leaks import open_sockets
from tests.wscore.raw_peer import free_port
from tests.wscore.recorder import BOUND
from tests.wscore.servers import LOOPBACK
from wscore.opening.tcp import CONNECTING_ARGUMENTS, connect_socket, prepare


@contextlib.contextmanager
def listener(
    host: str = LOOPBACK, family: int = socket.AF_INET, backlog: int = 5
) -> Iterator[socket.socket]:
    with socket.socket(family) as sock:
        sock.bind((host, 0))
        sock.listen(backlog)
        yield sock


def port_of(sock: socket.socket) -> int:
    port: int = sock.getsockname()[1]
    return port


def is_prepared(sock: socket.socket) -> bool:
    return not sock.getblocking() and sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


@pytest.mark.parametrize(
    ("host", "family"),
    [(LOOPBACK, socket.AF_INET), ("::1", socket.AF_INET6)],
)
async def test_address(host: str, family: int) -> None:
    """The socket is the same as with the resolver, which is not called."""
    with listener(host, family) as server:
        threads = threading.active_count()
        with await connect_socket(host, port_of(server)) as sock:
            assert is_prepared(sock)
            assert (sock.family, sock.type & ~0o4000) == (family, socket.SOCK_STREAM)
            assert sock.getpeername()[:2] == (host, port_of(server))
        assert threading.active_count() == threads


@pytest.mark.parametrize("host", ["localhost", "127.1", b"127.0.0.1"])
async def test_what_only_the_resolver_understands(host: str) -> None:
    with listener() as server, await connect_socket(host, port_of(server)) as sock:
        assert is_prepared(sock)
        assert sock.getpeername() == (LOOPBACK, port_of(server))


async def test_refused() -> None:
    port = free_port()
    before = open_sockets()
    with pytest.raises(ConnectionRefusedError, match=f"'{LOOPBACK}', {port}") as caught:
        await connect_socket(LOOPBACK, port)
    assert caught.value.errno == errno.ECONNREFUSED
    assert open_sockets() == before


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_all_errors(host: str) -> None:
    with pytest.raises(ExceptionGroup, match="create_connection failed") as caught:
        await connect_socket(host, free_port(), all_errors=True)
    assert all(isinstance(exc, ConnectionRefusedError) for exc in caught.value.exceptions)


async def test_all_errors_when_there_are_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        connected = await connect_socket(*listening.getsockname(), all_errors=True)
        connected.close()


async def test_family_that_the_address_has_not() -> None:
    with listener() as server, pytest.raises(OSError):
        await connect_socket(LOOPBACK, port_of(server), family=socket.AF_INET6)


@pytest.mark.parametrize("host", ["", "127.0.0.1\0", "256.0.0.1", "fe80::1%nowhere"])
async def test_malformed(host: str) -> None:
    before = open_sockets()
    with pytest.raises((OSError, ValueError)):
        await connect_socket(host, 1)
    assert open_sockets() == before


@contextlib.contextmanager
def full() -> Iterator[socket.socket]:
    """Yield a listener with a full accept queue."""
    with listener(backlog=0) as server, contextlib.ExitStack() as stack:
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        yield server


async def test_connection_that_takes_a_while() -> None:
    with full() as server:
        task = asyncio.create_task(connect_socket(LOOPBACK, port_of(server)))
        for _ in range(5):
            await asyncio.sleep(0)
        assert not task.done()
        server.listen(5)
        async with asyncio.timeout(BOUND):  # the system retransmits after a second
            with await task as sock:
                assert is_prepared(sock)
                assert sock.getpeername() == server.getsockname()


async def test_cancelled_while_it_takes_a_while() -> None:
    with full() as server:
        before = open_sockets()
        task = asyncio.create_task(connect_socket(LOOPBACK, port_of(server)))
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert open_sockets() == before


async def test_prepare() -> None:
    with listener() as server, socket.create_connection(server.getsockname()) as sock:
        assert not is_prepared(sock)
        prepare(sock)
        assert is_prepared(sock)
    one, other = socket.socketpair()
    with one, other:
        prepare(one)
        assert not one.getblocking()


def test_arguments() -> None:
    assert {"family", "local_addr", "interleave"} < CONNECTING_ARGUMENTS
    assert not {"host", "port", "sock", "ssl"} & CONNECTING_ARGUMENTS
