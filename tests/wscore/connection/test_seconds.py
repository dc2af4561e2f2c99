"""Times that are no numbers are refused at the call, by the name of the argument."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from tests.support.tls import Tls
from tests.wscore.recorder import Recorder
from tests.wscore.servers import LOOPBACK, serving, talk_to
from wscore import ws_connect, ws_create_server
from wscore.connection.seconds import check_seconds, check_timeouts

NO_NUMBERS = ["20", b"1", [1], (1, 2), object, Decimal(1)]
TIMEOUTS = ["websocket_handshake_timeout", "disconnect_timeout"]
AUTO_PING = ["auto_ping_idle_timeout", "auto_ping_reply_timeout"]


def test_numbers() -> None:
    for number in (20, 0.5, 0, -1, True, Fraction(1, 2), math.inf, math.nan):
        check_seconds("a", number)
    check_timeouts(a=1, b=None)


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_no_numbers(value: Any) -> None:
    with pytest.raises(TypeError, match=r"^b must be a number of seconds, not "):
        check_timeouts(a=1, b=value)


def test_too_large_a_number() -> None:
    with pytest.raises(OverflowError, match=r"^a must be a number of seconds, not 1000"):
        check_timeouts(a=10**400)


@pytest.mark.parametrize("name", TIMEOUTS + AUTO_PING)
@pytest.mark.parametrize("value", NO_NUMBERS)
async def test_arguments(name: str, value: Any) -> None:
    options: dict[str, Any] = {name: value, "enable_auto_ping": True}
    with pytest.raises(TypeError, match=f"^{name} must be a number of seconds"):
        await ws_connect(Recorder, "ws://nowhere.invalid/", **options)
    with pytest.raises(TypeError, match=f"^{name} must be a number of seconds"):
        await ws_create_server(lambda _: Recorder(), LOOPBACK, 0, **options)


@pytest.mark.parametrize("name", TIMEOUTS)
@pytest.mark.parametrize("value", [-1, -0.5, -math.inf, math.nan])
async def test_negative_arguments(name: str, value: float) -> None:
    options: dict[str, Any] = {name: value}
    with pytest.raises(ValueError, match=f"^{name} cannot be negative: {value}"):
        await ws_connect(Recorder, "ws://nowhere.invalid/", **options)
    with pytest.raises(ValueError, match=f"^{name} cannot be negative: {value}"):
        await ws_create_server(lambda _: Recorder(), LOOPBACK, 0, **options)


@pytest.mark.parametrize("name", AUTO_PING)
async def test_auto_ping_has_limits(name: str) -> None:
    options: dict[str, Any] = {name: None, "enable_auto_ping": True}
    with pytest.raises(TypeError, match=f"^{name} must be a number of seconds, not None"):
        await ws_connect(Recorder, "ws://nowhere.invalid/", **options)


@pytest.mark.parametrize("name", ["ssl_handshake_timeout", "ssl_shutdown_timeout"])
async def test_arguments_about_tls(tls: Tls, name: str) -> None:
    options: dict[str, Any] = {name: "20"}
    with pytest.raises(TypeError, match=f"^{name} must be a number of seconds"):
        await ws_connect(Recorder, "wss://nowhere.invalid/", **options)
    with pytest.raises(TypeError, match=f"^{name} must be a number of seconds"):
        await ws_create_server(lambda _: Recorder(), LOOPBACK, 0, ssl=tls.server, **options)


@pytest.mark.parametrize("value", [5, 5.5, Fraction(11, 2), math.inf, None])
async def test_arguments_that_are_right(value: Any) -> None:
    options = dict.fromkeys(TIMEOUTS, value)
    if value is not None:
        options |= {"enable_auto_ping": True, **dict.fromkeys(AUTO_PING, value)}
    async with serving(LOOPBACK, 0, **options) as server:
        await talk_to(server, **options)
