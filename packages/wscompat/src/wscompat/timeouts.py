"""Checks the times that `connect` and `serve` are given, and says what wscore is told of them."""

from __future__ import annotations

from wscore.seconds import check_timeouts

__all__ = ["check_timeouts", "disconnect_timeout"]


def disconnect_timeout(close_timeout: float | None) -> float | None:
    """How long wscore may take to end a connection, where there is this much time to close it.

    Args:
        close_timeout: seconds, or None for no limit; what is not positive leaves no time at all.
    """
    if close_timeout is None or close_timeout > 0:
        return close_timeout
    return 0.0
