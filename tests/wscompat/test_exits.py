"""Programs that end with connections open, or use them too late, do not crash (nor does wscore)."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

WAYS = [
    "open",
    "closed loop",
    "atexit",
    "atexit, closed loop",
    "atexit, running",
    "daemon threads",
    "daemon threads, used",
    "exit in a callback",
    "used while modules are deleted",
    "begun while modules are deleted",
    "garbage",
]

# Signs of an error of ours, beyond the expected exceptions.
OUR_ERROR = re.compile(r"Fatal Python error|SystemError|KeyError|'NoneType' object")


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("way", WAYS)
def test_the_end_of_a_program(way: str, loop: str, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.wscompat.exits", way, loop, str(tmp_path)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert not OUR_ERROR.search(done.stderr), done.stderr
