"""Document the members of enumerations, and the Python base of compiled ones.

Members have no docstrings, and autodoc skips members without one.
"""

import enum
from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-skip-member", keep_member)
    app.connect("autodoc-process-bases", name_bases)
    return {"parallel_read_safe": True}


def keep_member(
    _app: Sphinx, _what: str, _name: str, member: Any, _skip: bool, _options: Any
) -> bool | None:
    """Keep the members of an enumeration; return None for everything else."""
    return False if isinstance(member, enum.Enum) else None


def name_bases(_app: Sphinx, _name: str, found: type, _options: Any, bases: list[Any]) -> None:
    """Replace an enumeration type of Cython by that of the standard library."""
    if issubclass(found, enum.IntEnum) and found is not enum.IntEnum:
        bases[:] = [enum.IntEnum]
