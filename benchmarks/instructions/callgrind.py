"""Run a program under callgrind, and read its counts.

The program calls `getppid` before and after each piece of work; at each of these calls callgrind
writes a file with the counts since the previous one.
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
        module: the module to run, with the current interpreter.
        root: the folder to run it in.
        folder: an empty folder for callgrind's files.

    Returns:
        The lines it has printed, and the counts for each of them.
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
    # The counts before the first call, and between two pieces of work, are not used.
    files = [folder / f"counted.{2 * index + 2}" for index in range(len(lines))]
    return lines, [read(file) for file in files]


def read(path: Path) -> Counts:
    """Sum up a file of callgrind's: its own cost of each object, calls not included."""
    names: dict[str, str] = {}
    counts: Counts = defaultdict(int)
    current = ""
    called = False  # the next cost is the inclusive cost of a call
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
