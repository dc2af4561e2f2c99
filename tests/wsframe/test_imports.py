"""What importing wsframe brings along, and what it says of itself."""

import subprocess
import sys
from importlib.metadata import version

import wsframe


def test_no_event_loop_is_imported() -> None:
    code = "import wsframe, sys; print('asyncio' in sys.modules or 'socket' in sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.strip() == "False"


def test_versions_agree() -> None:
    assert wsframe.__version__ == version("wsframe")
