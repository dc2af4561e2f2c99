"""Figures from the visits: rates, ratios within rounds, CPU time per message.

Ratios are taken within a round, because a machine's speed changes from one to the next.
"""

import dataclasses
from collections import defaultdict
from statistics import median, quantiles

from .measuring import Series, Visit

__all__ = ["Figures", "summarize"]


@dataclasses.dataclass(frozen=True)
class Spread:
    """A median, with the quartiles around it."""

    median: float
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class Figures:
    """The figures of one subject in one series.

    Attributes:
        rate: messages (connections) per second by the clock.
        busy_rate: the same by the CPU time of both endpoints; on a core without other load the two
            are equal.
        of_reference: its rate relative to the C reference.
        of_baseline: its rate relative to the baseline on the same loop.
        user: microseconds of CPU time per message, outside the kernel.
        system: the same inside the kernel.
        user_of_baseline: user time relative to the baseline on the same loop.
        kib: KiB per connection, in the idle case.
    """

    rate: Spread
    busy_rate: Spread
    of_reference: Spread | None
    of_baseline: Spread | None
    user: float
    system: float
    user_of_baseline: float | None
    kib: float | None


def spread(values: list[float]) -> Spread:
    if len(values) < 2:
        return Spread(*values * 3)
    low, _, high = quantiles(values, n=4, method="inclusive")
    return Spread(median(values), low, high)


def rate(visit: Visit, *, busy: bool) -> float:
    seconds = visit.cpu + visit.peer_cpu if busy else visit.seconds
    return visit.count / max(seconds, 1e-9)


def ratios(visits: list[Visit], others: list[Visit], *, busy: bool) -> Spread | None:
    other = {visit.round: rate(visit, busy=busy) for visit in others}
    values = [
        rate(visit, busy=busy) / other[visit.round] for visit in visits if other.get(visit.round)
    ]
    return spread(values) if values else None


def shares(visits: list[Visit]) -> tuple[float, float]:
    """Return user and system time per message, in microseconds."""
    user = sum(visit.user for visit in visits)
    system = sum(visit.system for visit in visits)
    total = sum(visit.cpu for visit in visits)
    count = max(1, sum(visit.count for visit in visits))
    share = user / (user + system) if user + system else 0.0
    return 1e6 * total * share / count, 1e6 * total * (1 - share) / count


def summarize(
    series: Series, visits: list[Visit], reference: str, baseline: str, *, busy: bool
) -> dict[str, Figures]:
    """Summarize one series.

    Args:
        series: the series.
        visits: all of its visits.
        reference: the subject that is the limit.
        baseline: the contender to compare with, on the same loop.
        busy: compute ratios from rates by CPU time, if both endpoints share a core; for shared
            machines.

    Returns:
        The figures of each subject.
    """
    by_subject: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        by_subject[visit.subject].append(visit)
    busy = busy and series.case.one_core
    figures = {}
    for name, mine in by_subject.items():
        contender, _, loop = name.partition(" · ")
        other = by_subject.get(f"{baseline} · {loop}", []) if contender != reference else []
        user, system = shares(mine)
        other_user = shares(other)[0] if other else 0
        idle = series.case.is_idle
        figures[name] = Figures(
            spread([rate(visit, busy=False) for visit in mine]),
            spread([rate(visit, busy=True) for visit in mine]),
            ratios(mine, by_subject.get(reference, []), busy=busy),
            ratios(mine, other, busy=busy) if other else None,
            user,
            system,
            user / other_user if other_user else None,
            mine[0].memory / 1024 / max(1, mine[0].count) if idle else None,
        )
    return figures
