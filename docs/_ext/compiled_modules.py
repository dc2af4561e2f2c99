"""Lets autodoc see of compiled modules what it sees of others.

Their functions know no annotations at run time, so signatures come from the stubs beside the
sources. And what a compiled class calls an attribute has a docstring that is a sentence: napoleon
must not take the words before a colon in it for a type.
"""

import ast
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

Signatures = dict[tuple[str, str], tuple[str, str]]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.setup_extension("sphinx.ext.autodoc")
    app.add_config_value("stub_folders", [], "env")
    kept: dict[str, list[str]] = {}
    signatures: Signatures = {}

    def read(app: Sphinx) -> None:
        for folder in map(Path, app.config.stub_folders):
            for stub in sorted(folder.rglob("*.pyi")):
                signatures.update(signatures_of(folder.name, stub))

    def from_stub(
        _app: Sphinx, what: str, name: str, _object: Any, _options: Any, *_found: str | None
    ) -> tuple[str | None, str | None] | None:
        package, _, rest = name.partition(".")
        for key in (rest, f"{rest}.__init__", f"{rest}.__new__"):
            if (package, key) in signatures and what in {"class", "method", "function"}:
                arguments, result = signatures[package, key]
                # Nobody may call a constructor that takes nothing at all.
                return ("", "") if "Never" in arguments else (arguments, result)
        return None

    def keep(
        _app: Sphinx, what: str, name: str, _object: Any, _options: Any, lines: list[str]
    ) -> None:
        if what in {"attribute", "property"}:
            kept[name] = list(lines)

    def restore(
        _app: Sphinx, what: str, name: str, _object: Any, _options: Any, lines: list[str]
    ) -> None:
        if what in {"attribute", "property"}:
            lines[:] = kept.pop(name)

    app.connect("builder-inited", read)
    app.connect("autodoc-process-signature", from_stub)
    app.connect("autodoc-process-docstring", keep, priority=400)
    app.connect("autodoc-process-docstring", restore, priority=600)  # napoleon is at 500
    return {"parallel_read_safe": True}


def signatures_of(package: str, stub: Path) -> Signatures:
    """Return the parameters and the result of each function and method in a stub."""
    found: Signatures = {}
    for node in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                    arguments = method.args
                    # The first parameter is the object itself, except of a static method.
                    if "staticmethod" not in map(ast.unparse, method.decorator_list):
                        (arguments.posonlyargs or arguments.args).pop(0)
                    found[package, f"{node.name}.{method.name}"] = text_of(method)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[package, node.name] = text_of(node)
    return found


def text_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, str]:
    """Return both halves of a signature."""
    result = "" if function.returns is None else ast.unparse(function.returns)
    if function.name in {"__init__", "__new__"}:
        result = ""
    return f"({ast.unparse(function.args)})", result
