"""The marks of a buffer: above the high one its source pauses, at the low one it goes on."""

from __future__ import annotations

__all__ = ["check_marks"]


def check_marks(high: int, low: int) -> None:
    """Check that the marks of a buffer are in order.

    Args:
        high: bytes, or items.
        low: as many at most, and no fewer than none.

    Raises:
        ValueError: if they are not.
    """
    if not high >= low >= 0:
        raise ValueError(f"high ({high}) must be at least low ({low}), and low at least 0")
