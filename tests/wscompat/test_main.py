"""``python -m wscompat`` is the command."""

import subprocess
import sys


def test_it_is_the_command() -> None:
    def call(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "wscompat", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        return done.returncode, done.stdout

    assert call("--version") == (0, "wscompat 0.1.0\n")
    assert call() == (2, "")
