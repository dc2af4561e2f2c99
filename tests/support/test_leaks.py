"""The watch over what tests leave behind catches it, and nothing else."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

CONFTEST = """
from tests.conftest import (
    _loop, no_leaks, pytest_asyncio_loop_factories, pytest_make_collect_report,
    pytest_runtest_makereport,
)
"""

BEGIN = """
import asyncio
import socket

import pytest

from tests.support.skips import lacking

kept = []
"""

TIDY = """
async def test_tidy():
    async def echo(reader, writer):
        writer.write(await reader.read(1))
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"x")
    assert await reader.read() == b"x"
    writer.close()
    server.close()
    await server.wait_closed()
"""

TASK = """
async def test_task():
    kept.append(asyncio.create_task(asyncio.sleep(3600)))
"""

SOCKET = """
async def test_socket():
    kept.append(socket.create_server(("127.0.0.1", 0)))
"""

EXCEPTION = """
async def test_exception():
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)
"""

UNRETRIEVED = """
async def test_unretrieved():
    async def fail():
        1 / 0

    asyncio.create_task(fail())
    await asyncio.sleep(0)
"""

EXPECTED = """
async def test_expected(no_leaks):
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0.001)
    (context,) = no_leaks
    assert isinstance(context["exception"], ZeroDivisionError)
    no_leaks.clear()
"""

ENDLESS = """
@pytest.mark.timeout(0.5)
async def test_endless():
    await asyncio.sleep(3600)
"""

SKIPPED = """
def test_skipped():
    pytest.skip("no time")
"""

LACKING = """
def test_lacking():
    pytest.skip(lacking("a computer"))
"""

MODULE = """
pytest.skip("no time", allow_module_level=True)
"""


# One run for all of them: starting pytest takes longer than the tests.
PROGRAMS = (TIDY, EXPECTED, TASK, SOCKET, EXCEPTION, UNRETRIEVED, ENDLESS, SKIPPED, LACKING)


def run(folder: Path, no_skip: str) -> str:
    """Run pytest with this repository's settings, and return what it prints."""
    folder.joinpath("conftest.py").write_text(CONFTEST)
    folder.joinpath("test_all.py").write_text(BEGIN + "\n".join(PROGRAMS))
    folder.joinpath("test_module.py").write_text(BEGIN + MODULE)
    environment = {**os.environ, "CI": "", "WS_TESTS_NO_SKIP": no_skip, "NO_COLOR": "1"}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-c",
            ROOT / "pyproject.toml",
            "-rA",
            "--continue-on-collection-errors",
            folder,
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=environment,
        timeout=50,
    )
    return done.stdout


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    return run(tmp_path_factory.mktemp("lax"), "")


@pytest.fixture(scope="module")
def strict_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    return run(tmp_path_factory.mktemp("strict"), "1")


LOOPS = pytest.mark.parametrize("loop", ["asyncio", "uvloop"])


@LOOPS
@pytest.mark.parametrize("name", ["test_tidy", "test_expected"])
def test_nothing_is_left_behind(report: str, name: str, loop: str) -> None:
    assert re.search(rf"^PASSED .*::{name}\[{loop}\]", report, re.MULTILINE)
    assert not re.search(rf"^ERROR .*::{name}\[{loop}\]", report, re.MULTILINE)


@LOOPS
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("test_task", "task: <Task pending"),
        ("test_socket", "AF_INET ('127.0.0.1',"),
        ("test_exception", "unhandled: Exception in callback"),
        ("test_unretrieved", "unhandled: Task exception was never retrieved"),
    ],
)
def test_something_is_left_behind(report: str, name: str, said: str, loop: str) -> None:
    assert re.search(rf"^ERROR .*::{name}\[{loop}\]", report, re.MULTILINE)
    _, _, section = report.partition(f"ERROR at teardown of {name}[{loop}] ")
    assert said in section.partition("\n____")[0]


@LOOPS
def test_a_test_without_end_is_ended(report: str, loop: str) -> None:
    assert re.search(rf"^FAILED .*::test_endless\[{loop}\]", report, re.MULTILINE)


def test_skips_are_only_shown(report: str) -> None:
    assert re.findall(r"^SKIPPED [^:]*:\d+: (.*)$", report, re.MULTILINE) == [
        "no time",
        "no time",
        "lacking: a computer",
    ]


def test_skips_fail_unless_something_is_lacking(strict_report: str) -> None:
    assert re.findall(r"^SKIPPED [^:]*:\d+: (.*)$", strict_report, re.MULTILINE) == [
        "lacking: a computer"
    ]
    assert re.search(r"^FAILED .*::test_skipped", strict_report, re.MULTILINE)
    assert re.search(r"^ERROR .*test_module\.py", strict_report, re.MULTILINE)
