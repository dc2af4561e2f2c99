"""The demonstration as its user runs it: exit status, table, and what it says about a fault."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

DEMO = Path(__file__).with_name("demo.py")
FAULTY = "tests.interop.faulty_peers:"

# The whole demonstration takes seconds; this only ends one that hangs.
PATIENCE = 60.0


def demo(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it from a folder that is not the repository's, with an output that is no terminal."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")
    }
    return subprocess.run(
        (sys.executable, str(DEMO), "--seconds", "0.01", *arguments),
        capture_output=True,
        cwd=folder,
        encoding="utf-8",
        env=environment | {"COLUMNS": "80", "PYTHONUTF8": "1"},
        timeout=PATIENCE,
        check=False,
    )


def test_success_is_status_0_and_a_table(tmp_path: Path) -> None:
    done = demo(*("--clients", "websockets", "picows", "--servers", "picows"), folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    table = [line.split("│")[1:-1] for line in done.stdout.splitlines() if "│" in line]
    assert [[cell.strip() for cell in row][:3] for row in table] == [
        ["websockets", "picows", "plain"],
        ["websockets", "picows", "TLS"],
        ["picows", "picows", "plain"],
        ["picows", "picows", "TLS"],
    ]
    assert {row[-1].strip() for row in table} == {"ok"}
    assert "8 conversations" in done.stdout
    assert "all right" in done.stdout


def test_the_proxy_is_a_transport(tmp_path: Path) -> None:
    done = demo(
        *("--clients", "wscore", "wscompat", "--servers", "websockets"),
        *("--transports", "SOCKS5", "SOCKS5+TLS", "--loops", "asyncio"),
        folder=tmp_path,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "wscore -> websockets, SOCKS5+TLS, asyncio: " in done.stdout
    assert "4 conversations" in done.stdout


@pytest.mark.parametrize("fault", ["WRONG_BYTE", "WRONG_PONG", "WRONG_CLOSE_ANSWER"])
def test_a_mismatch_is_status_1_and_told(fault: str, tmp_path: Path) -> None:
    done = demo(
        *("--clients", "picows", "--servers", "picows", FAULTY + fault),
        *("--transports", "plain", "--loops", "asyncio"),
        folder=tmp_path,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FAILED" in done.stdout
    assert "1 of 2 FAILED" in done.stdout
    assert "expected" in done.stdout


@pytest.mark.parametrize("client", ["websockets", "picows"])
def test_a_server_that_crashes_is_status_1_and_the_others_go_on(
    client: str, tmp_path: Path
) -> None:
    done = demo(
        *("--clients", client, "--servers", FAULTY + "CRASHING", "picows"),
        *("--loops", "asyncio"),
        folder=tmp_path,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "2 of 4 FAILED" in done.stdout
    assert "during: text, not all of it ASCII" in done.stdout
    assert done.stderr == ""


def test_a_server_that_does_not_start_is_status_1_and_told(tmp_path: Path) -> None:
    done = demo(
        *("--clients", "picows", "--servers", "tests.interop.no_such_module:PEER", "picows"),
        *("--transports", "plain", "--loops", "asyncio"),
        folder=tmp_path,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 of 2 FAILED" in done.stdout
    assert "no_such_module" in done.stdout


def test_a_client_that_is_not_there_is_status_1_and_told(tmp_path: Path) -> None:
    done = demo(
        *("--clients", "tests.interop.no_such_module:PEER", "--servers", "picows"),
        *("--transports", "plain", "--loops", "asyncio"),
        folder=tmp_path,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "1 of 1 FAILED" in done.stdout
    assert "no_such_module" in done.stdout


def test_no_such_pair_is_status_2(tmp_path: Path) -> None:
    done = demo(
        *("--clients", "picows", "--servers", "picows", "--transports", "SOCKS5"), folder=tmp_path
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert "No pair" in done.stderr
