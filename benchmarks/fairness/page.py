"""Writes the page of the documentation that shows the results, and its charts.

    python -m benchmarks.fairness.page docs/benchmarks/fairness/results.json

It reads what `__main__` wrote, and measures nothing.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from .situations import TITLES

__all__ = ["as_page"]

HEAD = """# Fairness

How long does the echo of one connection take while others flood the same server? The server runs
in a process of its own, on a processor of its own; user code takes 10 µs for each message. The
polite connection sends 16 bytes, waits for them, and sends the next ones 5 ms after the last. The
others send messages of 100 bytes, or of 16 MiB, as fast as the server takes them. *Timers* are how
late the server's own timers fire. What could not even begin during a stall is counted as if it had
(coordinated omission). An echo that has not come after 10 seconds is *lost*. *Messages* are those
that the server had handled when it read that it was to stop, which a server that stalls reads late.

All is over plain TCP, without compression; wscore is used through its callbacks. The clients are
bare sockets, the same for all libraries. `nox -s fairness` does it on your machine; these are the
results of one. A single pause of a virtual machine can be the worst of a row, and with some 1,500
echoes the 99.9 % as well. What the bounds are, is in
[What a connection may cost](../../topics/cost).

| | |
| --- | --- |
"""
SHARED = """
With two processors the polite client and the floods share one. The floods have the lowest priority
there, but below a millisecond the figures say more about the system's scheduler than about a
library.
"""


def facts(document: dict[str, Any]) -> dict[str, str]:
    """Return what the results depend on."""
    machine, how = document["machine"], document["how"]
    kind = ", virtual" if machine.get("virtual") else ""
    return {
        "date": document["date"][:10],
        "processor": f"{machine['processor']}, {machine['cores']} cores{kind}",
        "system": f"Linux {machine['kernel']}, {machine['libc']}",
        "Python": f"CPython {machine['python']}",
        "libraries": ", ".join(f"{name} {it}" for name, it in document["versions"].items()),
        "rounds": f"{how['rounds']}, of {how['seconds']:g} s for each library and situation",
        "load": f"{machine['load']:.1f} when the run ended",
    }


def number(value: float) -> str:
    """Return milliseconds, with three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def row(name: str, figures: dict[str, Any]) -> str:
    """Return a line of a table."""
    echo, timers = figures["echo"], figures["timers"]
    worst = number(echo["worst"]) + (", lost" if figures["lost"] else "")
    cells = [name, number(echo["p50"]), number(echo["p99"]), number(echo["p999"]), worst]
    cells += [number(timers["p999"]), number(timers["worst"]), f"{figures['messages']:,}"]
    return f"| {' | '.join(cells)} |\n"


def as_page(document: dict[str, Any]) -> str:
    """Return the page in MyST's Markdown.

    Args:
        document: the results, as read from their file.
    """
    parts = [HEAD + "".join(f"| {name} | {value} |\n" for name, value in facts(document).items())]
    if document["cores_shared"]:
        parts.append(SHARED.strip() + "\n")
    for situation, subjects in document["situations"].items():
        title = TITLES[situation]
        parts.append(
            f"## Beside {title}\n\n"
            f"```{{image}} charts/{situation}-light.svg\n:class: only-light\n```\n\n"
            f"```{{image}} charts/{situation}-dark.svg\n:class: only-dark\n```\n\n"
            "| milliseconds | median | 99 % | 99.9 % | worst | timers 99.9 % | worst | messages |\n"
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
            + "".join(row(name, figures) for name, figures in subjects.items())
        )
    return "\n".join(parts)


if __name__ == "__main__":
    from .charts import draw_all  # needs more than the page does

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    results = parser.parse_args().results
    document = json.loads(results.read_text(encoding="utf-8"))
    draw_all(document, results.parent / "charts")
    (results.parent / "index.md").write_text(as_page(document), encoding="utf-8")
