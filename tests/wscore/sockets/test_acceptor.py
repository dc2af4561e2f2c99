"""Accepting: bursts, faults of whoever takes the connections, and stopping in the middle.

What happens when the system is out of descriptors is in `test_socket_server`.
"""

import asyncio
import errno
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.skips import lacking
from tests.wscore.programs import run
from tests.wscore.recorder import BOUND
from wscore.sockets.acceptor import ACCEPTED_AT_ONCE, MAX_FAILURES, Acceptor

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


async def test_the_loop_goes_on_in_a_burst(listening: socket.socket) -> None:
    """However long the backlog, other things are done after every few connections."""
    accepted: list[int] = []
    loop = asyncio.get_running_loop()
    acceptor = Acceptor(loop, listening.fileno(), 2 * BURST, accepted.append)
    clients = connect(listening, BURST)
    acceptor.start()
    seen = []
    async with asyncio.timeout(BOUND):
        while len(accepted) < BURST:
            await asyncio.sleep(0)
            seen.append(len(accepted))
    acceptor.stop()
    steps = [after - before for before, after in zip([0, *seen], seen, strict=False)]
    assert max(steps) <= 2 * ACCEPTED_AT_ONCE  # asked of the system twice in one iteration
    for fd in accepted:
        os.close(fd)
    close(clients)


# Errors of accept(2)

FOLDER = Path(__file__).parent
# What is wrong with a connection, or with the network that it comes through (accept(2), Linux).
NETWORK = [
    *("ENETDOWN", "EPROTO", "ENOPROTOOPT", "EHOSTDOWN", "ENONET", "EHOSTUNREACH", "EOPNOTSUPP"),
    *("ENETUNREACH", "EPERM", "ETIMEDOUT"),
]
ONE_FAILED = "a connection failed before it was accepted"
ALL_FAIL = "accepting connections failed, trying again"


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Build the library that lets accept4 fail, and return what to preload."""
    if sys.platform != "linux":
        pytest.skip(lacking("LD_PRELOAD, which Linux has"))
    library = tmp_path_factory.mktemp("faults") / "faults.so"
    source = FOLDER / "accept_faults.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return ":".join(filter(None, [os.environ.get("LD_PRELOAD"), str(library)]))


async def with_faults(faults: str, loop: str, takes: str, names: list[str]) -> Counter[str]:
    """Return what `accept_program` prints, and how often; it ends by serving a client."""
    program = FOLDER / "accept_program.py"
    lines = await run(program, loop, takes, *names, LD_PRELOAD=faults)
    assert lines[-1] == "served"
    return Counter(lines[:-1])


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_connections_that_fail_while_they_are_accepted(faults: str, loop: str) -> None:
    """Each is that connection's affair, and each kind is reported once."""
    names = [name for name in (*NETWORK, "ECONNABORTED", "EINTR") for _ in range(2)]
    lines = asyncio.run(with_faults(faults, loop, "takes", names))
    del lines[next(line for line in lines if line.startswith("calls"))]
    assert lines == {f"{getattr(errno, name)} {ONE_FAILED}": 1 for name in NETWORK}


@pytest.mark.parametrize("name", ["EPERM", "EMFILE", "ENOMEM", "EINVAL", "EIO"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_accepting_that_fails_always(faults: str, loop: str, name: str) -> None:
    """It is reported once, and it is not tried in every iteration of the loop."""
    lines = asyncio.run(with_faults(faults, loop, "leaves", [name] * 2))
    (calls,) = [int(line.split()[1]) for line in lines if line.startswith("calls")]
    del lines[f"calls {calls}"]
    if name == "EPERM":  # of a firewall: the next one may be let in
        assert lines == {f"{errno.EPERM} {ONE_FAILED}": 1}
    else:
        assert lines == {f"{getattr(errno, name)} {ALL_FAIL}": 1}
        assert calls <= 2


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_filter_that_forbids_to_accept(faults: str, loop: str) -> None:
    """A sandbox answers EPERM, too, and leaves the connection waiting: the loop must not spin."""
    lines = asyncio.run(with_faults(faults, loop, "leaves", ["EPERM"] * (MAX_FAILURES + 5)))
    assert f"calls {MAX_FAILURES}" in lines
    assert lines[f"{errno.EPERM} {ONE_FAILED}"] == lines[f"{errno.EPERM} {ALL_FAIL}"] == 1
