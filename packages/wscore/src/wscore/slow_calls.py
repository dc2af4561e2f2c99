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
from collections.abc import Callable
from functools import partial
from typing import Any

__all__ = ["report_if_slow"]

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


def _description(called: Callable[..., Any]) -> str:
    """The name of a function, and where it is defined if that is known."""
    while isinstance(called, partial):
        called = called.func
    function = inspect.unwrap(called)
    name = getattr(function, "__qualname__", None) or repr(function)
    owner = getattr(called, "__self__", None)
    if owner is not None and "." not in name:  # compiled methods do not say whose they are
        name = f"{type(owner).__qualname__}.{name}"
    code = getattr(function, "__code__", None)
    if code is None:
        return f"<{name}()>"
    return f"<{name}() at {code.co_filename}:{code.co_firstlineno}>"
