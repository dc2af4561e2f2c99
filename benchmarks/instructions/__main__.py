"""Compare counted instructions with the recorded ones, or record new ones (`--update`).

There are two numbers for each workload: the instructions in the compiled modules of wsframe and
wscore, which depend only on the compiler; and all instructions, including the interpreter's, which
are compared only with those of the same build of Python.
"""

import argparse
import importlib.util
import json
import platform
import sys
import tempfile
from pathlib import Path

from .callgrind import Counts, is_there, run

ROOT = Path(__file__).parents[2]
EXPECTED = Path(__file__).parent / "expected.json"
PACKAGES = ("wsframe", "wscore")
PYTHON = f"{platform.python_version()}, {platform.python_compiler()}"

# The allowed relative increase.
MARGINS = {"compiled": 0.05, "all": 0.1}

Figures = dict[str, dict[str, float]]


def own_objects() -> set[str]:
    """Return the paths of the compiled modules of the packages."""
    paths: set[str] = set()
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        paths |= set(map(str, Path(spec.origin).resolve().parent.rglob("*.so")))
    return paths


def measure() -> Figures:
    """Count, and divide by the number of messages or connections."""
    own = own_objects()

    def figures(counts: Counts, number: int) -> dict[str, float]:
        compiled = sum(count for path, count in counts.items() if path in own)
        return {
            "compiled": round(compiled / number, 1),
            "all": round(sum(counts.values()) / number, 1),
        }

    with tempfile.TemporaryDirectory() as folder:
        lines, counted = run("benchmarks.instructions.workloads", ROOT, Path(folder))
    results = {}
    for line, counts in zip(lines, counted, strict=True):
        name, _, number = line.rpartition(" ")
        results[name] = figures(counts, int(number))
    return results


def compare(found: Figures, expected: Figures) -> list[str]:
    """Return a sentence for each count that exceeds its margin."""
    complaints = []
    for name, kinds in found.items():
        for kind, value in kinds.items():
            wanted = expected.get(name, {}).get(kind)
            if wanted is None:
                note = "nothing is kept to compare with"
            else:
                change = value / wanted - 1 if wanted else 0.0
                note = f"{change:+.1%} of {wanted:,.0f}"
                if change > MARGINS[kind]:
                    complaints.append(f"{name}, {kind}: {note}")
            print(f"{name:30} {kind:9} {value:12,.0f}   {note}")
    return complaints


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="keep what is counted now")
    chosen = parser.parse_args()
    if not is_there():
        print("valgrind is not here, so nothing is counted (Debian, Ubuntu: apt install valgrind)")
        return 0
    kept = json.loads(EXPECTED.read_text()) if EXPECTED.is_file() else {}
    found = measure()
    if chosen.update:
        kept[PYTHON] = found
        EXPECTED.write_text(json.dumps(kept, indent=1) + "\n")
    expected = kept.get(PYTHON) or {
        name: {"compiled": kinds["compiled"]} for name, kinds in next(iter(kept.values())).items()
    }
    complaints = compare(found, expected)
    for complaint in complaints:
        print("too many instructions:", complaint)
    return 1 if complaints else 0


sys.exit(main())
