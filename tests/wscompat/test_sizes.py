"""How large the next frame may be."""

import pytest

from wscompat.sizes import room


@pytest.mark.parametrize(
    ("message", "fragment", "current", "expected"),
    [
        (None, None, None, None),
        (None, None, 5, None),
        (None, 7, 5, 7),
        (10, None, None, 10),
        (10, None, 4, 6),
        (10, None, 10, 0),
        (10, 5, None, 5),
        (10, 5, 4, 5),
        (10, 5, 7, 3),
    ],
)
def test_room(
    message: int | None, fragment: int | None, current: int | None, expected: int | None
) -> None:
    assert room(message, fragment, current) == expected
