"""The page of results shows what was measured: all of it, and nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.bench.page import as_page

FOLDER = Path(__file__).parents[2] / "docs" / "benchmarks"


@pytest.fixture
def document() -> Any:
    return json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))


def test_page_is_up_to_date(document: Any) -> None:
    """`python -m benchmarks.bench.page docs/benchmarks/results.json` brings it up to date."""
    assert (FOLDER / "index.md").read_text(encoding="utf-8") == as_page(document)


def test_every_series_has_its_charts(document: Any) -> None:
    page = as_page(document)
    charts = {path.name for path in (FOLDER / "charts").iterdir()}
    shown = {name for name in charts if name in page}
    assert {name.removesuffix(".svg") for name in shown} == {
        name.rpartition(".")[0] for name in charts
    }
    assert len(shown) == 2 * len(document["series"])
