"""Limits of sizes and queues, many of which can be given as one number or as a pair."""

from __future__ import annotations

import sys
from typing import Any

__all__ = [
    "MAX_FRAGMENTS",
    "MaxQueue",
    "MaxSize",
    "WriteLimit",
    "as_pair",
    "check_limits",
    "check_marks",
    "core_sizes",
    "frame_size_only",
    "payload_limit",
]

MAX_FRAGMENTS = 4096
"""Frames of a message that is received as a whole."""

MaxSize = int | tuple[int | None, int | None] | None
"""Bytes of a message, or of a message and of one fragment."""

MaxQueue = int | tuple[int | None, int | None] | None
"""High-water mark, or high and low, in frames."""

WriteLimit = int | tuple[int, int | None]
"""High-water mark, or high and low, in bytes."""


def check_limits(*, max_size: MaxSize, max_queue: MaxQueue, write_limit: WriteLimit) -> None:
    """Check the limits of a connection before there is one.

    Raises:
        TypeError: if one is no integer.
        ValueError: if one is too small, is more than a pair, or a low mark is above the high one.
    """
    if (
        type(max_size) is type(max_queue) is type(write_limit) is int
        and max_size > 0
        and max_queue >= 0
        and write_limit >= 0
    ):
        # The fast path of nearly all connections: each client pays for this check.
        return
    limits = {"max_size": max_size, "max_queue": max_queue, "write_limit": write_limit}
    for name, limit in limits.items():
        _check_numbers(name, limit)
    check_marks(*as_pair(max_queue))
    check_marks(*as_pair(write_limit))
    for name, limit in limits.items():
        least = 1 if name == "max_size" else 0
        if any(value is not None and value < least for value in as_pair(limit)):
            raise ValueError(f"{name} must be at least {least}, or None for no limit, not {limit}")


def _check_numbers(name: str, limit: Any) -> None:
    """Raise if a limit is neither an integer nor a pair of them."""
    values = as_pair(limit)
    if len(values) != 2:
        raise ValueError(f"{name} must be a number or a pair of numbers, not {limit!r}")
    for value in values:
        if value is not None and not hasattr(value, "__index__"):
            raise TypeError(f"{name} must be an integer, not {value!r}")


def check_marks(high: int | None, low: int | None) -> None:
    """Check a pair of water marks; the messages are those of websockets.

    Raises:
        ValueError: if the low mark is negative, or above the high one.
    """
    if high is not None and low is not None:
        if low < 0:
            raise ValueError("low must be positive or equal to zero")
        if high < low:
            raise ValueError("high must be greater than or equal to low")


def as_pair(limit: MaxSize | MaxQueue | WriteLimit) -> tuple[int | None, int | None]:
    """Return both numbers of a limit; None for one that is not given."""
    return _pair(limit, None)


def payload_limit(
    max_message_size: int | None, max_fragment_size: int | None, current_size: int | None
) -> int | None:
    """Return how many bytes the payload of the next frame may have.

    Args:
        max_message_size: bytes of a message; None for no limit.
        max_fragment_size: bytes of a fragment; None for no limit.
        current_size: bytes of the message under way that have come; None if there is none.

    Returns:
        The limit; None for no limit.
    """
    if max_message_size is None:
        return max_fragment_size
    left = max_message_size if current_size is None else max_message_size - current_size
    return left if max_fragment_size is None else min(left, max_fragment_size)


def frame_size_only(limit: MaxSize) -> dict[str, Any]:
    """Return the limit of a frame as arguments of wscore, where messages are measured elsewhere."""
    return {"max_message_size": sys.maxsize, "max_frame_size": payload_limit(*as_pair(limit), None)}


def core_sizes(limit: MaxSize) -> dict[str, Any]:
    """Return the same limits as arguments of wscore; one frame may be as large as a message."""
    message, fragment = _pair(limit, limit)
    if message is None:
        message = sys.maxsize  # otherwise wscore would take the limit of a frame
    return {"max_message_size": message, "max_frame_size": fragment}


def _pair(limit: Any, second: Any) -> tuple[Any, Any]:
    """Return both numbers of a pair; for a single number, that and `second`."""
    return tuple(limit) if isinstance(limit, tuple | list) else (limit, second)
