"""Checks of arguments that are times, in the call that passes them.

The loop would see a wrong value only later, within a callback, where its error reaches no caller.
"""

from __future__ import annotations

import math
from typing import Any

__all__ = ["check_seconds", "check_timeouts"]


def check_timeouts(*, takes_negative: bool = False, **timeouts: Any) -> None:
    """Check that values are seconds, or None for no limit.

    Args:
        takes_negative: whether negative values, and NaN, are allowed.
        **timeouts: the values by the names of the arguments.

    Raises:
        TypeError: if one cannot be added to the time of a loop.
        OverflowError: if one is an integer that is too large for that.
        ValueError: if one is negative, or NaN.
    """
    for name, value in timeouts.items():
        if value is not None:
            check_seconds(name, value)
            if not (takes_negative or value >= 0):  # nor is NaN
                raise ValueError(f"{name} cannot be negative: {value}")


def check_seconds(name: str, value: Any) -> None:
    """Check that a value is a number of seconds.

    Args:
        name: the argument's name.
        value: its value.

    Raises:
        TypeError: if it cannot be added to the time of a loop.
        OverflowError: if it is an integer that is too large for that.
    """
    try:
        math.isnan(0.0 + value)
    except (TypeError, OverflowError) as exc:
        raise type(exc)(f"{name} must be a number of seconds, not {value!r}") from None
