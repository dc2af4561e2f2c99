"""Handlers that block the loop are named by its debug mode, in both APIs and on both loops."""

import asyncio
import functools
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.wscompat.legacy.models import OURS as LEGACY
from tests.wscompat.libraries import WSCOMPAT
from wscompat.handler_names import name_handler

SLOW = 0.02  # seconds


async def slow_handler(connection: Any) -> None:
    async for message in connection:
        time.sleep(SLOW)
        await connection.send(message)


@pytest.mark.parametrize(
    ("serve", "connect"),
    [(WSCOMPAT.serve, WSCOMPAT.connect), (LEGACY.server.serve, LEGACY.client.connect)],
    ids=["asyncio", "legacy"],
)
async def test_handler_that_blocks(
    serve: Any, connect: Any, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = SLOW / 2
    try:
        async with serve(slow_handler, "127.0.0.1", 0) as server:
            host, port = next(iter(server.sockets)).getsockname()
            async with connect(f"ws://{host}:{port}/") as client:
                await client.send("a")
                assert await client.recv() == "a"
    finally:
        loop.set_debug(False)
    slow = [text for text in caplog.messages if text.startswith("Executing <Task")]
    assert any("coro=<slow_handler() in " in text for text in slow), slow


class Handler:
    """An object that is called as a handler."""

    async def __call__(self, connection: Any) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("handler", "name"),
    [
        (slow_handler, "slow_handler() in "),
        (functools.partial(slow_handler), "slow_handler() in "),
        (Handler(), "Handler() in "),
        (Handler().__call__, "Handler.__call__() in "),
    ],
)
def test_names(handler: Callable[..., Any], name: str) -> None:
    async def run() -> None:
        """Stand for what runs it."""

    coroutine = run()
    name_handler(coroutine, handler)
    assert coroutine.__qualname__ == name + run.__qualname__
    coroutine.close()
