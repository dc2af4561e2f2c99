"""Judges what the Autobahn test suite reports: each case is fine, explained, or a failure.

Nothing passes here because it used to: what the suite does not call OK needs an explanation in the
table below, for this case, this outcome and this testee.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OK = "OK"
NON_STRICT = "NON-STRICT"
INFORMATIONAL = "INFORMATIONAL"
FAILED = "FAILED"


@dataclass(frozen=True)
class Explanation:
    """Why an outcome other than OK is right.

    Attributes:
        text: the reason.
        behavior: the outcome.
        cases: the ids of the cases.
        close: the outcomes of the closing handshake that go with it.
        testees: to which testees it applies; to all if empty.
        code: the close code that the testee has to have sent, or None for any.
    """

    text: str
    behavior: str
    cases: Sequence[str]
    close: Sequence[str] = (OK,)
    testees: Sequence[str] = ()
    code: int | None = None

    def fits(self, testee: str, case: str, result: dict[str, Any]) -> bool:
        """Tell whether a result is the one that is explained."""
        return (
            case in self.cases
            and result["behavior"] == self.behavior
            and result["behaviorClose"] in self.close
            and (not self.testees or testee in self.testees)
            and (self.code is None or result.get("remoteCloseCode") == self.code)
        )


EXPLANATIONS = (
    Explanation(
        "the suite only records what an endpoint does with a CLOSE right behind a long message",
        INFORMATIONAL,
        ("7.1.6",),
        close=(INFORMATIONAL,),
    ),
    Explanation(
        "the suite takes close codes of 5000 and above as undefined; they are refused with 1002",
        INFORMATIONAL,
        ("7.13.1", "7.13.2"),
        close=(INFORMATIONAL,),
        code=1002,
    ),
    Explanation(
        "good messages and a bad frame came in one read, and the connection failed before the "
        "task that receives messages could answer",
        NON_STRICT,
        ("3.2", "3.3", "3.4", "4.1.3", "4.1.4", "4.1.5", "4.2.3", "4.2.4", "4.2.5", "5.15"),
        testees=("wscore-messages", "wscompat"),
        code=1002,
    ),
    Explanation(
        "a message in 65537 fragments is over the limit, which cannot be changed in this API, and "
        "websockets 17.4 answers likewise",
        FAILED,
        ("9.3.1", "9.4.1"),
        close=(FAILED,),
        testees=("wscompat",),
        code=1009,
    ),
    Explanation(
        "a CLOSE within a fragmented message is answered with 1002, as websockets 17.4 does",
        FAILED,
        ("7.1.5",),
        close=("WRONG CODE",),
        testees=("wscompat",),
        code=1002,
    ),
)


@dataclass
class Outcome:
    """What became of one run of the suite.

    Attributes:
        testee: its name.
        run: what was run with it, for the table.
        announced: how many cases the suite said it would run.
        counts: how often the suite said what.
        explained: the explanations that were needed, and the cases they were needed for.
        failures: one line for each case that is not fine, and for each other thing that is wrong.
    """

    testee: str
    run: str
    announced: int
    counts: Counter[str] = field(default_factory=Counter)
    explained: dict[str, list[str]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def judge(testee: str, run: str, announced: int, index: Path) -> Outcome:
    """Read the index of a run's reports, and judge every case.

    Args:
        testee: the name under which it was tested.
        run: says which run it was.
        announced: how many cases the suite said it would run.
        index: path of `index.json`; the report of each case is beside it.
    """
    outcome = Outcome(testee, run, announced)
    if not index.is_file():
        outcome.failures.append("the suite wrote no report")
        return outcome
    results = json.loads(index.read_text()).get(testee, {})
    for case in sorted(results, key=case_order):
        result = results[case]
        outcome.counts[result["behavior"]] += 1
        if (result["behavior"], result["behaviorClose"]) == (OK, OK):
            continue
        if text := _explanation(testee, case, result):
            outcome.explained.setdefault(text, []).append(case)
        else:
            outcome.failures.append(_failure(case, result, index.parent))
    if announced == 0 or len(results) != announced:
        outcome.failures.append(f"{announced} cases were announced, {len(results)} reported")
    return outcome


def case_order(case: str) -> list[int]:
    """Return what to sort the ids of cases by."""
    return [int(part) for part in case.split(".")]


def _explanation(testee: str, case: str, result: dict[str, Any]) -> str | None:
    found = (e.text for e in EXPLANATIONS if e.fits(testee, case, result))
    return next(found, None)


def _failure(case: str, result: dict[str, Any], folder: Path) -> str:
    """Say what was tested, what was expected, and what came."""
    line = (
        f"case {case}: {result['behavior']}, closing {result['behaviorClose']}, "
        f"close code {result.get('remoteCloseCode')}"
    )
    path = folder / str(result.get("reportfile"))
    if not path.is_file():
        return line
    report = json.loads(path.read_text())
    details = ("description", "expectation", "result", "resultClose", "remoteCloseReason")
    return "\n    ".join([line, *(f"{name}: {report.get(name)}" for name in details)])
