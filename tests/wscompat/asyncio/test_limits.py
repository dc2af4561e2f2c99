"""Limits given as a number or a pair."""

import sys

import pytest

from wscompat.asyncio.limits import MaxSize, core_sizes, high_and_low


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
