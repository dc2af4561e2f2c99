"""How large the next frame may be, where a message and each of its fragments have limits."""

from __future__ import annotations

__all__ = ["MAX_FRAGMENTS", "room"]

MAX_FRAGMENTS = 4096
"""Frames of a message that is received as a whole."""


def room(
    max_message_size: int | None, max_fragment_size: int | None, current_size: int | None
) -> int | None:
    """How many bytes the payload of the next frame may have.

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
