"""When to ping and when to give up, as tables: the times that things happen, and the verdicts."""

import math

import pytest

from wscore import WSAutoPingStrategy
from wscore.auto_ping import AutoPing, Verdict, auto_ping_maker

WAIT, PING, DEAD = Verdict.WAIT, Verdict.PING, Verdict.DEAD
IDLE = WSAutoPingStrategy.PING_WHEN_IDLE
PERIODIC = WSAutoPingStrategy.PING_PERIODICALLY

# What happens at which second: data arrives, the pong arrives, or somebody looks, and is told the
# verdict and when to look again. Ten seconds until a ping, four until it must be answered.
Event = tuple[float, str] | tuple[float, Verdict, float]

TABLES: dict[str, tuple[WSAutoPingStrategy, list[Event]]] = {
    "nothing yet": (IDLE, [(0, WAIT, 10), (3, WAIT, 7), (9.5, WAIT, 0.5)]),
    "a look that came too early is told how long is left": (
        IDLE, [(9.75, WAIT, 0.25), (9.9375, WAIT, 0.0625), (10, PING, 4)],
    ),
    "idle for just as long": (IDLE, [(10, PING, 4)]),
    "a look that came late": (IDLE, [(25, PING, 4)]),
    "data puts it off": (
        IDLE, [(6, "data"), (10, WAIT, 6), (12, "data"), (16, WAIT, 6), (22, PING, 4)],
    ),
    "data does not put off a periodic one": (PERIODIC, [(6, "data"), (10, PING, 4)]),
    "answered": (IDLE, [(10, PING, 4), (11, "pong"), (14, WAIT, 6), (20, PING, 4)]),
    "answered, and data since": (
        IDLE, [(10, PING, 4), (11, "data"), (11, "pong"), (14, WAIT, 7), (21, PING, 4)],
    ),
    "answered, periodic": (
        PERIODIC, [(10, PING, 4), (11, "pong"), (13, "data"), (14, WAIT, 6), (20, PING, 4)],
    ),
    "answered at the last moment": (
        IDLE, [(10, PING, 4), (13.5, WAIT, 0.5), (13.75, "pong"), (14, WAIT, 6)],
    ),
    "not answered": (IDLE, [(10, PING, 4), (13, WAIT, 1), (14, DEAD, 0)]),
    "not answered, periodic": (PERIODIC, [(10, PING, 4), (14, DEAD, 0)]),
    "not answered, seen late": (IDLE, [(10, PING, 4), (99, DEAD, 0)]),
    "data is no answer": (IDLE, [(10, PING, 4), (12, "data"), (14, DEAD, 0)]),
    "the time to answer begins with the ping, not when it was due": (
        IDLE, [(13, PING, 4), (14, WAIT, 3), (17, DEAD, 0)],
    ),
    "a pong that nobody waits for": (IDLE, [(5, "pong"), (10, PING, 4), (14, DEAD, 0)]),
    "two pongs": (IDLE, [(10, PING, 4), (11, "pong"), (12, "pong"), (14, WAIT, 6)]),
    "dead stays dead": (IDLE, [(10, PING, 4), (14, DEAD, 0), (15, DEAD, 0)]),
    "several rounds": (
        PERIODIC,
        [e for t in range(10, 60, 10) for e in ((t, PING, 4), (t + 1, "pong"), (t + 4, WAIT, 6))],
    ),
}  # fmt: skip


def play(logic: AutoPing, events: list[Event], start: float) -> None:
    for event in events:
        now = start + event[0]
        match event[1:]:
            case ("data",):
                logic.data_received(now)
            case ("pong",):
                logic.pong_received()
            case (verdict, delay):
                assert logic.look(now) == (verdict, delay), f"at {event[0]}"


@pytest.mark.parametrize("start", [0, 2.0**20])
@pytest.mark.parametrize(("strategy", "events"), TABLES.values(), ids=TABLES.keys())
def test_verdicts(strategy: WSAutoPingStrategy, events: list[Event], start: float) -> None:
    """The clock may begin anywhere."""
    play(AutoPing(strategy, 10, 4, start), events, start)


@pytest.mark.parametrize("strategy", WSAutoPingStrategy)
def test_is_waiting(strategy: WSAutoPingStrategy) -> None:
    logic = AutoPing(strategy, 10, 4, 0)
    assert not logic.is_waiting
    assert logic.look(5)[0] is WAIT
    assert not logic.is_waiting
    assert logic.look(10)[0] is PING
    assert logic.is_waiting
    logic.data_received(11)
    assert logic.is_waiting
    logic.pong_received()
    assert not logic.is_waiting
    assert logic.look(21)[0] is PING
    assert logic.is_waiting
    assert logic.look(25)[0] is DEAD


def test_reply_timeout() -> None:
    assert AutoPing(IDLE, 10, 4, 0).reply_timeout == 4


def looks(strategy: WSAutoPingStrategy, idle: float, reply: float, until: float) -> list[float]:
    """When pings are sent to a peer that answers each at once, if looks come when asked for."""
    logic = AutoPing(strategy, idle, reply, 0)
    now = 0.0
    pings = []
    while now < until:
        verdict, delay = logic.look(now)
        assert verdict is not DEAD
        assert delay > 0
        if verdict is PING:
            pings.append(now)
            logic.pong_received()
        now += delay
    return pings


@pytest.mark.parametrize("strategy", WSAutoPingStrategy)
def test_period(strategy: WSAutoPingStrategy) -> None:
    assert looks(strategy, 10, 4, 45) == [10, 20, 30, 40]
    assert looks(strategy, 4, 4, 17) == [4, 8, 12, 16]


@pytest.mark.parametrize("strategy", WSAutoPingStrategy)
def test_period_shorter_than_the_time_to_answer(strategy: WSAutoPingStrategy) -> None:
    assert looks(strategy, 4, 10, 17) == [4, 8, 12, 16]


WRONG = [0, -1, -0.001, 0.0, -math.inf, math.nan]


@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_timeouts(wrong: float) -> None:
    for timeouts in ((wrong, 4), (10, wrong)):
        with pytest.raises(ValueError, match="must be positive"):
            AutoPing(IDLE, *timeouts, 0)
        with pytest.raises(ValueError, match="must be positive"):
            auto_ping_maker(True, IDLE, *timeouts)
        assert auto_ping_maker(False, IDLE, *timeouts) is None  # not used, so not wrong


@pytest.mark.parametrize("wrong", [0, 3, None, "PING_WHEN_IDLE"])
def test_wrong_strategies(wrong: object) -> None:
    with pytest.raises(ValueError, match="is not a WSAutoPingStrategy"):
        auto_ping_maker(True, wrong, 10, 4)  # type: ignore[arg-type]
    assert auto_ping_maker(True, 2, 10, 4) is not None  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [None, "10"])
def test_timeouts_of_a_wrong_type(wrong: object) -> None:
    for timeouts in ((wrong, 4), (10, wrong)):
        with pytest.raises(TypeError):
            auto_ping_maker(True, IDLE, *timeouts)  # type: ignore[arg-type]


def test_maker() -> None:
    """Each connection has a state of its own."""
    make = auto_ping_maker(True, PERIODIC, 10, 4)
    assert make is not None
    first, second = make(0), make(5)
    assert first.look(10) == (PING, 4)
    assert second.look(10) == (WAIT, 5)
    assert not second.is_waiting
    play(make(0), TABLES["data does not put off a periodic one"][1], 0)


@pytest.mark.parametrize("idle", [math.inf, 1e300])
def test_never(idle: float) -> None:
    assert AutoPing(IDLE, idle, 4, 0).look(1e9)[0] is WAIT
