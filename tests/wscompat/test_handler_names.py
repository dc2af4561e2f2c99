"""Handlers that block the loop are named by its debug mode, in both APIs and on both loops."""

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.wscompat.legacy.models import OURS as LEGACY
from tests.wscompat.libraries import WSCOMPAT, serving, uri_of
from wscore.connection.slow_calls import name_task

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
    with debug_mode():
        async with serve(slow_handler, "127.0.0.1", 0) as server:
            host, port = next(iter(server.sockets)).getsockname()
            async with connect(f"ws://{host}:{port}/") as client:
                await client.send("a")
                assert await client.recv() == "a"
    slow = [text for text in caplog.messages if text.startswith("Executing <Task")]
    assert any("coro=<slow_handler() in " in text for text in slow), slow


@contextlib.contextmanager
def debug_mode() -> Iterator[None]:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = SLOW / 2
    try:
        yield
    finally:
        loop.set_debug(False)


def block(*_: Any) -> None:
    time.sleep(SLOW)


async def block_in_task(*_: Any) -> None:
    time.sleep(SLOW)


async def block_later(*_: Any) -> None:
    await asyncio.sleep(0)
    time.sleep(SLOW)
    await asyncio.sleep(0)


@pytest.mark.parametrize("name", ["process_request", "process_response"])
@pytest.mark.parametrize(
    ("function", "text"),
    [
        (block, "Executing <block() at "),
        (block_in_task, "Executing <block_in_task() at "),
        (block_later, "Executing <block_later() at "),
    ],
    ids=["function", "coroutine", "coroutine that waits"],
)
async def test_functions_about_requests_that_block(
    name: str, function: Any, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    options: dict[str, Any] = {"process_request": nothing, "process_response": nothing}
    options[name] = function
    with debug_mode():
        async with (
            serving(WSCOMPAT, slow_handler, **options) as server,
            WSCOMPAT.connect(uri_of(server), proxy=None),
        ):
            pass
    slow = [message for message in caplog.messages if message.startswith("Executing <")]
    assert any(text in message for message in slow), slow
    assert not any("nothing()" in message for message in slow)


class Overriding(LEGACY.server.WebSocketServerProtocol):  # type: ignore[name-defined, misc]
    """Its method blocks."""

    async def process_request(self, *_: Any) -> None:
        await block_later()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"process_request": block_later}, "block_later"),
        ({"create_protocol": Overriding}, "Overriding.process_request"),
    ],
    ids=["function", "method"],
)
async def test_request_of_the_older_api_that_blocks(
    options: dict[str, Any], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with debug_mode():
        async with LEGACY.server.serve(slow_handler, "127.0.0.1", 0, **options) as server:
            host, port = next(iter(server.sockets)).getsockname()
            async with LEGACY.client.connect(f"ws://{host}:{port}/"):
                pass
    assert any(message.startswith(f"Executing <{name}() at ") for message in caplog.messages)


async def nothing(*_: Any) -> None:
    """Decide nothing."""


async def test_selection_of_a_subprotocol_that_blocks(caplog: pytest.LogCaptureFixture) -> None:
    with debug_mode():
        async with (
            serving(WSCOMPAT, slow_handler, select_subprotocol=block) as server,
            WSCOMPAT.connect(uri_of(server), proxy=None, subprotocols=["a"]),
        ):
            pass
    assert any(message.startswith("Executing <block() at ") for message in caplog.messages)


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
    name_task(coroutine, handler)
    assert coroutine.__qualname__ == name + run.__qualname__
    coroutine.close()
