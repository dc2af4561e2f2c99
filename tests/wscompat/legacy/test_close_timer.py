"""Tests of `wscompat.legacy.close_timer`: how long each step of closing may take."""

import asyncio
import gc
import logging
import weakref
from typing import Any

import pytest

from tests.wscompat.legacy.models import MODEL, OURS, Legacy, serving
from tests.wscompat.libraries import BOUND
from tests.wscompat.raw import ACCEPTED, REQUEST, raw_client, raw_server
from tests.wscore.raw_peer import connecting, sending_on
from tests.wscore.wire import BINARY, F, request

TIMEOUT = 0.05  # seconds


@pytest.mark.parametrize("library", [MODEL, OURS], ids=str)
async def test_a_client_gives_up_a_server_that_does_not_close(library: Legacy) -> None:
    async with raw_server(ACCEPTED + b"\r\n", stays=True) as server:
        websocket = await library.client.connect(
            server.uri, compression=None, close_timeout=TIMEOUT
        )
        async with asyncio.timeout(BOUND):
            await websocket.close()
        assert (websocket.close_code, websocket.state) == (1006, library.protocol.State.CLOSED)


@pytest.mark.parametrize("library", [MODEL, OURS], ids=str)
async def test_a_server_gives_up_a_client_that_does_not_close(library: Legacy) -> None:
    closed = asyncio.get_running_loop().create_future()

    async def handler(websocket: Any) -> None:
        await websocket.close()
        closed.set_result(websocket.close_code)

    async with (
        serving(library, handler, close_timeout=TIMEOUT) as port,
        raw_client(port, REQUEST + b"\r\n") as peer,
    ):
        await peer.head()
        async with asyncio.timeout(BOUND):
            assert await closed == 1006
            assert await peer.rest() == b"\x88\x02\x03\xe8"


async def test_the_cause_says_that_there_was_no_time_left() -> None:
    async with raw_server(ACCEPTED + b"\r\n", stays=True) as server:
        websocket = await OURS.client.connect(server.uri, compression=None, close_timeout=TIMEOUT)
        await websocket.close()
        cause = websocket.connection_closed_exc().__cause__
        assert isinstance(cause, TimeoutError)


async def test_a_connection_that_is_over_is_freed_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The timer refers to the connection, and no cycle is left to the garbage collector."""
    caplog.set_level(logging.CRITICAL, "websockets.server")  # records have the connection
    known = []

    async def handler(websocket: Any) -> None:
        known.append(weakref.ref(websocket))
        await websocket.wait_closed()

    gc.disable()
    try:
        async with serving(OURS, handler) as port:
            websocket = await OURS.client.connect(f"ws://127.0.0.1:{port}", compression=None)
            known.append(weakref.ref(websocket))
            await websocket.close()
            del websocket
        assert [connection() for connection in known] == [None, None]
    finally:
        gc.enable()


@pytest.mark.parametrize("end", ["return", "raise", "fail", "fail at once"])
async def test_end_of_a_handler_while_the_client_is_sending(end: str) -> None:
    """All that the handler has sent arrives, and the CLOSE if there is one."""
    payload = bytes(range(256)) * 1200
    codes = {"return": 1000, "raise": 1011, "fail": 4000, "fail at once": None}

    async def handler(websocket: Any) -> None:
        for _ in range(5):
            await websocket.recv()
        await websocket.send(payload)
        if end == "raise":
            raise RuntimeError("as the test wants it")
        if codes[end] == 4000:
            websocket.fail_connection(4000)
        elif codes[end] is None:
            websocket.fail_connection()

    async with serving(OURS, handler) as port, connecting(port) as peer:
        await peer.send(request())
        await peer.read_head()
        async with sending_on(peer, F(BINARY, bytes(10_000))):
            assert (await peer.read_frame()).payload == payload
            if codes[end] is None:
                assert await peer.read_to_end() == b""
            else:
                assert (await peer.read_frame()).close_code == codes[end]
