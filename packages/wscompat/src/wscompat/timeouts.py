"""Checks the times that `connect` and `serve` are given, and says what wscore is told of them."""

from __future__ import annotations

from typing import Any

from wscore.seconds import check_seconds

__all__ = ["check_timeouts", "core_timeout"]


def check_timeouts(**timeouts: Any) -> None:
    """Refuse what is neither a number of seconds nor None, which stands for no limit.

    Args:
        **timeouts: the values by the names of the arguments; negative ones are allowed.

    Raises:
        TypeError: if one cannot be added to the time of a loop.
        OverflowError: if one is an integer that is too large for that.
    """
    for name, value in timeouts.items():
        if value is not None:
            check_seconds(name, value)


def core_timeout(timeout: float | None) -> float | None:
    """What wscore, which takes no negative times, is told of one.

    Args:
        timeout: seconds, or None for no limit; what is not positive leaves no time at all.
    """
    if timeout is None or timeout > 0:
        return timeout
    return 0.0
