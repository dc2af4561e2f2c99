"""The benchmark of fairness: what it computes, that it runs, and that its page is up to date."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import wsframe
from benchmarks.fairness import percentiles, wire
from benchmarks.fairness.page import as_page
from benchmarks.fairness.situations import SITUATIONS
from tests.support.skips import lacking

ROOT = Path(__file__).parents[2]


def test_percentiles_are_of_all_that_was_measured() -> None:
    late = percentiles.summarize(number / 1000 for number in range(1000))
    assert (late.p50, late.p99, late.p999, late.worst) == (500, 990, 999, 999)
    assert late.count == 1000
    with pytest.raises(ValueError, match="nothing"):
        percentiles.summarize([])


def test_what_a_stall_has_kept_from_beginning_counts() -> None:
    assert percentiles.with_missed([0.25, 4.0], 1.0) == [0.25, 4.0, 3.0, 2.0, 1.0]


@pytest.mark.parametrize("size", [16, 100, 200, 70_000])
def test_clients_send_what_is_valid(size: int) -> None:
    frames = wsframe.FrameParser(wsframe.Role.SERVER).feed(wire.masked(bytes(size)))
    assert [(frame.fin, bytes(frame.payload)) for frame in frames] == [(True, bytes(size))]


@pytest.mark.skipif(sys.platform != "linux", reason=lacking("epoll"))
@pytest.mark.parametrize("contender", ["wscore", "websockets"])
def test_it_runs(contender: str, tmp_path: Path) -> None:
    """Each kind of server, for a blink."""
    results = tmp_path / "results.json"
    command = ["--contender", contender, "--situation", "flood-1", "--json", str(results)]
    command += ["--seconds", "0.1", "--rounds", "1"]
    subprocess.run(
        [sys.executable, "-m", "benchmarks.fairness", *command], cwd=ROOT, check=True, timeout=50
    )
    document = json.loads(results.read_text(encoding="utf-8"))
    subjects = document["situations"]["flood-1"]
    assert set(subjects) == {f"{contender} · {loop}" for loop in ("asyncio", "uvloop")}
    for figures in subjects.values():
        assert figures["echo"]["count"] > 0
        assert figures["messages"] > figures["echo"]["count"]


def test_page_shows_what_was_measured() -> None:
    late = {"p50": 0.25, "p99": 2.5, "p999": 12.5, "worst": 1250.0, "count": 1000}
    figures = {"echo": late, "timers": late, "messages": 12345, "lost": 0}
    machine = {"processor": "one", "cores": 2, "kernel": "6", "libc": "glibc", "python": "3.11"}
    document = {
        "date": "2026-01-01T00:00",
        "machine": machine | {"load": 0.5},
        "cores_shared": True,
        "versions": {"wscore": "0.1"},
        "how": {"seconds": 2.0, "rounds": 1},
        "situations": {situation.name: {"wscore · uvloop": figures} for situation in SITUATIONS},
    }
    page = as_page(document)
    assert "| wscore · uvloop | 0.25 | 2.5 | 12.5 | 1,250 | 12.5 | 1,250 | 12,345 |" in page
    assert all(situation.title in page for situation in SITUATIONS)
    assert "share one" in page
