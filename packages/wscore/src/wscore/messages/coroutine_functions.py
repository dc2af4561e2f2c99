"""Marking functions that return awaitables as coroutine functions.

`unittest.mock` and web frameworks ask for the mark, to know what a call has to be awaited for.
"""

from __future__ import annotations

import asyncio.coroutines
import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["mark_as_coroutine_function"]


def mark_as_coroutine_function(function: Callable[..., Any]) -> None:
    """Have `asyncio.iscoroutinefunction`, and from Python 3.12 on `inspect`'s, say that it is one.

    Args:
        function: what returns a coroutine without being defined with ``async def``.
    """
    if hasattr(inspect, "markcoroutinefunction"):
        inspect.markcoroutinefunction(function)
    mark = getattr(asyncio.coroutines, "_is_coroutine", None)  # asyncio's own, up to Python 3.13
    if mark is not None:
        function._is_coroutine = mark  # type: ignore[attr-defined]
