"""When to ping and when to give up, as tables: the times that things happen, and the verdicts."""

import math

import pytest

from wscore import WSAutoPingStrategy
from wscore.connection.auto_ping import AutoPing, ReplyClock, Verdict, auto_ping_maker

WAIT, PING, READ, DEAD = Verdict.WAIT, Verdict.PING, Verdict.READ, Verdict.DEAD
IDLE = WSAutoPingStrategy.PING_WHEN_IDLE
PERIODIC = WSAutoPingStrategy.PING_PERIODICALLY

# When to ping. What happens at which second: data arrives, or somebody looks, and is told the
# verdict and when to look again. Ten seconds until a ping.
Event = tuple[float, str] | tuple[float, Verdict, float]

TABLES: dict[str, tuple[WSAutoPingStrategy, list[Event]]] = {
    "nothing yet": (IDLE, [(0, WAIT, 10), (3, WAIT, 7), (9.5, WAIT, 0.5)]),
    "a look that came too early is told how long is left": (
        IDLE, [(9.75, WAIT, 0.25), (9.9375, WAIT, 0.0625), (10, PING, 0)],
    ),
    "idle for just as long": (IDLE, [(10, PING, 0)]),
    "a look that came late": (IDLE, [(25, PING, 0), (26, WAIT, 9)]),
    "data puts it off": (
        IDLE, [(6, "data"), (10, WAIT, 6), (12, "data"), (16, WAIT, 6), (22, PING, 0)],
    ),
    "data does not put off a periodic one": (PERIODIC, [(6, "data"), (10, PING, 0)]),
    "the next one": (IDLE, [(10, PING, 0), (11, WAIT, 9), (20, PING, 0)]),
    "the next one, after data": (
        IDLE, [(10, PING, 0), (11, "data"), (14, WAIT, 7), (21, PING, 0)],
    ),
    "data from before the ping, heard of late": (
        IDLE, [(10, PING, 0), (9, "data"), (14, WAIT, 6)],
    ),
    "the next one, periodic": (
        PERIODIC, [(10, PING, 0), (13, "data"), (14, WAIT, 6), (20, PING, 0)],
    ),
    "an answer that took longer than the period": (
        PERIODIC, [(10, PING, 0), (33, PING, 0), (34, WAIT, 9)],
    ),
}  # fmt: skip


def play(logic: AutoPing, events: list[Event], start: float) -> None:
    for event in events:
        now = start + event[0]
        match event[1:]:
            case ("data",):
                logic.data_received(now)
            case (verdict, delay):
                assert logic.look(now) == (verdict, delay), f"at {event[0]}"


@pytest.mark.parametrize("start", [0, 2.0**20])
@pytest.mark.parametrize(("strategy", "events"), TABLES.values(), ids=TABLES.keys())
def test_verdicts(strategy: WSAutoPingStrategy, events: list[Event], start: float) -> None:
    """The clock may begin anywhere."""
    play(AutoPing(strategy, 10, 4, start), events, start)


def test_reply_timeout() -> None:
    assert AutoPing(IDLE, 10, 4, 0).reply_timeout == 4


# When to give up a ping that was sent at second 0 and is to be answered within 4. At which second
# somebody looks; when the peer has last taken something, if it did since the look before; whether
# something of the peer's was not read yet; the verdict, and when to look again.
Look = tuple[float, float | None, bool, Verdict, float]

REPLIES: dict[str, list[Look]] = {
    "looks, some more often than at the end": [
        (0, None, False, WAIT, 1), (1, None, False, WAIT, 1), (3, None, False, WAIT, 1),
    ],
    "the last look is at the end": [(3.5, None, False, WAIT, 0.5)],
    "nothing comes": [(4, None, False, READ, 0), (4, None, False, DEAD, 0)],
    "a look that came late": [(99, None, False, READ, 0), (99, None, False, DEAD, 0)],
    "the peer takes something": [
        (1, 0.5, False, WAIT, 1), (4, None, False, WAIT, 0.5), (4.5, None, False, READ, 0),
        (4.5, None, False, DEAD, 0),
    ],
    "the peer takes something all the time": [
        (t, t - 0.25, True, WAIT, 1) for t in range(1, 99)
    ],
    "what it took long ago does not count": [
        (3, 2.5, False, WAIT, 1), (3.5, 1, False, WAIT, 1), (6.5, None, False, READ, 0),
    ],
    "what it took is seen when the time is up": [
        (9, 8, False, WAIT, 1), (12, None, False, READ, 0),
    ],
    "what it took is seen after the last read": [
        (4, None, False, READ, 0), (4.5, 4.25, False, WAIT, 1), (8.25, None, False, READ, 0),
        (8.25, None, False, DEAD, 0),
    ],
    "much has come and is read": [
        (4, None, True, READ, 0), (5, None, True, READ, 0), (6, None, False, DEAD, 0),
    ],
    "a peer that sends without end is not waited for longer than once more": [
        (5, None, True, READ, 0), (8.5, None, True, READ, 0), (9, None, True, DEAD, 0),
    ],
    "what was not read is no answer": [(2, None, True, WAIT, 1), (4, None, True, READ, 0)],
}  # fmt: skip


@pytest.mark.parametrize("start", [0, 2.0**20])
@pytest.mark.parametrize("looks", REPLIES.values(), ids=REPLIES.keys())
def test_replies(looks: list[Look], start: float) -> None:
    clock = ReplyClock(4, start)
    for now, progress_at, has_unread, verdict, delay in looks:
        progress_at = None if progress_at is None else start + progress_at
        found = clock.look(start + now, progress_at, has_unread=has_unread)
        assert found == (verdict, delay), f"at {now}"


def looks(strategy: WSAutoPingStrategy, idle: float, reply: float, until: float) -> list[float]:
    """When pings are sent to a peer that answers each at once, if looks come when asked for."""
    logic = AutoPing(strategy, idle, reply, 0)
    now = 0.0
    pings = []
    while now < until:
        verdict, delay = logic.look(now)
        if verdict is PING:
            pings.append(now)
        else:
            assert delay > 0
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
    assert first.look(10) == (PING, 0)
    assert second.look(10) == (WAIT, 5)
    play(make(0), TABLES["data does not put off a periodic one"][1], 0)


@pytest.mark.parametrize("idle", [math.inf, 1e300])
def test_never(idle: float) -> None:
    assert AutoPing(IDLE, idle, 4, 0).look(1e9)[0] is WAIT
