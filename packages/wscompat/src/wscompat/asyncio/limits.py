"""Limits that can be given as one number or as a pair."""

from __future__ import annotations

__all__ = [
    "MaxQueue",
    "MaxSize",
    "WriteLimit",
    "high_and_low",
    "max_frame_size",
    "max_message_size",
]

MaxSize = int | tuple[int | None, int | None] | None
"""Bytes of a message, or of a message and of one fragment."""

MaxQueue = int | tuple[int | None, int | None] | None
"""High-water mark, or high and low, in messages."""

WriteLimit = int | tuple[int, int | None]
"""High-water mark, or high and low, in bytes."""

_UNLIMITED = 2**63 - 1  # what the length field of a frame can hold (RFC 6455, 5.2)


def high_and_low(limit: MaxQueue | WriteLimit) -> tuple[int | None, int | None]:
    """Both water marks; None for what is not given."""
    return limit if isinstance(limit, tuple) else (limit, None)


def max_message_size(limit: MaxSize) -> int | None:
    """Bytes of a message; None for no limit."""
    return limit[0] if isinstance(limit, tuple) else limit


def max_frame_size(limit: MaxSize) -> int:
    """Bytes of one frame."""
    sizes = limit if isinstance(limit, tuple) else (limit,)
    return min((size for size in sizes if size is not None), default=_UNLIMITED)
