"""Make autodoc document compiled modules like others.

Their functions have no annotations at run time, so signatures come from the stubs beside the
sources. The attributes of compiled classes have docstrings that are sentences: napoleon must not
treat the words before a colon in them as a type.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sphinx.application import Sphinx
from sphinx.util.inspect import iscoroutinefunction


class Signature(NamedTuple):
    """The two parts of a signature, and whether its result is awaited."""

    arguments: str
    result: str
    is_async: bool


Signatures = dict[tuple[str, str], Signature]


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
        _app: Sphinx, what: str, name: str, documented: Any, _options: Any, *_found: str | None
    ) -> tuple[str | None, str | None] | None:
        if what not in {"class", "method", "function"}:
            return None
        for package, rest in names_of(name, documented):
            for key in (rest, f"{rest}.__init__", f"{rest}.__new__"):
                if (package, key) in signatures:
                    found = signatures[package, key]
                    # A constructor without any arguments must not be called by users.
                    if "Never" in found.arguments:
                        return "", ""
                    # autodoc itself marks functions that Python recognizes as coroutine functions.
                    is_told = not found.is_async or iscoroutinefunction(documented)
                    result = found.result if is_told else f"Awaitable[{found.result}]"
                    return found.arguments, result
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


def names_of(name: str, documented: Any) -> Iterator[tuple[str, str]]:
    """Return the package and the name within it: as documented, and of its origin."""
    package, _, rest = name.partition(".")
    yield package, rest
    home = getattr(documented, "__module__", None) or ""
    yield home.partition(".")[0], getattr(documented, "__qualname__", "")


def signatures_of(package: str, stub: Path) -> Signatures:
    """Return the parameters and the result of each function and method in a stub."""
    found: Signatures = {}
    tree = WithoutPrivateNames().visit(ast.parse(stub.read_text(encoding="utf-8")))
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
                    arguments = method.args
                    # The first parameter is the object itself, except for a static method.
                    if "staticmethod" not in map(ast.unparse, method.decorator_list):
                        (arguments.posonlyargs or arguments.args).pop(0)
                    found[package, f"{node.name}.{method.name}"] = text_of(method)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found[package, node.name] = text_of(node)
    return found


def text_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Signature:
    """Return a function's signature."""
    result = "" if function.returns is None else ast.unparse(function.returns)
    if function.name in {"__init__", "__new__"}:
        result = ""
    is_async = isinstance(function, ast.AsyncFunctionDef)
    return Signature(f"({ast.unparse(function.args)})", result, is_async)


class WithoutPrivateNames(ast.NodeTransformer):
    """Replaces a stub's own short names by their meanings."""

    def __init__(self) -> None:
        self._meanings: dict[str, ast.expr] = {}

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        """Record the meaning of a name."""
        match node.targets:
            case [ast.Name(id=name)] if name.startswith("_") and not name.startswith("__"):
                self._meanings[name] = node.value
        return node

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace a name that has a recorded meaning."""
        return self._meanings.get(node.id, node)
