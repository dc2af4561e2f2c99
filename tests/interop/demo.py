"""Starts the demonstration from a path: `python tests/interop/demo.py --help` tells the rest."""

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # The folder of this file is not where imports begin: the repository's root is.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    runpy.run_module("tests.interop.program", run_name="__main__")
