"""Programs run on the loop that was asked for, with their arguments, and warnings are errors."""

import subprocess
from pathlib import Path

import pytest

from tests.support.programs import run, server

PROGRAM = """
import asyncio
import sys
import warnings


async def main():
    print(type(asyncio.get_running_loop()).__module__.partition(".")[0], *sys.argv[1:], __name__)
    if "warn" in sys.argv:
        warnings.warn("this is bad")
    if "stay" in sys.argv:
        sys.stdout.flush()
        await asyncio.Event().wait()


asyncio.run(main())
"""

LOOPS = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "program.py"
    path.write_text(PROGRAM, "utf-8")
    return str(path)


@LOOPS
def test_run(program: str, loop: str) -> None:
    assert run(program, 1, "ü", loop=loop) == f"{loop} 1 ü __main__\n"


@LOOPS
def test_a_warning_is_an_error(program: str, loop: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run(program, "warn", loop=loop)
    assert "UserWarning: this is bad" in capfd.readouterr().err


@LOOPS
def test_server(program: str, loop: str) -> None:
    with server(program, "stay", loop=loop) as line:
        assert line == f"{loop} stay __main__"
