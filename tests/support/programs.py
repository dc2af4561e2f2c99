"""Runs Python files as programs of their own, the way a reader of the documentation does.

They get this interpreter with warnings as errors, asyncio's loop or uvloop, and are ended with the
block they run in.
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]

# Seconds for one program to say something or to end; each needs well below one.
PATIENCE = 30


def _command(program: str, arguments: tuple[object, ...], loop: str) -> list[str]:
    options = ("-X", "utf8", "-X", "dev", "-W", "error")
    through = {"asyncio": (), "uvloop": (str(ROOT / "tests" / "support" / "on_uvloop.py"),)}
    return [sys.executable, *options, *through[loop], str(ROOT / program), *map(str, arguments)]


def run(program: str, *arguments: object, loop: str = "asyncio") -> str:
    """Run a program to its end, and return what it printed.

    Args:
        program: its path, from the top of the repository.
        *arguments: for its command line.
        loop: `asyncio` or `uvloop`.

    Raises:
        subprocess.CalledProcessError: its exit status is not 0.
        subprocess.TimeoutExpired: it took too long.
    """
    done = subprocess.run(
        _command(program, arguments, loop),
        stdout=subprocess.PIPE,
        check=True,
        timeout=PATIENCE,
        encoding="utf-8",
    )
    return done.stdout


@contextmanager
def running(
    program: str, *arguments: object, loop: str = "asyncio"
) -> Iterator[subprocess.Popen[str]]:
    """Run a program for as long as the block lasts; the arguments are those of `run`."""
    with subprocess.Popen(
        _command(program, arguments, loop), stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    """Return the next line that a running program prints."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


@contextmanager
def server(program: str, *arguments: object, loop: str = "asyncio") -> Iterator[str]:
    """Run a program that does not end by itself, and give the first line it prints."""
    with running(program, *arguments, loop=loop) as process:
        yield line_of(process)
