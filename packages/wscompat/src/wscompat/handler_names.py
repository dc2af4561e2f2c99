"""The name of the program's handler, for what asyncio says in debug mode of the task that runs it.

asyncio names a task's outermost coroutine only, which is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

__all__ = ["name_handler"]


def name_handler(coroutine: Coroutine[Any, Any, Any], handler: Callable[..., Any]) -> None:
    """Have a coroutine's name begin with that of the handler that it runs.

    Args:
        coroutine: what the task runs.
        handler: the program's function, or anything else that can be called.
    """
    while isinstance(handler, partial):
        handler = handler.func
    name = getattr(handler, "__qualname__", type(handler).__qualname__)
    if hasattr(coroutine, "__qualname__"):  # not all that a subclass may return has one
        coroutine.__qualname__ = f"{name}() in {coroutine.__qualname__}"
