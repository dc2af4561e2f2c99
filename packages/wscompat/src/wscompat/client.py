"""How a client connects again: which failures pass, and how long to wait after each."""

from __future__ import annotations

import random
from collections.abc import Generator

from .exceptions import InvalidMessage, InvalidStatus

__all__ = ["backoff", "process_exception"]

_TRANSIENT_STATUSES = {500, 502, 503, 504}


def backoff(
    initial_delay: float = 5.0,
    min_delay: float = 3.1,
    max_delay: float = 90.0,
    factor: float = 1.618,
) -> Generator[float, None, None]:
    """Generate the delays between attempts: a random one first, then longer and longer ones.

    Args:
        initial_delay: seconds that the first delay is shorter than.
        min_delay: seconds of the second one.
        max_delay: seconds that none is longer than.
        factor: what each is multiplied with to give the next.
    """
    yield random.random() * initial_delay
    delay = min_delay
    while True:
        yield min(delay, max_delay)
        delay = min(delay * factor, max_delay)


def process_exception(exc: Exception) -> Exception | None:
    """Tell whether another attempt may succeed where this one failed.

    It may after an error of the network or a timeout, after a server that hung up before it
    answered, and after an answer with status 500, 502, 503 or 504.

    Args:
        exc: what the attempt raised.

    Returns:
        None if it may; the exception to raise if not.
    """
    if isinstance(exc, OSError):  # TimeoutError is one
        return None
    if isinstance(exc, InvalidMessage) and isinstance(exc.__cause__, EOFError):
        return None
    if isinstance(exc, InvalidStatus) and exc.response.status_code in _TRANSIENT_STATUSES:
        return None
    return exc
