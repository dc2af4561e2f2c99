"""Limits that can be given as one number or as a pair."""

from __future__ import annotations

import sys
from typing import Any

from ..sizes import room

__all__ = [
    "MaxQueue",
    "MaxSize",
    "WriteLimit",
    "as_pair",
    "check_marks",
    "core_sizes",
    "frame_size_only",
    "high_and_low",
]

MaxSize = int | tuple[int | None, int | None] | None
"""Bytes of a message, or of a message and of one fragment."""

MaxQueue = int | tuple[int | None, int | None] | None
"""High-water mark, or high and low, in frames."""

WriteLimit = int | tuple[int, int | None]
"""High-water mark, or high and low, in bytes."""


def high_and_low(limit: MaxQueue | WriteLimit) -> tuple[int | None, int | None]:
    """Both water marks; None for what is not given."""
    return limit if isinstance(limit, tuple) else (limit, None)


def check_marks(*limits: MaxQueue | WriteLimit) -> None:
    """Check that low marks are not above high ones.

    Raises:
        ValueError: if one is.
    """
    for high, low in map(high_and_low, limits):
        if high is not None and low is not None and not 0 <= low <= high:
            raise ValueError(f"high ({high}) must be at least low ({low}), and low at least 0")


def as_pair(limit: MaxSize) -> tuple[int | None, int | None]:
    """Both limits, of a message and of a fragment; None for what is not given."""
    return limit if isinstance(limit, tuple) else (limit, None)


def frame_size_only(limit: MaxSize) -> dict[str, Any]:
    """The limit of a single frame as arguments of wscore, where messages are measured elsewhere."""
    return {"max_message_size": sys.maxsize, "max_frame_size": room(*as_pair(limit), None)}


def core_sizes(limit: MaxSize) -> dict[str, Any]:
    """The same limits as arguments of wscore; one frame may be as large as a message."""
    message, fragment = limit if isinstance(limit, tuple) else (limit, limit)
    if message is None:
        message = sys.maxsize  # otherwise wscore would take the limit of a frame
    return {"max_message_size": message, "max_frame_size": fragment}
