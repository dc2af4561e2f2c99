"""The loop that repeats attempts to connect, for the asynchronous iterators of both APIs."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Generator
from typing import TypeVar

from .typing import LoggerLike

__all__ = ["connect_persistently"]

C = TypeVar("C")


async def connect_persistently(
    connector: Awaitable[C],
    make_delays: Callable[[], Generator[float, None, None]],
    logger: LoggerLike,
    process_exception: Callable[[Exception], Exception | None] = lambda exc: None,
) -> C:
    """Repeat an attempt to connect until it succeeds.

    Args:
        connector: an object that makes one attempt each time it is awaited.
        make_delays: makes a generator of the seconds between attempts.
        logger: where failed attempts are logged.
        process_exception: returns None for an exception after which to try again, or the exception
            to raise.
    """
    delays = None
    while True:
        try:
            return await connector
        except Exception as exc:
            fatal = process_exception(exc)
            if fatal is exc:
                raise
            if fatal is not None:
                raise fatal from exc
            delays = delays or make_delays()
            delay = next(delays)
            (summary,) = traceback.format_exception_only(exc)
            logger.info("connect failed; reconnecting in %.1f seconds: %s", delay, summary.rstrip())
            await asyncio.sleep(delay)
