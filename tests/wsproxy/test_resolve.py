"""Resolving: addresses directly, names through the system, families taking turns."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from wsproxy.resolve import most_reachable, resolve, take_turns
from wsproxy.target import parse_target


@pytest.mark.parametrize(
    ("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]
)
async def test_an_address_stays_what_it_is(host: str, family: int) -> None:
    [address] = await resolve(parse_target(host, 80))
    assert address[0] == family
    assert address[1] == socket.SOCK_STREAM
    assert address[4][:2] == (host, 80)


async def test_a_name() -> None:
    addresses = await resolve(parse_target("localhost", 80))
    assert {address[4][0] for address in addresses} <= {"127.0.0.1", "::1"}
    assert len(addresses) == len(set(addresses)) > 0


async def test_one_family_only() -> None:
    addresses = await resolve(parse_target("localhost", 80), socket.AF_INET)
    assert {address[4][0] for address in addresses} == {"127.0.0.1"}


async def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(socket.gaierror):
        await resolve(parse_target("nowhere.invalid", 80))


def test_families_take_turns_and_the_first_stays_first() -> None:
    six = [(socket.AF_INET6, 1, 6, "", (f"::{n}", 80, 0, 0)) for n in range(3)]
    four = [(socket.AF_INET, 1, 6, "", ("127.0.0.1", 80))]
    assert take_turns([*six, *four]) == [six[0], four[0], six[1], six[2]]
    assert take_turns([*four, *six]) == [four[0], six[0], six[1], six[2]]
    assert take_turns([]) == []


def test_no_address_is_tried_twice() -> None:
    one, two = [(socket.AF_INET, 1, 6, "", (f"127.0.0.{n}", 80)) for n in (1, 2)]
    assert take_turns([one, two, one]) == [one, two]


def test_a_proxy_is_given_an_ipv4_address_if_there_is_one() -> None:
    six = [(socket.AF_INET6, 1, 6, "", (f"::{n}", 80, 0, 0)) for n in range(2)]
    four = [(socket.AF_INET, 1, 6, "", (f"127.0.0.{n}", 80)) for n in range(2)]
    assert most_reachable([*six, *four]) is four[0]
    assert most_reachable([*four, *six]) is four[0]
    assert most_reachable(six) is six[0]


async def test_an_address_needs_no_thread() -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    asyncio.get_running_loop().set_default_executor(executor)
    assert await resolve(parse_target("127.0.0.1", 80))
