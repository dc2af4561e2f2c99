"""The judge of the Autobahn reports passes what is fine or explained, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.verdicts import Outcome, case_order, judge


def result(behavior: str, close: str = "OK", code: int | None = 1000) -> dict[str, Any]:
    return {"behavior": behavior, "behaviorClose": close, "remoteCloseCode": code}


def judged(
    folder: Path, results: dict[str, Any], testee: str = "wscore", announced: int | None = None
) -> Outcome:
    index = folder / "index.json"
    index.write_text(json.dumps({testee: results}))
    return judge(testee, "", len(results) if announced is None else announced, index)


def test_ok(tmp_path: Path) -> None:
    outcome = judged(tmp_path, {"1.1.1": result("OK"), "1.1.2": result("OK")})
    assert outcome.counts == {"OK": 2}
    assert not outcome.failures
    assert not outcome.explained


@pytest.mark.parametrize(
    ("testee", "case", "bad"),
    [
        ("wscore", "1.1.1", result("FAILED", "OK")),
        ("wscore", "1.1.1", result("OK", "UNCLEAN")),
        ("wscore", "1.1.1", result("OK", "WRONG CODE")),
        ("wscore", "1.1.1", result("OK", "FAILED BY CLIENT")),
        ("wscore", "1.1.1", result("UNIMPLEMENTED", "OK")),
        ("wscore", "1.1.1", result("INFORMATIONAL", "INFORMATIONAL")),
        ("wscore", "3.2", result("NON-STRICT", "OK", 1002)),
        ("wscompat", "3.2", result("NON-STRICT", "OK", 1007)),
        ("wscompat", "3.2", result("NON-STRICT", "UNCLEAN", 1002)),
        ("wscompat", "6.4.1", result("NON-STRICT", "OK", 1007)),
        ("wscore", "7.13.1", result("INFORMATIONAL", "INFORMATIONAL", 1000)),
        ("wscore", "9.3.1", result("FAILED", "FAILED", 1009)),
    ],
)
def test_neither_ok_nor_explained(
    testee: str, case: str, bad: dict[str, Any], tmp_path: Path
) -> None:
    outcome = judged(tmp_path, {case: bad, "1.2.1": result("OK")}, testee)
    (failure,) = outcome.failures
    assert failure.startswith(f"case {case}: {bad['behavior']}, closing {bad['behaviorClose']}")
    assert not outcome.explained


def test_explained(tmp_path: Path) -> None:
    results = {
        "4.1.3": result("NON-STRICT", "OK", 1002),
        "3.2": result("NON-STRICT", "OK", 1002),
        "7.1.6": result("INFORMATIONAL", "INFORMATIONAL", None),
    }
    outcome = judged(tmp_path, results, "wscompat")
    assert not outcome.failures
    assert sorted(outcome.explained.values()) == [["3.2", "4.1.3"], ["7.1.6"]]
    assert outcome.counts == {"NON-STRICT": 2, "INFORMATIONAL": 1}


def test_failure_says_what_the_report_of_the_case_says(tmp_path: Path) -> None:
    report = {"description": "Send it.", "expectation": "Get it.", "result": "Not got."}
    (tmp_path / "case.json").write_text(json.dumps(report))
    outcome = judged(tmp_path, {"1.1.1": {**result("FAILED"), "reportfile": "case.json"}})
    (failure,) = outcome.failures
    assert "description: Send it." in failure
    assert "result: Not got." in failure


@pytest.mark.parametrize(("announced", "reported"), [(2, 1), (1, 2), (0, 0)])
def test_number_of_cases(announced: int, reported: int, tmp_path: Path) -> None:
    results = {f"1.1.{number}": result("OK") for number in range(1, reported + 1)}
    outcome = judged(tmp_path, results, announced=announced)
    assert outcome.failures == [f"{announced} cases were announced, {reported} reported"]


def test_no_report(tmp_path: Path) -> None:
    outcome = judge("wscore", "", 5, tmp_path / "index.json")
    assert outcome.failures == ["the suite wrote no report"]


def test_case_order() -> None:
    assert sorted(["10.1.1", "2.11", "2.2", "1.1.8"], key=case_order) == [
        *("1.1.8", "2.2", "2.11", "10.1.1")
    ]
