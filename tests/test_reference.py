"""Tests that the reference of wscore, which is sorted by hand, has every public name."""

import re
from pathlib import Path

import wscore

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "wscore.md"
ENTRY = re.compile(r"^\.\. auto(?:class|data|exception|function):: (\w+)$", re.MULTILINE)


def test_every_public_name_has_one_entry() -> None:
    public = set(wscore.__all__) - {"__version__"}
    assert sorted(ENTRY.findall(PAGE.read_text(encoding="utf-8"))) == sorted(public)
