"""Every case is tested on every interface that it applies to, and stands in the documentation."""

import importlib
import re
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import pytest

from tests.field import rows

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "topics" / "cost.md"


def marked() -> Counter[str]:
    """Count the tests of each case."""
    found: Counter[str] = Counter()
    for path in FOLDER.glob("test_*.py"):
        module = importlib.import_module(f"tests.field.{path.stem}")
        for value in vars(module).values():
            marks = getattr(value, "pytestmark", [])
            found.update(mark.args[0] for mark in marks if mark.name == "field")
    return found


def test_every_case_has_a_test() -> None:
    assert set(marked()) == set(rows.BY_NAME)
    assert len(rows.BY_NAME) == len(rows.ROWS)


@pytest.mark.parametrize("row", rows.ROWS, ids=lambda row: row.name)
def test_what_a_case_does_not_apply_to_has_a_reason(row: rows.Row) -> None:
    left_out = {*rows.APIS, *rows.SIDES, *rows.SECURITIES}
    left_out -= {*row.apis, *row.sides, *row.securities}
    assert set(row.why_not) == left_out


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(sys, "path", [str(PAGE.parent), *sys.path])
    return importlib.import_module("cost")


def test_the_page_is_up_to_date(table: ModuleType) -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert table.TABLE.findall(written)
    assert written == table.page(written), "run: python docs/topics/cost.py"


@pytest.mark.parametrize("section", rows.SECTIONS)
def test_the_page_shows_the_cases_with_their_numbers(section: str, table: ModuleType) -> None:
    text = "\n".join(table.lines(section))
    for row in rows.ROWS:
        assert (row.case in text) == (row.section == section)
    assert not re.search(r"\{\w", text), "a constant that was not replaced"
    assert f"<!-- table: {section} -->\n" in PAGE.read_text(encoding="utf-8")


def test_units(table: ModuleType) -> None:
    with_unit = table.with_unit
    assert with_unit(64 * 1024, "bytes") == "64 KiB"
    assert with_unit(10 * 1024**2, "bytes") == "10 MiB"
    assert with_unit(125, "bytes") == "125 bytes"
    assert with_unit(2_000_000, "ns") == "2 ms"
    assert with_unit(500_000, "ns") == "0.5 ms"
    assert with_unit(10.0, "") == "10"
    with pytest.raises(ValueError, match="miles"):
        with_unit(1, "miles")


def test_a_constant_that_is_not_there_is_an_error(table: ModuleType) -> None:
    with pytest.raises(LookupError, match="NO_SUCH_NAME"):
        table.filled_in("{protocol.NO_SUCH_NAME}")
