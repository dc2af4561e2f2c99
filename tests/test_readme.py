"""The programs of the README work as they stand there, but for the port, which may be taken."""

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MARK = "```python\n"
BOUND = 30  # seconds; none of this takes more than one


def free_port() -> str:
    """Return a port of loopback that nobody listens on at the moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


def programs() -> dict[str, tuple[str, str]]:
    """Return the server and the client under each heading of the README that has programs."""
    found: dict[str, tuple[str, str]] = {}
    for section in ROOT.joinpath("README.md").read_text("utf-8").split("\n## ")[1:]:
        blocks = [part.partition("```")[0] for part in section.split(MARK)[1:]]
        if blocks:
            server, client = blocks
            found[section.partition(":")[0]] = server, client
    return found


@contextmanager
def running(program: str) -> Iterator[subprocess.Popen[str]]:
    """Yield the program in a process of its own, ended with the block."""
    command = [sys.executable, "-X", "utf8", "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("package", ["wscompat", "wscore"])
def test_the_client_gets_its_message_back(package: str) -> None:
    port = free_port()
    server, client = (
        re.sub(r"8765|9001", port, program, count=1) for program in programs()[package]
    )
    with running(server) as serving:
        assert serving.stdout is not None
        assert serving.stdout.readline() == "listening\n"
        with running(client) as connecting:
            output, _ = connecting.communicate(timeout=BOUND)
    assert output == "Žluťoučký kůň\n"
    assert connecting.returncode == 0


def test_both_apis_are_shown() -> None:
    assert list(programs()) == ["wscompat", "wscore"]
