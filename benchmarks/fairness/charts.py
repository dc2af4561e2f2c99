"""Draw the results: percentiles of the echo, one chart for each situation.

For light and for dark pages, as SVG and PNG. It does not measure.
"""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from ..bench.charts import THEMES, color_of
from .situations import TITLES

__all__ = ["draw_all"]

MARKS = {"p50": "|", "p99": "o", "p999": "s", "worst": "D"}
NAMES = {"p50": "median", "p99": "99 %", "p999": "99.9 %", "worst": "worst"}


def draw(situation: str, subjects: dict[str, Any], theme: str) -> Figure:
    """Draw one situation, the best on top: a line from the median to the worst."""
    text, line, *_ = THEMES[theme]
    ordered = sorted(subjects, key=lambda name: -subjects[name]["echo"]["worst"])
    figure = Figure(figsize=(8, 1.2 + 0.32 * len(ordered)), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate(ordered):
        echo, color = subjects[name]["echo"], color_of(name, theme)
        axes.plot((echo["p50"], echo["worst"]), (place, place), color=color, linewidth=1.5)
        for key, mark in MARKS.items():
            label = NAMES[key] if place == len(ordered) - 1 else None
            axes.plot(echo[key], place, mark, color=color, markersize=5, label=label)
        axes.annotate(
            f"{echo['worst']:,.3g} ms" + (" (lost)" if subjects[name]["lost"] else ""),
            (echo["worst"], place),
            (7, 0),
            textcoords="offset points",
            va="center",
            color=text,
            fontsize=8,
        )
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.set_yticks(range(len(ordered)), ordered, color=text, fontsize=9)
    title = f"echo of a polite connection, in ms, beside {TITLES[situation]}"
    axes.set_title(title, loc="left", color=text, fontsize=11)
    axes.tick_params(length=0, colors=text, labelsize=8)
    axes.grid(axis="x", color=line, linewidth=0.5)
    axes.legend(loc="lower right", fontsize=7, labelcolor=text, framealpha=0, ncols=4)
    for name, spine in axes.spines.items():
        spine.set_visible(name == "left")
        spine.set_color(line)
    return figure


def draw_all(document: dict[str, Any], folder: Path) -> None:
    """Draw every situation into a folder.

    Args:
        document: the results that `__main__` wrote.
        folder: created if it does not exist.
    """
    mpl.rcParams["svg.fonttype"] = "none"  # text, not outlines: a quarter of the size
    mpl.rcParams["font.family"] = "sans-serif"
    mpl.rcParams["svg.hashsalt"] = "fairness"  # the same results make the same file
    folder.mkdir(parents=True, exist_ok=True)
    for situation, subjects in document["situations"].items():
        for theme in THEMES:
            figure = draw(situation, subjects, theme)
            for kind, metadata in (("svg", {"Date": None}), ("png", None)):
                path = folder / f"{situation}-{theme}.{kind}"
                figure.savefig(path, transparent=True, dpi=110, metadata=metadata)
