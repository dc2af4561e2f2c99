"""Show an indented block in the docstring of a module literally.

Such a block is a diagram drawn with characters, for readers of the source; without this extension
reStructuredText treats it as a quotation.
"""

from typing import Any

from sphinx.application import Sphinx


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", mark_blocks, priority=400)
    return {"parallel_read_safe": True}


def mark_blocks(
    _app: Sphinx, what: str, _name: str, _object: Any, _options: Any, lines: list[str]
) -> None:
    """Put a `::` before each indented block that follows a blank line."""
    if what == "module":
        result: list[str] = []
        for number, line in enumerate(lines):
            begins = line.startswith("    ") and number > 0 and not lines[number - 1]
            before = next((text for text in reversed(result) if text), "")
            if begins and not before.startswith(" ") and not before.endswith("::"):
                result += ["::", ""]
            result.append(line)
        lines[:] = result
