"""Percentiles of how late something was, with nothing left out while it was late.

Who waits for one answer before asking again meets a stall of a second once, though a hundred
questions would have been hit by it; likewise a timer that is set when the one before has fired. So
what would have been seen meanwhile is put in here.
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
    """Return the percentiles of some times; each is one that was measured."""
    found = sorted(seconds)
    if not found:
        raise ValueError("nothing was measured")

    def at(share: float) -> float:
        return 1e3 * found[min(len(found) - 1, int(share * len(found)))]

    return Late(at(0.5), at(0.99), at(0.999), 1e3 * found[-1], len(found))


def with_missed(lateness: Iterable[float], period: float) -> list[float]:
    """Return how late something was, with what could not even begin meanwhile.

    Args:
        lateness: of one after the other.
        period: seconds from the beginning of one to that of the next, without delay.
    """
    found = []
    for late in lateness:
        found.append(late)
        while late > period:
            late -= period
            found.append(late)
    return found
