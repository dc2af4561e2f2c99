"""The storm of connections: that it runs with each kind of server, and counts."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.skips import lacking

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "connect_storm.py"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason=lacking("/proc, which Linux has"))


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_all_are_served(loop: str) -> None:
    kinds = ["asyncio", "wscore", "wscompat"]
    sizes = ["--clients", "40", "--processes", "2"]
    command = [sys.executable, SCRIPT, *sizes, "--loop", loop, *kinds]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows = [line.split(" | ")[:3] for line in done.stdout.splitlines()[3:]]
    assert rows == [[f"| {kind}", "40", "none"] for kind in kinds]
