"""Keepalive: pings are sent, answers are measured, silence ends the connection."""

import asyncio
from typing import Any

import pytest

from tests.wscompat.libraries import (
    BOUND,
    WEBSOCKETS,
    WSCOMPAT,
    Library,
    describe,
    serving,
    uri_of,
)
from tests.wscompat.raw import ACCEPTED, REQUEST, raw_client, raw_server
from wscompat.asyncio.client import connect


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
        raw_client(server.sockets[0].getsockname()[1], REQUEST + b"\r\n") as client,
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
        async with raw_client(server.sockets[0].getsockname()[1], REQUEST + b"\r\n") as client:
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
