"""Limits given as a number or a pair."""

import sys
from typing import Any

import pytest

from tests.wscompat.libraries import WEBSOCKETS, WSCOMPAT, Library, serving, uri_of
from wscompat.asyncio.client import connect
from wscompat.asyncio.server import serve
from wscompat.limits import MaxSize, as_pair, check_marks, core_sizes, payload_limit


def test_as_pair() -> None:
    assert as_pair(16) == (16, None)
    assert as_pair(None) == (None, None)
    assert as_pair((16, 2)) == (16, 2)


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


async def nothing(connection: Any) -> None:
    pass


@pytest.mark.parametrize(
    ("name", "limit", "error", "text"),
    [
        ("max_size", -1, ValueError, "at least 1, or None for no limit, not -1"),
        ("max_size", 0, ValueError, "at least 1"),
        ("max_size", (None, 0), ValueError, "at least 1"),
        ("max_size", (0, None), ValueError, "at least 1"),
        ("max_size", 1.5, TypeError, "an integer, not 1.5"),
        ("max_size", "1", TypeError, "an integer"),
        ("max_size", (1, 2, 3), ValueError, "a number or a pair of numbers"),
        ("max_queue", -1, ValueError, "at least 0"),
        ("max_queue", (None, -1), ValueError, "at least 0"),
        ("max_queue", 1.5, TypeError, "an integer"),
        ("max_queue", (1,), ValueError, "a number or a pair of numbers"),
        ("write_limit", -1, ValueError, "at least 0"),
        ("write_limit", (-1, None), ValueError, "at least 0"),
        ("write_limit", "x", TypeError, "an integer"),
        ("write_limit", (1, 2, 3), ValueError, "a number or a pair of numbers"),
    ],
)
def test_limits_that_are_none(name: str, limit: Any, error: type[Exception], text: str) -> None:
    """They are refused by their own names, and at the call."""
    options: dict[str, Any] = {name: limit}
    with pytest.raises(error, match=f"^{name} must be {text}"):
        connect("ws://localhost/", **options)
    with pytest.raises(error, match=f"^{name} must be {text}"):
        serve(nothing, "localhost", 0, **options)


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize("library", [WSCOMPAT, WEBSOCKETS], ids=repr)
@pytest.mark.parametrize(
    ("name", "limit"),
    [
        *(("max_size", limit) for limit in (5, (5, 5), [5, 5], (None, None), (5, None), None)),
        *(("max_queue", limit) for limit in (0, 1, True, [5, 5], (5, 0), (None, 3), None)),
        *(("write_limit", limit) for limit in (0, 1, [5, 5], (5, 0), (None, 3))),
    ],
)
async def test_limits_that_the_model_takes(
    library: Library, name: str, limit: Any, side: str
) -> None:
    async def echo(connection: Any) -> None:
        async for message in connection:
            await connection.send(message)

    client, server = ({name: limit}, {}) if side == "client" else ({}, {name: limit})
    async with (
        serving(library, echo, **server) as served,
        library.connect(uri_of(served), proxy=None, **client) as connection,
    ):
        await connection.send("hello")
        assert await connection.recv() == "hello"


@pytest.mark.parametrize("limit", [(1, 2), (0, 1), (4, -1)])
def test_marks_in_the_wrong_order(limit: tuple[int, int]) -> None:
    """They are refused before anything is connected or listened to."""
    with pytest.raises(ValueError, match=r"^(low must be positive|high must be greater)"):
        check_marks(*limit)
    for name in ("max_queue", "write_limit"):
        options: dict[str, Any] = {name: limit}
        with pytest.raises(ValueError, match=r"^(low must be positive|high must be greater)"):
            connect("ws://localhost/", **options)
    for marks in ((None, None), (None, 3), (3, None), (3, 3)):
        check_marks(*marks)


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
    assert payload_limit(message, fragment, current) == expected
