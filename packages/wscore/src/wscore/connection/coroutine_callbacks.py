"""Warnings about callbacks of a listener that can never run because they are coroutine functions.

They are called and their coroutine is dropped, as by picows. A program that has one by mistake may
still work, so its connections are not refused, but its author should know.
"""

from __future__ import annotations

import inspect
from weakref import WeakSet

from ..logs import Logger

__all__ = ["report_coroutines"]

_CALLBACKS = (
    "on_ws_connected",
    "on_ws_frame",
    "on_ws_message",
    "on_ws_disconnected",
    "fault_reason",
    "send_user_specific_ping",
    "is_user_specific_pong",
    "pause_writing",
    "resume_writing",
)

#: Classes of listeners that have been checked.
_known: WeakSet[type] = WeakSet()


def report_coroutines(kind: type, logger: Logger) -> None:
    """Log a warning for each callback that is a coroutine function, once for each class.

    Args:
        kind: the class of a listener.
        logger: the logger of the warning.
    """
    if kind in _known:
        return
    _known.add(kind)
    for name in _CALLBACKS:
        callback = getattr(kind, name, None)
        if inspect.iscoroutinefunction(callback) or inspect.isasyncgenfunction(callback):
            logger.warning(
                "%s.%s is never run, since callbacks are not awaited: make it a plain function, "
                "which may start a task",
                kind.__qualname__,
                name,
            )
