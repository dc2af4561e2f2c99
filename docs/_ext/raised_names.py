"""Link the names in a docstring's "Raises" section to the exceptions of its own package.

Several packages have exceptions with the same name, such as `ProtocolError`; Sphinx alone cannot
determine which of them is meant.
"""

import re
import sys
from collections.abc import Iterable
from typing import Any

from sphinx.application import Sphinx

RAISES = re.compile(r":raises (\w+):")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", qualify, priority=600)  # napoleon is at 500
    return {"parallel_read_safe": True}


def qualify(
    _app: Sphinx, _what: str, _name: str, documented: Any, _options: Any, lines: list[str]
) -> None:
    """Qualify each name of an exception of the module, or of its package."""
    owner = documented.fget if isinstance(documented, property) else documented
    module = getattr(owner, "__module__", None) or ""
    package = module.partition(".")[0]
    places = (f"{package}.errors", f"{package}.exceptions", module)
    names = {name: found for place in places for name, found in names_in(place)}

    def full(match: re.Match[str]) -> str:
        found = names.get(match[1])
        if not isinstance(found, type) or found.__module__ == "builtins":
            return match[0]
        return f":raises ~{found.__module__}.{found.__qualname__}:"

    lines[:] = [RAISES.sub(full, line) for line in lines]


def names_in(module: str) -> Iterable[tuple[str, Any]]:
    """Return the names of a module; empty if it does not exist."""
    found = sys.modules.get(module)
    return () if found is None else vars(found).items()
