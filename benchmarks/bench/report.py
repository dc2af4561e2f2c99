"""Tables on the terminal and in Markdown, and the results as JSON.

The figures are computed by `statistics`.
"""

import dataclasses
import datetime
import json
import os
import platform
import ssl
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.table import Table

from .measuring import Series, Visit
from .statistics import Figures, Spread

__all__ = ["as_markdown", "as_table", "machine", "stem_of", "write_json"]


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio(value: Spread | None) -> str:
    if value is None:
        return ""
    return f"{value.median:.3g} ({value.low:.3g} to {value.high:.3g})"


def rows(figures: dict[str, Figures]) -> Iterable[list[str]]:
    for name, it in figures.items():
        if it.kib is not None:
            yield [name, f"{it.kib:.1f}"]
            continue
        yield [
            name,
            number(it.rate.median),
            number(it.busy_rate.median),
            ratio(it.of_reference),
            ratio(it.of_baseline),
            f"{it.user:.2f}",
            f"{it.system:.2f}",
            f"{it.user_of_baseline:.2f}" if it.user_of_baseline else "",
        ]


def heads(series: Series, baseline: str) -> list[str]:
    if series.case.is_idle:
        return ["", "KiB per connection"]
    return [
        "",
        f"{series.case.unit}/s",
        "per CPU second",
        "of C reference",
        f"of {baseline}",
        "user µs",
        "system µs",
        f"user of {baseline}",
    ]


def as_table(series: Series, figures: dict[str, Figures], baseline: str) -> Table:
    table = Table(title=series.name, title_justify="left", title_style="bold")
    for head in heads(series, baseline):
        table.add_column(head, justify="right" if head else "left", no_wrap=True)
    for row in rows(figures):
        table.add_row(*row)
    return table


def as_markdown(series: Series, figures: dict[str, Figures], baseline: str) -> str:
    head = heads(series, baseline)
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows(figures)]
    return f"### {series.name}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def stem_of(series: dict[str, Any]) -> str:
    """Return the beginning of the file names of a chart."""
    secure = "tls" if series["tls"] else "plain"
    return f"{series['case'].replace('/', '-')}-{series['role']}-{secure}"


def cpuinfo() -> dict[str, str]:
    """Return the system's description of the first processor."""
    lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    return {
        name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }


def machine() -> dict[str, Any]:
    """Return the conditions of the measurement, without names of the machine or its user."""
    processor = cpuinfo()
    return {
        "processor": processor.get("model name", platform.machine()),
        "virtual": "hypervisor" in processor.get("flags", "").split(),
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "load": os.getloadavg()[0],
    }


def write_json(
    path: Path,
    results: dict[Series, list[Visit]],
    figures: dict[Series, dict[str, Figures]],
    versions: dict[str, str],
    how: dict[str, Any],
) -> None:
    """Write all results and the conditions of the measurement."""
    document = {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions,
        "how": how,
        "series": [
            {
                "case": series.case.name,
                "role": series.role,
                "tls": series.tls,
                "figures": {name: dataclasses.asdict(f) for name, f in figures[series].items()},
                "visits": [dataclasses.astuple(visit) for visit in visits],
            }
            for series, visits in results.items()
        ],
        "visit": [field.name for field in dataclasses.fields(Visit)],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n")
