"""Connecting: one address or several, overlapping attempts, and nothing left of the losers."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from tests.support.own_proxies import echo, serving
from tests.support.real_proxies import free_port
from wsproxy import dial as dial_module
from wsproxy.dial import connect_first, dial
from wsproxy.resolve import Address
from wsproxy.target import parse_target


def address(port: int, host: str = "127.0.0.1") -> Address:
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))


@pytest.fixture
def full_port() -> Iterator[int]:
    """Give a port whose queue of connections is full: connecting to it takes for ever."""
    with socket.socket() as server, socket.socket() as first, socket.socket() as second:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for client in (first, second):
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


async def test_the_socket_is_ready_to_use(echo_port: int) -> None:
    with await dial(parse_target("127.0.0.1", echo_port)) as sock:
        assert sock.gettimeout() == 0
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert await asyncio.get_running_loop().sock_recv(sock, 100) == b"hello\n"


async def test_a_name_that_has_an_address_without_a_server(echo_port: int) -> None:
    # localhost is ::1 as well on most machines, and the server has 127.0.0.1 only.
    with await dial(parse_target("localhost", echo_port)) as sock:
        assert sock.getpeername() == ("127.0.0.1", echo_port)


async def test_ipv6() -> None:
    async with serving(echo, "::1") as port:
        with await dial(parse_target("::1", port)) as sock:
            assert sock.family == socket.AF_INET6


async def test_refused() -> None:
    with pytest.raises(ConnectionRefusedError):
        await dial(parse_target("127.0.0.1", free_port()))


async def test_all_refused_names_every_failure() -> None:
    first, second = free_port(), free_port()
    with pytest.raises(ConnectionRefusedError) as caught:
        await connect_first([address(first), address(second)])
    told = " ".join([str(caught.value), *caught.value.__notes__])
    assert str(first) in told or str(second) in told
    assert len(caught.value.__notes__) == 1


async def test_a_refused_address_is_passed_over_at_once(
    echo_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial_module, "ATTEMPT_DELAY", 3600.0)
    with await connect_first([address(free_port()), address(echo_port)]) as sock:
        assert sock.getpeername()[1] == echo_port


async def test_a_slow_address_is_overtaken_and_given_up(
    echo_port: int, full_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial_module, "ATTEMPT_DELAY", 0.01)
    with await connect_first([address(full_port), address(full_port), address(echo_port)]) as sock:
        assert sock.getpeername()[1] == echo_port
    assert len(asyncio.all_tasks()) <= 3  # this one, and the server's


@pytest.mark.parametrize("count", [1, 2])
async def test_cancelled(full_port: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial_module, "ATTEMPT_DELAY", 0.001)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(connect_first([address(full_port)] * count), 0.1)


async def test_winners_of_the_same_moment(echo_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # Every attempt is started before the first is looked at, so several succeed.
    monkeypatch.setattr(dial_module, "ATTEMPT_DELAY", 0)
    for _ in range(20):
        (await connect_first([address(echo_port)] * 5)).close()
