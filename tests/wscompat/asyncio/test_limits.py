"""Limits given as a number or a pair."""

import sys
from typing import Any

import pytest

from wscompat.asyncio.client import connect
from wscompat.asyncio.limits import MaxSize, check_marks, core_sizes, high_and_low


def test_high_and_low() -> None:
    assert high_and_low(16) == (16, None)
    assert high_and_low(None) == (None, None)
    assert high_and_low((16, 2)) == (16, 2)


@pytest.mark.parametrize(
    ("limit", "message", "frame"),
    [
        (None, sys.maxsize, None),
        (10, 10, 10),
        ((10, None), 10, None),
        ((None, 5), sys.maxsize, 5),
        ((10, 5), 10, 5),
    ],
)
def test_core_sizes(limit: MaxSize, message: int, frame: int | None) -> None:
    assert core_sizes(limit) == {"max_message_size": message, "max_frame_size": frame}


@pytest.mark.parametrize("limit", [(1, 2), (0, 1), (4, -1)])
def test_marks_in_the_wrong_order(limit: tuple[int, int]) -> None:
    """They are refused before anything is connected or listened to."""
    with pytest.raises(ValueError, match="must be at least low"):
        check_marks(16, limit)
    for name in ("max_queue", "write_limit"):
        options: dict[str, Any] = {name: limit}
        with pytest.raises(ValueError, match="must be at least low"):
            connect("ws://localhost/", **options)
    check_marks(None, (None, 3), (3, None), (3, 3), 0)
