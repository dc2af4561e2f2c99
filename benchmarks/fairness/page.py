"""Write the documentation page with the results, and its charts.

    python -m benchmarks.fairness.page docs/benchmarks/fairness/results.json

It reads the results that `__main__` wrote, and does not measure.
"""

import argparse
import json
from pathlib import Path
from typing import Any

from .situations import TITLES

__all__ = ["as_page"]

HEAD = """# Fairness

How long does the echo of one connection take while others flood the same server? The server runs
in a separate process, on its own processor; user code takes 10 µs for each message. The polite
connection sends 16 bytes, waits for the echo, and sends the next message 5 ms after the last one.
The others send messages of 100 bytes, or of 16 MiB, as fast as the server reads them. *Timers* is
the delay of the server's own timers. Echoes and timers that could not start during a stall are
counted as if they had (to avoid coordinated omission). An echo that does not arrive within 10
seconds is *lost*. *Messages* is the number of messages that the server had handled when it read the
command to stop; a stalled server reads it late.

Everything runs over plain TCP, without compression; wscore is used through its callbacks. The
clients are bare sockets, the same for all libraries. `nox -s fairness` runs this on your machine;
these are the results of one machine. A single pause of a virtual machine can determine the worst
value of a row and, with some 1,500 echoes, also the 99.9 % value. The bounds are listed in
[What a connection may cost](../../topics/cost).

| | |
| --- | --- |
"""
SHARED = """
With two processors, the polite client and the flooding clients share one. The flooding clients have
the lowest priority there, but below a millisecond the figures depend more on the system's scheduler
than on the library.
"""


def facts(document: dict[str, Any]) -> dict[str, str]:
    """Return the conditions of the measurement."""
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
