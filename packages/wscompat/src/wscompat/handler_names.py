"""The name of the program's handler, for what asyncio says in debug mode of its task."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from wscore.slow_calls import name_task

__all__ = ["name_handler"]


def name_handler(coroutine: Coroutine[Any, Any, Any], handler: Callable[..., Any]) -> None:
    """Have a coroutine's name begin with that of the handler that it runs.

    Args:
        coroutine: what the task runs.
        handler: the program's function, or anything else that can be called.
    """
    name_task(coroutine, handler)
