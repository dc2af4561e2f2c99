"""What is logged in the loop's debug mode about user code that blocks it.

The loop can name only what it has called itself, which is wscore's; and of what uvloop calls for a
socket it says nothing. So the callbacks of a listener are timed here, and nowhere else. Tasks need
none of it: in debug mode they are resumed by the loop, which names them (see `wakeup`).
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

#: Where asyncio, too, logs what takes long.
_LOGGER = logging.getLogger("asyncio")


def report_if_slow(
    loop: asyncio.AbstractEventLoop, called: Callable[..., Any], began: float
) -> None:
    """Log a call that took longer than the loop's `slow_callback_duration`.

    To be called in debug mode only.

    Args:
        loop: the running loop.
        called: the user's function, method or class.
        began: what `time.monotonic` was before the call.
    """
    seconds = time.monotonic() - began
    if seconds >= getattr(loop, "slow_callback_duration", 0.1):
        _LOGGER.warning("Executing %s took %.3f seconds", _description(called), seconds)


def call_timed(loop: asyncio.AbstractEventLoop, called: Callable[..., Any], *args: Any) -> Any:
    """Call something of the user's; in debug mode it is logged if that takes long.

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
    """What to await for something of the user's: in debug mode each step that takes long is logged.

    Args:
        loop: the running loop.
        called: the user's coroutine function.
        awaitable: what it has returned.
    """
    return _AwaitTimed(loop, called, awaitable) if loop.get_debug() else awaitable


class _AwaitTimed:
    """Awaits something of the user's; each step that takes long is logged."""

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
    """Have a task's description begin with the name of what runs in it.

    asyncio names the outermost coroutine only, which is not the user's.

    Args:
        coroutine: the outermost one.
        called: the user's coroutine function, or anything else that can be called; or a coroutine.
    """
    called = _without_arguments(called)
    name = getattr(called, "__qualname__", type(called).__qualname__)
    own = getattr(coroutine, "__qualname__", None)
    if own is not None:  # not all that a subclass may return has one
        coroutine.__qualname__ = f"{name}() in {own}"  # type: ignore[attr-defined]


def _description(called: Callable[..., Any]) -> str:
    """The name of a function, and where it is defined if that is known."""
    called = _without_arguments(called)
    function = inspect.unwrap(called)
    name = getattr(function, "__qualname__", None) or repr(function)
    owner = getattr(called, "__self__", None)
    if owner is not None and "." not in name:  # compiled methods do not say whose they are
        name = f"{type(owner).__qualname__}.{name}"
    code = getattr(function, "__code__", None)
    if code is None:
        return f"<{name}()>"
    return f"<{name}() at {code.co_filename}:{code.co_firstlineno}>"


def _without_arguments(called: Any) -> Any:
    """What a `functools.partial` calls; anything else is itself."""
    while isinstance(called, partial):
        called = called.func
    return called
