"""The lent socket: it leads to the stream's peer, and what is not read on it is not lost."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from wsproxy.socket_bridge import MAX_CARRIED, lent_socket
from wsproxy.transport_stream import TransportStream

Pair = tuple[TransportStream, socket.socket]


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[Pair]:
    """Give a stream and the non-blocking socket it leads to."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)
    stream = TransportStream(ours)
    await asyncio.get_running_loop().create_connection(lambda: stream, sock=ours)
    with theirs:
        yield stream, theirs
        stream.abort()


async def test_both_ways(pair: Pair) -> None:
    loop = asyncio.get_running_loop()
    stream, peer = pair
    async with asyncio.timeout(10), lent_socket(stream) as sock:
        assert sock.gettimeout() == 0
        for _ in range(3):
            await loop.sock_sendall(sock, b"question")
            assert await loop.sock_recv(peer, 100) == b"question"
            await loop.sock_sendall(peer, b"answer")
            assert await loop.sock_recv(sock, 100) == b"answer"
    assert sock.fileno() == -1
    assert not stream._buffer


async def test_what_was_not_read_goes_back(pair: Pair) -> None:
    loop = asyncio.get_running_loop()
    stream, peer = pair
    async with asyncio.timeout(10):
        async with lent_socket(stream) as sock:
            await loop.sock_sendall(peer, b"answer, hello")
            assert await loop.sock_recv(sock, 6) == b"answer"
        await loop.sock_sendall(peer, b" world")
        received = b""
        while len(received) < 13:
            received += await stream.receive(100)
        assert received == b", hello world"


async def test_what_is_carried_is_bounded(pair: Pair) -> None:
    loop = asyncio.get_running_loop()
    stream, peer = pair
    data = bytes(range(256)) * 8
    async with asyncio.timeout(10):
        async with lent_socket(stream) as sock:
            await loop.sock_sendall(peer, data)
            carried = b""
            while piece := await loop.sock_recv(sock, 65536):
                carried += piece
            assert carried == data[:MAX_CARRIED]
        rest = b""
        while len(rest) < len(data) - MAX_CARRIED:
            rest += await stream.receive(65536)
        assert rest == data[MAX_CARRIED:]


async def test_when_all_was_carried_the_socket_ends(pair: Pair) -> None:
    loop = asyncio.get_running_loop()
    stream, peer = pair
    async with asyncio.timeout(10), lent_socket(stream) as sock:
        await loop.sock_sendall(peer, b"x" * MAX_CARRIED)
        carried = b""
        while piece := await loop.sock_recv(sock, 65536):
            carried += piece
        assert len(carried) == MAX_CARRIED


async def test_the_end_is_carried(pair: Pair) -> None:
    loop = asyncio.get_running_loop()
    stream, peer = pair
    async with asyncio.timeout(10), lent_socket(stream) as sock:
        peer.sendall(b"x")
        peer.close()
        assert await loop.sock_recv(sock, 10) == b"x"
        assert await loop.sock_recv(sock, 10) == b""


async def test_an_error_inside_ends_it(pair: Pair) -> None:
    stream, _ = pair
    with pytest.raises(ZeroDivisionError):
        async with lent_socket(stream) as sock:
            raise ZeroDivisionError
    assert sock.fileno() == -1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_cancelled_while_it_is_lent(pair: Pair) -> None:
    stream, _ = pair

    async def wait() -> None:
        async with lent_socket(stream) as sock:
            await asyncio.get_running_loop().sock_recv(sock, 1)

    task = asyncio.create_task(wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asyncio.all_tasks() == {asyncio.current_task()}
