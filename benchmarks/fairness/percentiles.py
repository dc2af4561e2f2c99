"""Percentiles of lateness, corrected for coordinated omission.

A client that waits for each reply before the next request observes a stall of a second only once,
though it would have affected a hundred requests; the same holds for a timer that is set when the
previous one has fired. The values that would have been observed meanwhile are added here.
"""

import dataclasses
from collections.abc import Iterable

__all__ = ["Late", "summarize", "with_missed"]


@dataclasses.dataclass(frozen=True)
class Late:
    """Percentiles, in milliseconds."""

    p50: float
    p99: float
    p999: float
    worst: float
    count: int


def summarize(seconds: Iterable[float]) -> Late:
    """Return the percentiles of some times; each is one of the measured values."""
    found = sorted(seconds)
    if not found:
        raise ValueError("nothing was measured")

    def at(share: float) -> float:
        return 1e3 * found[min(len(found) - 1, int(share * len(found)))]

    return Late(at(0.5), at(0.99), at(0.999), 1e3 * found[-1], len(found))


def with_missed(lateness: Iterable[float], period: float) -> list[float]:
    """Return the lateness of all events, including those that could not start meanwhile.

    Args:
        lateness: the measured values, in order.
        period: seconds from the start of one event to that of the next, without delay.
    """
    found = []
    for late in lateness:
        found.append(late)
        while late > period:
            late -= period
            found.append(late)
    return found
