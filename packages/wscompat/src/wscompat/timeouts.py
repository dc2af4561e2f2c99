"""Checks the times that `connect` and `serve` are given, and converts them for wscore."""

from __future__ import annotations

from functools import partial

from wscore.connection import seconds

__all__ = ["check_timeouts", "core_timeout"]

#: That of wscore, but for negative times, which the model takes.
check_timeouts = partial(seconds.check_timeouts, takes_negative=True)


def core_timeout(timeout: float | None) -> float | None:
    """Return the timeout in the form of wscore, which accepts no negative times.

    Args:
        timeout: seconds, or None for no limit; 0 or less leaves no time at all.
    """
    if timeout is None or timeout > 0:
        return timeout
    return 0.0
