"""Marks in order, and those that are not."""

import pytest

from wscore.loop.water_marks import check_marks


@pytest.mark.parametrize(("high", "low"), [(0, 0), (1, 0), (64, 64), (65536, 16384)])
def test_in_order(high: int, low: int) -> None:
    check_marks(high, low)


@pytest.mark.parametrize(("high", "low"), [(1, 2), (0, -1), (-1, -2), (-1, 0)])
def test_not_in_order(high: int, low: int) -> None:
    with pytest.raises(ValueError, match=rf"^high \({high}\) must be at least low \({low}\)"):
        check_marks(high, low)
