"""Marking functions that return awaitables as coroutine functions.

`unittest.mock` and web frameworks check the mark, to know which calls must be awaited.
"""

from __future__ import annotations

import asyncio.coroutines
import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["mark_as_coroutine_function"]


def mark_as_coroutine_function(function: Callable[..., Any]) -> None:
    """Mark a function for `asyncio.iscoroutinefunction`, and `inspect`'s from Python 3.12 on.

    Args:
        function: a function that returns an awaitable but is not defined with ``async def``.
    """
    if hasattr(inspect, "markcoroutinefunction"):
        inspect.markcoroutinefunction(function)
    mark = getattr(asyncio.coroutines, "_is_coroutine", None)  # asyncio's mark up to Python 3.13
    if mark is not None:
        function._is_coroutine = mark  # type: ignore[attr-defined]
