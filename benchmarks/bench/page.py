"""Write the documentation page with the results: charts, and the tables below them.

    python -m benchmarks.bench.page docs/benchmarks/results.json

It reads the file that `report.write_json` wrote, draws the charts into the folder `charts` beside
it, and writes `index.md`. It does not measure.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from .cases import CASES
from .contenders import BASELINE
from .measuring import Series
from .report import as_markdown, stem_of
from .statistics import Figures, Spread

__all__ = ["as_page"]

HEAD = """# Benchmark results

Every library does the same work with the same peer, a C program, in one interleaved run. The same
program in the library's place is the limit, "C reference". [Performance](../topics/performance)
explains the method. `nox -s bench` runs this on your machine; these are the results of one machine.
Ratios are medians of the ratios within each round, with quartiles.

| | |
| --- | --- |
"""


def facts(document: dict[str, Any]) -> dict[str, str]:
    """Return the conditions of the measurement."""
    machine, how = document["machine"], document["how"]
    versions = (f"{name} {version}" for name, version in document["versions"].items())
    clock = "CPU time of both endpoints" if how["by_cpu"] else "the clock"
    kind = ", virtual" if machine.get("virtual") else ""
    return {
        "date": document["date"][:10],
        "processor": f"{machine['processor']}, {machine['cores']} cores{kind}",
        "system": f"Linux {machine['kernel']}, {machine['libc']}, {machine['openssl']}",
        "Python": f"CPython {machine['python']}",
        "libraries": ", ".join(versions),
        "rounds": f"{how['rounds']}, of {how['seconds']} s for each library; rates by {clock}",
        "load": f"{machine['load']:.1f} when the run ended",
    }


def read(figures: dict[str, Any]) -> Figures:
    """Return figures read back from JSON."""
    spreads = {name: Spread(**value) for name, value in figures.items() if isinstance(value, dict)}
    return Figures(**figures | spreads)


def as_page(document: dict[str, Any]) -> str:
    """Return the page in MyST's Markdown.

    Args:
        document: the results, as read from their file.
    """
    cases = {case.name: case for case in CASES}
    parts = [HEAD + "".join(f"| {name} | {value} |\n" for name, value in facts(document).items())]
    for one in document["series"]:
        series = Series(cases[one["case"]], one["role"], one["tls"])
        figures = {name: read(values) for name, values in one["figures"].items()}
        heading, _, table = as_markdown(series, figures, BASELINE).partition("\n\n")
        stem = f"charts/{stem_of(one)}"
        parts.append(
            f"{heading[1:]}\n\n"
            f"```{{image}} {stem}-light.svg\n:class: only-light\n```\n\n"
            f"```{{image}} {stem}-dark.svg\n:class: only-dark\n```\n\n"
            f"{table}"
        )
    return "\n".join(parts)


if __name__ == "__main__":
    from .charts import draw_all  # needs more than the page does

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    results = parser.parse_args().results
    draw_all(results, results.parent / "charts")
    page = as_page(json.loads(results.read_text(encoding="utf-8")))
    (results.parent / "index.md").write_text(page, encoding="utf-8")
