"""Which console a process gets; their output is tested with the command, in `test_cli`."""

import sys
from pathlib import Path

import pytest

from tests.wscompat.libraries import WSCOMPAT, serving, uri_of
from tests.wscompat.terminal import terminal
from tests.wscompat.test_cli import echo, environment
from wscompat.console import Pipes, open_console


def test_without_a_terminal(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    console = open_console(keeps_history=True)
    assert type(console) is Pipes
    assert not console.is_typed
    console.status("état")
    console.message("x\x1b")
    console.message(b"\x01")
    output, errors = capfdbinary.readouterr()
    assert output == b"x\x1b\n01\n"
    assert errors.decode() == "état\n"


async def test_without_the_line_editor(tmp_path: Path) -> None:
    """Lines are typed all the same."""
    program = (
        "import sys, importlib.util\n"
        "known = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda n: None if n == 'prompt_toolkit' else known(n)\n"
        "from wscompat.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    async with (
        serving(WSCOMPAT, echo) as server,
        terminal(
            *(sys.executable, "-c", program, uri_of(server)), env=environment(tmp_path)
        ) as screen,
    ):
        await screen.until(lambda lines: any(line.startswith("Connected") for line in lines))
        assert "pip install 'wscompat[cli]'" in screen.lines[0]
        screen.press(b"hello\r")
        await screen.until(lambda lines: "< hello" in lines)
        screen.press(b"\x04")
        assert await screen.process.wait() == 0
