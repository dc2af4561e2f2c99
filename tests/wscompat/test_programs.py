"""Programs of other people that import websockets, on wscompat by `install`, each in its process.

They also run on websockets itself, which shows that a failure is not the program's.
"""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = ["gql_subscription", "obs_remote", "slack_bot"]


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("library", "loop"),
    [("wscompat", "asyncio"), ("wscompat", "uvloop"), ("websockets", "asyncio")],
)
def test_program(program: str, library: str, loop: str) -> None:
    command = [sys.executable, "-m", f"tests.wscompat.programs.{program}", library, loop]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
