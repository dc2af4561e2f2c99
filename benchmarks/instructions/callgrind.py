"""Runs a program under callgrind, and reads what it has counted.

The program calls `getppid` before and after each piece of work; callgrind writes a file at each of
these calls, with what was counted since the one before.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

__all__ = ["Counts", "is_there", "run"]

NAME = re.compile(r"\((\d+)\)(?: (.*))?")
COST = re.compile(r"[+*\d-]\d* (\d+)")

# Instructions by the path of the object that has them.
Counts = dict[str, int]


def is_there() -> bool:
    return shutil.which("valgrind") is not None


def run(module: str, root: Path, folder: Path) -> tuple[list[str], list[Counts]]:
    """Run a module.

    Args:
        module: what to run, with the interpreter that runs this.
        root: the folder to run it in.
        folder: an empty one, for callgrind's files.

    Returns:
        The lines it has printed, and what was counted for each of them.
    """
    valgrind = [
        *("valgrind", "--tool=callgrind", "--quiet", "--dump-before=getppid"),
        f"--callgrind-out-file={folder}/counted",
    ]
    # The same addresses and the same hashes in every run.
    command = ["setarch", "--addr-no-randomize", *valgrind, sys.executable, "-m", module]
    environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=root, env=environment, check=True, capture_output=True, text=True, timeout=600
    )
    lines = done.stdout.splitlines()
    # What was counted before the first call, and between two pieces of work, is of no interest.
    files = [folder / f"counted.{2 * index + 2}" for index in range(len(lines))]
    return lines, [read(file) for file in files]


def read(path: Path) -> Counts:
    """Sum up a file of callgrind's: its own cost of each object, calls not included."""
    names: dict[str, str] = {}
    counts: Counts = defaultdict(int)
    current = ""
    called = False  # the next cost is what a call cost, inclusive
    for line in path.read_text().splitlines():
        if line.startswith(("ob=", "cob=")):
            key, name = NAME.fullmatch(line.partition("=")[2]).groups()  # type: ignore[union-attr]
            if name is not None:
                names[key] = name
            if line.startswith("ob="):
                current = names[key]
        elif line.startswith("calls="):
            called = True
        elif cost := COST.fullmatch(line):
            if not called:
                counts[current] += int(cost[1])
            called = False
    return dict(counts)
