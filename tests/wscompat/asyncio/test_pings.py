"""Pings and their answers, without a connection; and keepalive: silence ends the connection."""

import asyncio
from typing import Any

import pytest

from tests.wscompat.libraries import (
    BOUND,
    WEBSOCKETS,
    WSCOMPAT,
    Library,
    describe,
    port_of,
    serving,
    uri_of,
)
from tests.wscompat.raw import ACCEPTED, REQUEST, raw_client, raw_server
from wscompat.asyncio.client import connect
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


async def stay(connection: Any) -> None:
    await connection.wait_closed()


async def test_latency_is_measured() -> None:
    async with (
        serving(WSCOMPAT, stay) as server,
        connect(uri_of(server), ping_interval=0.01) as connection,
    ):
        async with asyncio.timeout(BOUND):
            while not connection.latency:
                await asyncio.sleep(0)
        assert connection.latency < BOUND


@pytest.mark.parametrize("timeout", [None, 5])
async def test_pings_follow_each_other(timeout: float | None) -> None:
    async with (
        serving(WSCOMPAT, stay, ping_interval=0.01, ping_timeout=timeout) as server,
        raw_client(port_of(server), REQUEST + b"\r\n") as client,
    ):
        await client.head()
        payloads = set()
        async with asyncio.timeout(BOUND):
            for _ in range(3):
                frame = await client.reader.readexactly(6)
                assert frame[:2] == b"\x89\x04"
                payloads.add(frame[2:])
                client.writer.write(b"\x8a\x84\0\0\0\0" + frame[2:])
        assert len(payloads) == 3


@pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=repr)
async def test_silent_client(library: Library) -> None:
    seen = []

    async def receive(connection: Any) -> None:
        try:
            await connection.recv()
        except Exception as exc:
            seen.append((describe(exc), connection.close_code, connection.close_reason))

    async with serving(
        library, receive, ping_interval=0.02, ping_timeout=0.02, close_timeout=0.05
    ) as server:
        async with raw_client(port_of(server), REQUEST + b"\r\n") as client:
            await client.head()
            frames = await client.rest()
        assert frames[:2] == b"\x89\x04"
        assert frames[6:] == b"\x88\x18\x03\xf3keepalive ping timeout"
    text = "sent 1011 (internal error) keepalive ping timeout; no close frame received"
    assert seen == [(f"ConnectionClosedError: {text}", 1006, "")]


async def test_silent_server() -> None:
    async with raw_server(ACCEPTED + b"\r\n", stays=True) as server:
        connection = await connect(
            server.uri, ping_interval=0.02, ping_timeout=0.02, close_timeout=0.05
        )
        async with asyncio.timeout(BOUND):
            await connection.wait_closed()
        assert connection.close_code == 1006


async def test_no_timeout_without_an_answer() -> None:
    async with raw_server(ACCEPTED + b"\r\n", stays=True) as server:
        connection = await connect(
            server.uri, ping_interval=0.01, ping_timeout=None, close_timeout=0.01
        )
        async with asyncio.timeout(BOUND):
            while server.received.count(b"\x89\x84") < 3:
                await asyncio.sleep(0)
        assert connection.state.name == "OPEN"
        await connection.close()


async def test_no_pings() -> None:
    async with raw_server(ACCEPTED + b"\r\n", stays=True) as server:
        connection = await connect(
            server.uri, ping_interval=None, ping_timeout=0.01, close_timeout=0.01
        )
        await asyncio.sleep(0.05)
        assert connection.state.name == "OPEN"
        await connection.close()
        assert server.received[:2] == b"\x88\x82"
