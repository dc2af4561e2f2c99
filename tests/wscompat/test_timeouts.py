"""Times that are not numbers are refused at the call; all that the model accepts are accepted."""

import math
from fractions import Fraction
from typing import Any

import pytest

from tests.wscompat.legacy.models import OURS
from tests.wscompat.libraries import WEBSOCKETS, WSCOMPAT, Library, serving, uri_of
from wscompat.asyncio.client import connect
from wscompat.asyncio.server import serve
from wscompat.timeouts import core_timeout

NAMES = ["open_timeout", "ping_interval", "ping_timeout", "close_timeout"]
NO_NUMBERS = ["20", b"1", [1], object]


async def nothing(connection: Any) -> None:
    pass


def test_timeouts_of_wscore() -> None:
    assert [core_timeout(value) for value in (None, 5, 0.5, math.inf)] == [
        *(None, 5, 0.5, math.inf)
    ]
    assert [core_timeout(value) for value in (0, -1, -math.inf, math.nan)] == [0.0] * 4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", NO_NUMBERS)
def test_no_numbers(name: str, value: Any) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(TypeError, match=f"^{name} must be a number of seconds"):
        connect("ws://localhost/", **options)
    with pytest.raises(TypeError, match=f"^{name} must be a number of seconds"):
        serve(nothing, "localhost", 0, **options)


@pytest.mark.parametrize("name", NAMES)
async def test_no_numbers_for_legacy(name: str) -> None:
    options: dict[str, Any] = {name: "20"}
    with pytest.raises(TypeError, match=f"^{name} must be a number of seconds"):
        OURS.client.connect("ws://localhost/", **options)
    with pytest.raises(TypeError, match=f"^{name} must be a number of seconds"):
        OURS.server.serve(nothing, "localhost", 0, **options)


async def works(library: Library, side: str, **options: Any) -> bool:
    """Return whether a client and a server talk, where one of them has these options."""

    async def echo(connection: Any) -> None:
        async for message in connection:
            await connection.send(message)

    client, server = (options, {}) if side == "client" else ({}, options)
    async with (
        serving(library, echo, **server) as served,
        library.connect(uri_of(served), proxy=None, **client) as connection,
    ):
        await connection.send("x")
        return bool(await connection.recv() == "x")


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, value) for name in NAMES for value in (5, 5.5, True, math.inf, None)),
        *(("ping_interval", value) for value in (0, -1, Fraction(11, 2))),
        *(("ping_timeout", value) for value in (0, -1)),
        *(("close_timeout", value) for value in (0, 0.0, -1, -0.5)),
    ],
)
async def test_what_the_model_takes(name: str, value: Any, side: str) -> None:
    assert await works(WEBSOCKETS, side, **{name: value})
    assert await works(WSCOMPAT, side, **{name: value})


@pytest.mark.parametrize("value", [0, -1])
@pytest.mark.parametrize("library", [WEBSOCKETS, WSCOMPAT], ids=str)
async def test_a_server_without_time_to_open(library: Library, value: float) -> None:
    async with serving(library, nothing, open_timeout=value) as server:
        with pytest.raises((OSError, WEBSOCKETS.exceptions.InvalidMessage)):
            await WEBSOCKETS.connect(uri_of(server), proxy=None, open_timeout=5)
