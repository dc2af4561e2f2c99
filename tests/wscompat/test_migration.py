"""The page about migration is true and complete."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "migrating.md"


def load_generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("migrating", DOCS / "migrating.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = load_generator()
ROWS = list(GENERATOR.rows())


def unversioned(page: str) -> str:
    """Return the page without the version, which may change without other changes."""
    return re.sub(r"websockets \d+(\.\d+)+", "websockets", page)


def test_the_page_is_up_to_date() -> None:
    written = PAGE.read_text("utf-8")
    assert re.search(r"websockets \d+\.\d+", written)
    assert unversioned(written) == unversioned(GENERATOR.page()), "run: python docs/migrating.py"


def test_every_module_is_looked_at() -> None:
    looked_at = {row[0] for row in ROWS}
    for module in ("", "asyncio.client", "asyncio.server", "frames", "legacy.protocol"):
        assert module in looked_at


def test_nothing_is_missing() -> None:
    missing = [".".join(row[:2]) for row in ROWS if row[2:] == ("missing", "")]
    assert not missing


def test_what_is_written_by_hand_is_about_something() -> None:
    """A name that has gone leaves no entry."""
    names = {".".join(row[:2]).lstrip(".") for row in ROWS}
    for key in {**GENERATOR.DIFFERENT, **GENERATOR.INTERNAL}:
        assert key in names or key.rpartition(".")[0] in names, key
