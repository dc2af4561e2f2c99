"""Pings and their answers, without a connection."""

import asyncio

import pytest

from wscompat.asyncio.pings import Pings
from wscompat.exceptions import ConcurrencyError


async def test_a_pong_answers_its_ping_and_those_before() -> None:
    pings = Pings(asyncio.get_running_loop())
    first, second, third = (pings.add(payload) for payload in (b"1", b"2", b"3"))
    assert pings.latency == 0
    pings.answered(b"2")
    assert first.done()
    assert second.result() == pings.latency > 0
    assert first.result() >= second.result()
    assert not third.done()
    pings.answered(b"3")
    assert third.done()


async def test_unknown_pongs_are_ignored() -> None:
    pings = Pings(asyncio.get_running_loop())
    pings.answered(b"")
    waiter = pings.add(b"1")
    pings.answered(b"2")
    assert not waiter.done()


async def test_the_same_payload_twice() -> None:
    pings = Pings(asyncio.get_running_loop())
    pings.add(b"1")
    with pytest.raises(ConcurrencyError, match="already waiting for a pong with the same data"):
        pings.add(b"1")
    pings.answered(b"1")
    pings.add(b"1")


async def test_random_payloads() -> None:
    pings = Pings(asyncio.get_running_loop())
    payloads = {pings.random_payload() for _ in range(100)}
    assert len(payloads) == 100
    assert {len(payload) for payload in payloads} == {4}


async def test_the_end_reaches_those_who_wait_and_bothers_nobody_else() -> None:
    pings = Pings(asyncio.get_running_loop())
    waited, ignored, cancelled = (pings.add(payload) for payload in (b"1", b"2", b"3"))
    cancelled.cancel()
    pings.fail(EOFError("gone"))
    with pytest.raises(EOFError, match="gone"):
        await waited
    assert ignored.done()
    assert cancelled.cancelled()
    del ignored  # that nothing is reported about it is seen to by the fixture `no_leaks`


async def test_a_cancelled_waiter_does_not_hinder_the_others() -> None:
    pings = Pings(asyncio.get_running_loop())
    first, second = pings.add(b"1"), pings.add(b"2")
    first.cancel()
    pings.answered(b"2")
    assert second.done()
    pings.fail(EOFError())
