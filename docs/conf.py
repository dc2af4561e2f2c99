"""Configuration of Sphinx for the site of the four packages; `nox -s docs` runs it.

The packages must be installed: their reference is read from the docstrings of the imported modules,
including compiled ones. The C reference is read from the headers in the tree.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "wsframe, wscore, wsproxy, wscompat"
author = "The wsframe, wscore, wsproxy and wscompat authors"
copyright = f"2026, {author}"
version = release = "0.1.0"

extensions = [
    "c_headers",
    "compiled_modules",
    "enumerations",
    "module_docstrings",
    "raised_names",
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build", "_ext"]
# Names in single backticks become links where they can.
default_role = "py:obj"

html_theme = "furo"
html_title = "wsframe · wscore · wsproxy · wscompat"
html_show_sourcelink = False

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
# The value of a default, such as an enumeration's member, need not be Python.
autodoc_preserve_defaults = True

stub_folders = sorted((ROOT / "packages").glob("ws*/src/ws*"))
c_headers_source = ROOT / "packages" / "wsframe" / "c" / "include" / "wsframe"
c_headers_order = ["header", "parser", "mask", "random", "utf8", "close", "error", "version"]
