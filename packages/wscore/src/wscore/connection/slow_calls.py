"""The loop's debug mode: warnings about user code that blocks the loop.

asyncio names only the callback that it called itself, which is wscore's, and uvloop does not time
callbacks of sockets at all. So the callbacks of a listener are timed here, and nowhere else. Tasks
do not need this: in debug mode the loop resumes them, and names them (see `messages/waiter`).
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from typing import Any

__all__ = ["await_timed", "call_timed", "name_task", "report_if_slow"]

#: asyncio logs its own warnings of slow callbacks here.
_LOGGER = logging.getLogger("asyncio")


def report_if_slow(
    loop: asyncio.AbstractEventLoop, called: Callable[..., Any], began: float
) -> None:
    """Log a call that took longer than the loop's `slow_callback_duration`.

    Call it in debug mode only.

    Args:
        loop: the running loop.
        called: the user's function, method or class.
        began: the time of `time.monotonic` before the call.
    """
    seconds = time.monotonic() - began
    if seconds >= getattr(loop, "slow_callback_duration", 0.1):
        _LOGGER.warning("Executing %s took %.3f seconds", _description(called), seconds)


def call_timed(loop: asyncio.AbstractEventLoop, called: Callable[..., Any], *args: Any) -> Any:
    """Call user code; in debug mode log it if it is slow.

    Args:
        loop: the running loop.
        called: the user's function, method or class.
        *args: its arguments.
    """
    if not loop.get_debug():
        return called(*args)
    began = time.monotonic()
    try:
        return called(*args)
    finally:
        report_if_slow(loop, called, began)


def await_timed(
    loop: asyncio.AbstractEventLoop, called: Callable[..., Any], awaitable: Awaitable[Any]
) -> Awaitable[Any]:
    """Wrap an awaitable of user code; in debug mode each slow step of it is logged.

    Args:
        loop: the running loop.
        called: the user's coroutine function.
        awaitable: its result.
    """
    return _AwaitTimed(loop, called, awaitable) if loop.get_debug() else awaitable


class _AwaitTimed:
    """An awaitable that logs each slow step of another one."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, called: Callable[..., Any], awaitable: Awaitable[Any]
    ) -> None:
        self._loop = loop
        self._called = called
        self._awaitable = awaitable

    def __await__(self) -> Generator[Any, Any, Any]:
        steps: Any = self._awaitable.__await__()
        step = partial(next, steps)
        while True:
            began = time.monotonic()
            try:
                awaited = step()
            except StopIteration as exc:
                return exc.value
            finally:
                report_if_slow(self._loop, self._called, began)
            try:
                yield awaited
                step = partial(next, steps)
            except BaseException as exc:
                step = partial(steps.throw, exc)


def name_task(coroutine: object, called: object) -> None:
    """Begin a task's description with the name of the user code that runs in it.

    asyncio names only the outermost coroutine, which is not the user's.

    Args:
        coroutine: the outermost coroutine.
        called: the user's coroutine function or other callable, or a coroutine.
    """
    called = _without_arguments(called)
    name = getattr(called, "__qualname__", type(called).__qualname__)
    own = getattr(coroutine, "__qualname__", None)
    if own is not None:  # a subclass may return an object without a name
        coroutine.__qualname__ = f"{name}() in {own}"  # type: ignore[attr-defined]


def _description(called: Callable[..., Any]) -> str:
    """Return the name of a function, and where it is defined if that is known."""
    called = _without_arguments(called)
    function = inspect.unwrap(called)
    name = getattr(function, "__qualname__", None) or repr(function)
    owner = getattr(called, "__self__", None)
    if owner is not None and "." not in name:  # compiled methods lack the name of their class
        name = f"{type(owner).__qualname__}.{name}"
    code = getattr(function, "__code__", None)
    if code is None:
        return f"<{name}()>"
    return f"<{name}() at {code.co_filename}:{code.co_firstlineno}>"


def _without_arguments(called: Any) -> Any:
    """Return the function that a `functools.partial` calls; any other object unchanged."""
    while isinstance(called, partial):
        called = called.func
    return called
