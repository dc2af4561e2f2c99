"""What the benchmark makes of its visits: numbers worked out by hand."""

import pytest

from benchmarks.bench.cases import Case
from benchmarks.bench.measuring import Series, Visit
from benchmarks.bench.statistics import summarize

REFERENCE, BASELINE = "C reference", "picows"


def visit(subject: str, number: int, count: int, **changes: float) -> Visit:
    values = {"seconds": 1.0, "cpu": 0.5, "peer_cpu": 0.5, "user": 0.1, "system": 0.4, "memory": 0}
    return Visit(subject, number, count, **(values | changes))


def test_ratios_are_taken_within_rounds() -> None:
    visits = [
        visit(REFERENCE, 0, 1000),
        visit("picows · uvloop", 0, 500),
        visit("wscore · uvloop", 0, 600),
        # The machine is ten times slower now, which no ratio may show.
        visit(REFERENCE, 1, 100),
        visit("picows · uvloop", 1, 50),
        visit("wscore · uvloop", 1, 60),
    ]
    series = Series(Case("echo"), "server", False)
    figures = summarize(series, visits, REFERENCE, BASELINE, busy=False)
    assert figures["wscore · uvloop"].of_reference.median == pytest.approx(0.6)
    assert figures["wscore · uvloop"].of_baseline.median == pytest.approx(1.2)
    assert figures["wscore · uvloop"].of_baseline.high == pytest.approx(1.2)
    assert figures[REFERENCE].of_baseline is None


def test_the_baseline_is_the_one_on_the_same_loop() -> None:
    visits = [
        visit("picows · uvloop", 0, 500),
        visit("picows · asyncio", 0, 400),
        visit("wscore · asyncio", 0, 600),
    ]
    series = Series(Case("echo"), "server", False)
    figures = summarize(series, visits, REFERENCE, BASELINE, busy=False)
    assert figures["wscore · asyncio"].of_baseline.median == pytest.approx(1.5)
    assert figures["wscore · asyncio"].of_reference is None


@pytest.mark.parametrize(("one_core", "ratio"), [(True, 2.0), (False, 1.0)])
def test_rates_by_processor_time_are_for_shared_cores(one_core: bool, ratio: float) -> None:
    visits = [
        visit("picows · uvloop", 0, 100, cpu=0.3, peer_cpu=0.5),
        visit("wscore · uvloop", 0, 100, cpu=0.2, peer_cpu=0.2),
    ]
    series = Series(Case("stream", one_core=one_core), "client", False)
    figures = summarize(series, visits, REFERENCE, BASELINE, busy=True)
    assert figures["wscore · uvloop"].of_baseline.median == pytest.approx(ratio)


def test_time_per_message_is_shared_as_the_ticks_say() -> None:
    visits = [
        visit("wscore · uvloop", number, 1000, cpu=0.01, user=user, system=0.01)
        for number, user in enumerate((0.0, 0.02))
    ]
    series = Series(Case("echo"), "server", False)
    found = summarize(series, visits, REFERENCE, BASELINE, busy=False)["wscore · uvloop"]
    assert (found.user, found.system) == (pytest.approx(5), pytest.approx(5))


def test_memory_is_by_connection() -> None:
    visits = [visit("wscore · uvloop", 0, 100, memory=100 * 8 * 1024)]
    series = Series(Case("idle", peer="idle"), "server", False)
    found = summarize(series, visits, REFERENCE, BASELINE, busy=False)["wscore · uvloop"]
    assert found.kib == pytest.approx(8)


def test_the_tasks_change_sides_with_the_role() -> None:
    case = Case("receive", task="sink", peer="source")
    assert case.tasks("server") == ("sink", "source")
    assert case.tasks("client") == ("source", "sink")
