"""Gives the page about costs its tables: the directive ``bounds`` with the name of a section."""

from typing import ClassVar

from bounds_table import lines
from docutils import nodes
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective


class Bounds(SphinxDirective):
    """One section's table."""

    required_arguments: ClassVar[int] = 1
    final_argument_whitespace: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """Put the table in the place of the directive."""
        found = nodes.container()
        text = StringList(list(lines(self.arguments[0])), source=__file__)
        self.state.nested_parse(text, self.content_offset, found)
        return found.children


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_directive("bounds", Bounds)
    return {"parallel_read_safe": True}
