"""Draw the results: bars for each series, as SVG and PNG, for light and for dark pages.

    python -m benchmarks.bench.charts RESULTS.json FOLDER

It reads the file that `report.write_json` wrote, and does not measure.
"""

import argparse
import json
import textwrap
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from .report import stem_of

__all__ = ["draw_all"]

# The text, the lines, our bars, the others' bars, the limit's bar.
THEMES = {
    "light": ("#1f2328", "#d0d7de", "#0969da", "#8c959f", "#57606a"),
    "dark": ("#e6edf3", "#30363d", "#58a6ff", "#6e7681", "#b1bac4"),
}
OURS = ("wscore", "wscompat")
LIMIT = "C reference"
CAPTION_WIDTH = 90  # characters


def value_of(figures: dict[str, Any], rate: str) -> tuple[float, str]:
    """Return the value of a bar, and the label at its end.

    Args:
        figures: of one subject.
        rate: the name of the rate that its ratios are of.
    """
    if figures["kib"] is not None:
        return figures["kib"], f"{figures['kib']:.1f} KiB"
    share = (figures["of_reference"] or {"median": 0.0})["median"]
    return share, f"{share:.0%}   {figures[rate]['median']:,.0f}/s"


def title_of(series: dict[str, Any]) -> str:
    secure = "TLS" if series["tls"] else "plain"
    if series["figures"] and next(iter(series["figures"].values()))["kib"] is not None:
        return f"memory per idle connection, {secure}"
    return f"{series['case']} as {series['role']}, {secure}: rate in parts of a C program's"


def color_of(name: str, theme: str) -> str:
    _, _, ours, others, limit = THEMES[theme]
    if name == LIMIT:
        return limit
    return ours if name.startswith(OURS) else others


def draw(series: dict[str, Any], caption: str, theme: str, rate: str) -> Figure:
    """Draw one series, the best on top."""
    text, line, *_ = THEMES[theme]
    bars = [(name, *value_of(figures, rate)) for name, figures in series["figures"].items()]
    is_memory = bool(bars) and bars[0][2].endswith("KiB")
    bars.sort(key=lambda bar: bar[1], reverse=is_memory)
    figure = Figure(figsize=(8, 0.9 + 0.3 * len(bars)), layout="constrained")
    axes = figure.subplots()
    for place, (name, value, label) in enumerate(bars):
        axes.barh(place, value, color=color_of(name, theme), height=0.7)
        axes.annotate(
            label,
            (value, place),
            (4, 0),
            textcoords="offset points",
            va="center",
            color=text,
            fontsize=8,
        )
    axes.set_yticks(range(len(bars)), [name for name, *_ in bars], color=text, fontsize=9)
    axes.set_title(title_of(series), loc="left", color=text, fontsize=11)
    axes.set_xlabel(caption, loc="left", color=text, fontsize=7)
    axes.margins(x=0.25)
    axes.set_xticks([])
    axes.tick_params(length=0)
    for name, spine in axes.spines.items():
        spine.set_visible(name == "left")
        spine.set_color(line)
    return figure


def draw_all(results: Path, folder: Path) -> list[Path]:
    """Draw every series of a file of results; return the files."""
    document = json.loads(results.read_text())
    machine, how = document["machine"], document["how"]
    versions = ", ".join(f"{name} {version}" for name, version in document["versions"].items())
    caption = (
        f"{document['date'][:10]}, {machine['processor']}, CPython {machine['python']}, "
        f"{how['rounds']} interleaved rounds\n{textwrap.fill(versions, CAPTION_WIDTH)}"
    )
    rate = "busy_rate" if how["by_cpu"] else "rate"
    mpl.rcParams["svg.fonttype"] = "none"  # text, not outlines: a quarter of the size
    mpl.rcParams["font.family"] = "sans-serif"
    mpl.rcParams["svg.hashsalt"] = "bench"  # the same results make the same file
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for series in document["series"]:
        stem = stem_of(series)
        for theme in THEMES:
            figure = draw(series, caption, theme, rate)
            for kind, metadata in (("svg", {"Date": None}), ("png", None)):
                path = folder / f"{stem}-{theme}.{kind}"
                figure.savefig(path, transparent=True, dpi=110, metadata=metadata)
                written.append(path)
    return written


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    for path in draw_all(arguments.results, arguments.folder):
        print(path)
