"""Runs the Autobahn test suite against everything here that speaks WebSocket, and shows a table.

It is a program, `python -m tests.conformance.autobahn --help`; `nox -s conformance` installs the
suite and runs it. Each testee is judged as a server and as a client, on each event loop. The exit
status is 1 if any case is neither OK nor explained. It must not change what it tests: no option of
a testee depends on a case.
"""

import argparse
import asyncio
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests.conformance.suite import Selection, Suite
from tests.conformance.testees import TESTEES, Testee, ask
from tests.conformance.verdicts import FAILED, INFORMATIONAL, NON_STRICT, OK, Outcome, judge
from tests.interop.loops import LOOPS

ROOT = Path(__file__).parents[2]

SECTIONS = ("1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*")
DEFLATE_SECTIONS = ("12.*", "13.*")

# Each of these takes half a second up to many, most of it spent by the suite itself: messages
# of megabytes, in frames or writes of a few bytes, and a thousand messages in a row. Of those that
# are compressed, the first of each kind and one with fragments are left.
SLOW = (
    *(f"9.{kind}.{size}" for kind in (1, 2) for size in (5, 6)),
    *(f"9.{kind}.{size}" for kind in (3, 4, 5, 6) for size in (1, 2, 3, 4)),
    "9.7.*",
    "9.8.*",
    *(f"12.{kind}.{size}" for kind in range(1, 6) for size in range(2, 19) if size != 11),
    *(f"13.{kind}.{size}" for kind in range(1, 8) for size in range(2, 19) if size != 11),
)

KINDS = (OK, NON_STRICT, INFORMATIONAL, FAILED)


async def as_server(suite: Suite, testee: Testee, selection: Selection, run: str) -> Outcome:
    """Let the suite connect to the testee's server."""
    async with testee.serve() as port:
        done = await suite.fuzz_server(testee.name, port, selection)
    return judge(testee.name, f"server, {run}", done.announced, done.index)


async def as_client(suite: Suite, testee: Testee, selection: Selection, run: str) -> Outcome:
    """Let the testee's client connect to the suite, once for each case."""
    async with suite.fuzzing_server(testee.name, selection) as server:
        count = int(await ask(f"{server.url}/getCaseCount"))
        for number in range(1, count + 1):
            await testee.echo(f"{server.url}/runCase?case={number}&agent={testee.name}")
        await ask(f"{server.url}/updateReports?agent={testee.name}")
    return judge(testee.name, f"client, {run}", server.announced, server.index)


async def both(
    suite: Suite, testee: Testee, selection: Selection, run: str
) -> tuple[Outcome, Outcome]:
    """Test both roles at once: much of the time the suite only waits."""
    async with asyncio.TaskGroup() as tasks:
        server = tasks.create_task(as_server(suite, testee, selection, run))
        client = tasks.create_task(as_client(suite, testee, selection, run))
    return server.result(), client.result()


class Progress:
    """One line that says where the run is, on a terminal; else nothing."""

    def __init__(self) -> None:
        self.what = ""

    def __call__(self, case: str) -> None:
        """Show the id of a case."""
        if sys.stderr.isatty():
            print(f"\r{self.what}: case {case:10}", end="", file=sys.stderr, flush=True)

    def done(self, seconds: float, outcomes: Iterable[Outcome]) -> None:
        """Say how a run went."""
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
        bad = sum(len(outcome.failures) for outcome in outcomes)
        print(f"{self.what}: {seconds:.0f} s, {f'{bad} FAILED' if bad else 'ok'}", flush=True)


def select(testee: Testee, cases: Sequence[str] | None, full: bool) -> Selection:
    """Return the cases for one testee.

    Args:
        testee: who is judged; compression is tested only with those that have it.
        cases: those that were asked for, or None.
        full: whether the slow ones run, too.
    """
    if cases is not None:
        return Selection(cases)
    sections = SECTIONS + DEFLATE_SECTIONS if testee.compresses else SECTIONS
    return Selection(sections, () if full else SLOW)


def run_all(
    program: Path,
    folder: Path,
    names: Sequence[str],
    loops: Sequence[str],
    cases: Sequence[str] | None,
    full: bool,
) -> list[Outcome]:
    """Run every testee on every loop, and return how it went."""
    progress = Progress()
    outcomes: list[Outcome] = []
    for name in names:
        for loop in loops:
            progress.what = f"{name} on {loop}"
            began = time.monotonic()
            suite = Suite(program, folder / loop, progress)
            selection = select(TESTEES[name], cases, full)
            with asyncio.Runner(loop_factory=LOOPS[loop]) as runner:
                pair = runner.run(both(suite, TESTEES[name], selection, loop))
            progress.done(time.monotonic() - began, pair)
            outcomes += pair
    return outcomes


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the counts of all runs, then what explains those that are not OK."""
    head = f"{'testee':16} {'as':16} {'cases':>6}" + "".join(f" {kind:>13}" for kind in KINDS)
    lines = [head]
    for outcome in outcomes:
        counts = "".join(f" {outcome.counts[kind]:13}" for kind in KINDS)
        lines.append(f"{outcome.testee:16} {outcome.run:16} {outcome.announced:6}{counts}")
    reasons: dict[tuple[str, str], dict[str, None]] = {}
    for outcome in outcomes:
        for text, cases in outcome.explained.items():
            reasons.setdefault((text, outcome.testee), {}).update(dict.fromkeys(cases))
    if reasons:
        lines += ["", "not OK, and right:"]
    lines += [f"- {who}, {', '.join(cases)}: {text}" for (text, who), cases in reasons.items()]
    return "\n".join(lines)


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--wstest", type=Path, required=True, help="the suite's program")
    parser.add_argument(
        "--reports", type=Path, default=ROOT / ".cache" / "autobahn" / "reports", help="folder"
    )
    parser.add_argument("--full", action="store_true", help="run the slow cases too")
    parser.add_argument("--cases", nargs="+", help="such as 6.* or 9.1.1")
    parser.add_argument("--testee", nargs="+", choices=TESTEES, default=list(TESTEES))
    parser.add_argument("--loop", nargs="+", choices=LOOPS, default=list(LOOPS))
    given = parser.parse_args()
    folder: Path = given.reports.absolute()
    shutil.rmtree(folder, ignore_errors=True)
    outcomes = run_all(
        given.wstest.absolute(), folder, given.testee, given.loop, given.cases, given.full
    )
    print(f"\n{table(outcomes)}")
    failures = [
        f"{outcome.testee} as {outcome.run}: {text}"
        for outcome in outcomes
        for text in outcome.failures
    ]
    if failures:
        print("\nFAILED:", *failures, sep="\n")
    print(f"\nreports: {folder}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
