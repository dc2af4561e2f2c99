"""Accepting: bursts, faults of whoever takes the connections, and stopping in the middle.

What happens when the system is out of descriptors is in `test_socket_server`.
"""

import asyncio
import os
import socket
from collections.abc import Iterator

import pytest

from tests.wscore.recorder import BOUND
from wscore.acceptor import Acceptor

BURST = 120


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=BURST) as sock:
        sock.setblocking(False)
        yield sock


def connect(listening: socket.socket, count: int) -> list[socket.socket]:
    return [socket.create_connection(listening.getsockname()) for _ in range(count)]


def close(socks: list[socket.socket]) -> None:
    for sock in socks:
        sock.close()


async def until(accepted: list[int], count: int) -> None:
    async with asyncio.timeout(BOUND):
        while len(accepted) < count:
            await asyncio.sleep(0)


@pytest.mark.parametrize("backlog", [0, 1, 7, 2 * BURST])
async def test_burst(listening: socket.socket, backlog: int) -> None:
    accepted: list[int] = []
    acceptor = Acceptor(asyncio.get_running_loop(), listening.fileno(), backlog, accepted.append)
    acceptor.start()
    clients = connect(listening, BURST)
    await until(accepted, BURST)
    acceptor.stop()
    for fd in accepted:
        assert not os.get_blocking(fd)
        assert not os.get_inheritable(fd)
        os.close(fd)
    close(clients)


async def test_one_that_cannot_be_used(listening: socket.socket) -> None:
    """It is reported, and the next ones are accepted."""
    loop = asyncio.get_running_loop()
    reports: list[str] = []
    loop.set_exception_handler(lambda _, context: reports.append(str(context["exception"])))
    accepted: list[int] = []

    def attach(fd: int) -> None:
        accepted.append(fd)
        if len(accepted) == 1:
            raise ValueError("no use for this one")

    acceptor = Acceptor(loop, listening.fileno(), 10, attach)
    acceptor.start()
    clients = connect(listening, 3)
    await until(accepted, 3)
    assert reports == ["no use for this one"]
    acceptor.stop()
    for fd in accepted:
        os.close(fd)
    close(clients)


async def test_stopping_in_the_middle(listening: socket.socket) -> None:
    accepted: list[int] = []

    def attach(fd: int) -> None:
        accepted.append(fd)
        acceptor.stop()

    acceptor = Acceptor(asyncio.get_running_loop(), listening.fileno(), 10, attach)
    acceptor.start()
    clients = connect(listening, 3)
    for count in (1, 2, 3):
        await until(accepted, count)
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(accepted) == count
        if count < 3:
            acceptor.start()
    acceptor.stop()  # a second time
    for fd in accepted:
        os.close(fd)
    close(clients)
