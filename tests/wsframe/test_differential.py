"""A short run of the differential fuzzing, so that it cannot rot. Long runs: FUZZING.md."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "packages" / "wsframe" / "fuzz" / "differential.py"


@pytest.mark.parametrize("seed", [1, 2])
def test_parser_model_and_wsproto_agree(seed: int) -> None:
    pytest.importorskip("wsproto")
    result = subprocess.run(
        [sys.executable, SCRIPT, "--seconds", "1", "--seed", str(seed)],
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert result.returncode == 0, result.stderr
    assert "equal" in result.stdout
