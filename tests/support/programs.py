"""Runs Python files as programs of their own, the way a reader of the documentation does.

They get this interpreter with warnings as errors, and are ended with the block they run in.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Seconds for one program to say something or to end; each needs well below one.
PATIENCE = 30


def _command(program: str, arguments: tuple[object, ...]) -> list[str]:
    options = ("-X", "utf8", "-X", "dev", "-W", "error")
    return [sys.executable, *options, str(ROOT / program), *map(str, arguments)]


def run(program: str, *arguments: object) -> str:
    """Run a program to its end, and return what it printed.

    Args:
        program: its path, from the top of the repository.
        *arguments: for its command line.

    Raises:
        subprocess.CalledProcessError: its exit status is not 0.
        subprocess.TimeoutExpired: it took too long.
    """
    done = subprocess.run(
        _command(program, arguments),
        stdout=subprocess.PIPE,
        check=True,
        timeout=PATIENCE,
        encoding="utf-8",
    )
    return done.stdout


@contextmanager
def server(program: str, *arguments: object) -> Iterator[str]:
    """Run a program that does not end by itself, and give the first line it prints."""
    with subprocess.Popen(
        _command(program, arguments), stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()
