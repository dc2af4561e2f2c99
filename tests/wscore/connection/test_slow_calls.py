"""What the loop's debug mode says about callbacks that block the loop."""

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.wscore.pairs import Setting, against_raw_peer, serving, until_gone
from tests.wscore.recorder import Recorder
from tests.wscore.wire import TEXT, F
from wscore import WSFrame, WSListener, WSMessageListener, WSMsgType, WSTransport, ws_connect
from wscore.connection.slow_calls import await_timed, report_if_slow

LIMIT = 0.01  # seconds, from which on a call is slow
SLOW = 0.02  # seconds
EXECUTING = "Executing <"


@contextlib.contextmanager
def debug_mode() -> Iterator[None]:
    """Put the running loop into debug mode meanwhile."""
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = LIMIT
    try:
        yield
    finally:
        loop.set_debug(False)


def slow_calls(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the names of what has blocked the loop, without what the loop itself has called."""
    texts = [text.removeprefix(EXECUTING) for text in caplog.messages if text.startswith(EXECUTING)]
    return [text.partition("(")[0] for text in texts if not text.startswith(("Handle", "Task"))]


class Slow(Recorder):
    """All of its callbacks block."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        time.sleep(SLOW)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        super().on_ws_frame(transport, frame)
        time.sleep(SLOW)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        super().on_ws_disconnected(transport)
        time.sleep(SLOW)


class SlowMessages(WSMessageListener):
    """Its callback for messages blocks."""

    def on_ws_message(self, transport: WSTransport, msg_type: WSMsgType, message: Any) -> None:
        time.sleep(SLOW)
        transport.disconnect()


@pytest.mark.parametrize("pinged", [False, True])
async def test_callbacks_of_a_listener(
    setting: Setting, caplog: pytest.LogCaptureFixture, pinged: bool
) -> None:
    listener = Slow()
    with debug_mode():
        async with against_raw_peer(setting, listener, enable_auto_ping=pinged) as (_, peer):
            await peer.send(F(TEXT, b"a"), F(TEXT, b"b"))
            await listener.until("frame", 2)
    assert listener.seen == [(TEXT, b"a"), (TEXT, b"b")]
    assert slow_calls(caplog) == [
        "Slow.on_ws_connected",
        "Slow.on_ws_frame",
        "Slow.on_ws_frame",
        "Slow.on_ws_disconnected",
    ]
    text = next(text for text in caplog.messages if "on_ws_frame" in text)
    assert f"at {__file__}:" in text


async def test_callback_that_raises(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    def fail(transport: WSTransport, frame: WSFrame) -> None:
        time.sleep(SLOW)
        raise ValueError("on purpose")

    listener = Recorder(fail)
    with debug_mode():
        async with against_raw_peer(setting, listener, disconnect_on_exception=False) as (_, peer):
            await peer.send(F(TEXT, b"a"), F(TEXT, b"b"))
            await listener.until("frame", 2)
    assert slow_calls(caplog) == ["Recorder.on_ws_frame"] * 2
    assert caplog.messages.count("exception in on_ws_frame") == 2


async def test_callback_for_messages(both: Setting, caplog: pytest.LogCaptureFixture) -> None:
    with debug_mode():
        async with serving(both, lambda _: SlowMessages()) as port:
            client, _ = await ws_connect(WSListener, both.url(port), **both.client_options)
            client.send(WSMsgType.TEXT, b"a")
            await until_gone(client)
    assert slow_calls(caplog) == ["SlowMessages.on_ws_message"]


async def test_listener_factories(both: Setting, caplog: pytest.LogCaptureFixture) -> None:
    def at_server(_: object) -> WSListener:
        time.sleep(SLOW)
        return WSListener()

    def at_client() -> WSListener:
        time.sleep(SLOW)
        return WSListener()

    with debug_mode():
        async with serving(both, at_server) as port:
            client, _ = await ws_connect(at_client, both.url(port), **both.client_options)
            client.disconnect()
            await until_gone(client)
    named = [name.rpartition(".")[2] for name in slow_calls(caplog)]
    assert named == ["at_server", "at_client"]


async def test_listener_factory_that_is_awaited(
    both: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    """The loop names what blocks a task."""

    async def choose(_: object) -> WSListener:
        await asyncio.sleep(0)
        time.sleep(SLOW)
        return WSListener()

    with debug_mode():
        async with serving(both, choose) as port:
            client, _ = await ws_connect(WSListener, both.url(port), **both.client_options)
            client.disconnect()
            await until_gone(client)
    slow = [text for text in caplog.messages if text.startswith("Executing <Task")]
    assert any(f"coro=<{choose.__qualname__}() in " in text for text in slow), slow


async def test_steps_of_an_awaitable(caplog: pytest.LogCaptureFixture) -> None:
    """It gives, raises and is cancelled as if it was awaited itself."""
    loop = asyncio.get_running_loop()
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def block(outcome: object) -> object:
        await asyncio.sleep(0)
        time.sleep(SLOW)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def wait() -> None:
        begun.set()
        try:
            await loop.create_future()
        finally:
            cancelled.set()

    with debug_mode():
        assert await await_timed(loop, block, block(1)) == 1
        with pytest.raises(KeyError):
            await await_timed(loop, block, block(KeyError()))
        task = asyncio.ensure_future(await_timed(loop, wait, wait()))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        future = loop.create_future()
        loop.call_soon(future.set_result, 2)
        assert await await_timed(loop, block, future) == 2
    assert cancelled.is_set()
    assert [name.rpartition(".")[2] for name in slow_calls(caplog)] == ["block"] * 2


async def test_nothing_is_logged_without_debug_mode(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    asyncio.get_running_loop().slow_callback_duration = LIMIT
    listener = Slow()
    async with against_raw_peer(setting, listener) as (_, peer):
        await peer.send(F(TEXT, b"a"))
        await listener.until("frame")
    assert slow_calls(caplog) == []


async def test_calls_that_are_not_slow(caplog: pytest.LogCaptureFixture) -> None:
    with debug_mode():
        report_if_slow(asyncio.get_running_loop(), print, time.monotonic())
    assert slow_calls(caplog) == []


class Called:
    """Neither a function nor a class."""

    def __call__(self) -> None:
        """Do nothing."""


@functools.wraps(SlowMessages.on_ws_message)
def wrapper(*_: Any) -> None:
    """Return a function with a decorator."""


@pytest.mark.parametrize(
    ("called", "name"),
    [
        pytest.param(WSListener().on_ws_frame, "WSListener.on_ws_frame", id="compiled"),
        pytest.param(SlowMessages().on_ws_message, "SlowMessages.on_ws_message", id="method"),
        pytest.param(SlowMessages, "SlowMessages", id="class"),
        pytest.param(functools.partial(SlowMessages), "SlowMessages", id="partial"),
        pytest.param(wrapper, "SlowMessages.on_ws_message", id="decorated"),
        pytest.param(
            Called(), "<tests.wscore.connection.test_slow_calls.Called object", id="object"
        ),
    ],
)
async def test_names(
    called: Callable[..., Any], name: str, caplog: pytest.LogCaptureFixture
) -> None:
    report_if_slow(asyncio.get_running_loop(), called, time.monotonic() - 1)
    assert caplog.messages[0].startswith(EXECUTING + name)
    assert "took 1.0" in caplog.messages[0]
