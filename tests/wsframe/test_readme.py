"""Runs the Python program of the package's README."""

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parents[2] / "packages" / "wsframe" / "README.md"


def test_program() -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.DOTALL | re.MULTILINE)
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    assert result.stdout.splitlines() == [
        f"TEXT {'Grüße'.encode()!r}",
        "PING b'?'",
        "closed: 1000 bye",
    ]
