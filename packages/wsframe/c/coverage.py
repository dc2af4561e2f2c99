# ruff: noqa: T201 -- a program, for people to read
"""Measure the coverage of libwsframe by its unit tests, with gcc and gcov.

Builds with the preset "coverage", runs the tests, prints lines and branches of each source file,
and exits with status 1 if parser or writer (header codec, close payloads) miss any.

    python coverage.py
"""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent
BUILD = ROOT / "build" / "coverage"

# Every line and branch of these must run.
COMPLETE = {"parser.c", "header.c", "header_codec.h", "close.c", "utf8.c", "error.c"}

# By file: line -> times run, and (line, number of the branch) -> times taken.
Lines = dict[str, dict[int, int]]
Branches = dict[str, dict[tuple[int, int], int]]


def run_tests() -> None:
    """Build and run the unit tests, counting from zero."""
    subprocess.run(["cmake", "--preset", "coverage"], cwd=ROOT, check=True, stdout=sys.stderr)
    for old in BUILD.rglob("*.gcda"):
        old.unlink()
    for step in (["cmake", "--build", "--preset", "coverage"], ["ctest", "--preset", "coverage"]):
        subprocess.run(step, cwd=ROOT, check=True, stdout=sys.stderr)


def collect() -> tuple[Lines, Branches]:
    """Add up what gcov counted for all sources of the library, headers included."""
    lines: Lines = defaultdict(lambda: defaultdict(int))
    branches: Branches = defaultdict(lambda: defaultdict(int))
    counters = sorted((BUILD / "CMakeFiles" / "wsframe.dir").rglob("*.gcda"))
    output = subprocess.run(
        ["gcov", "--json-format", "--branch-probabilities", "--stdout", *counters],
        cwd=BUILD,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    for report in output.splitlines():
        for source in json.loads(report)["files"] if report else []:
            path = Path(source["file"])
            if path.parent.name != "src":
                continue
            for line in source["lines"]:
                number = line["line_number"]
                lines[path.name][number] += line["count"]
                for i, branch in enumerate(line["branches"]):
                    branches[path.name][number, i] += branch["count"]
    return lines, branches


def share(counts: dict[int, int] | dict[tuple[int, int], int]) -> str:
    """Return how many of some counts are not zero."""
    hit = sum(1 for count in counts.values() if count)
    return f"{hit:4} of {len(counts):4}  {100 * hit / len(counts):5.1f} %" if counts else "-"


def main() -> int:
    """Measure and print; exit with status 1 if a file is not completely covered."""
    run_tests()
    lines, branches = collect()
    good = True
    print(f"{'':16}{'lines':24}{'branches':24}")
    for name in sorted(lines):
        print(f"{name:16}{share(lines[name]):24}{share(branches[name]):24}")
        missed = sorted(
            {n for n, count in lines[name].items() if not count}
            | {n for (n, _), count in branches[name].items() if not count}
        )
        if missed:
            print(f"    missed, in whole or in part: lines {', '.join(map(str, missed))}")
        good = good and not (missed and name in COMPLETE)
    absent = COMPLETE - lines.keys()
    if absent:
        print(f"not measured: {', '.join(sorted(absent))}")
    return 0 if good and not absent else 1


if __name__ == "__main__":
    sys.exit(main())
