"""Write the tables of docs/topics/cost.md: the cases of `tests/field/rows.py`, with their numbers.

    python docs/topics/cost.py

A test compares the page with the output of this program. A number is read from the source of a
module, since the constants of compiled modules do not exist at run time, or from the default value
of an argument.
"""

import ast
import functools
import re
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_suffix(".md")
ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "packages" / "wscore" / "src" / "wscore"

# A table, with the name of its section before it.
TABLE = re.compile(r"(?<=<!-- table: )([^>]+)( -->\n).*?(?=<!-- end -->)", re.DOTALL)
PLACE = re.compile(r"\{([^}|]+)\|?(\w*)\}")
# A line of an enumeration in Cython, or a constant of Python.
ASSIGNMENT = re.compile(
    r"^\s*(?:[A-Z]\w* )?([A-Z][A-Z_0-9]+) *(?::[^=]+)?= *([^#\n]+)", re.MULTILINE
)

# The functions whose default values bounds name.
FUNCTIONS = {
    "ws_connect": ("wscore", "ws_connect"),
    "ws_create_server": ("wscore", "ws_create_server"),
    "serve": ("wscompat.asyncio.server", "serve"),
    "legacy_serve": ("wscompat.legacy.server", "serve"),
}
API_NAMES = {
    "callbacks": "callbacks",
    "reader": "message reader",
    "asyncio": "wscompat",
    "legacy": "wscompat.legacy",
}


def page(text: str) -> str:
    """Return the page with its tables regenerated."""
    return TABLE.sub(lambda at: f"{at[1]}{at[2]}\n" + "\n".join(lines(at[1])) + "\n\n", text)


def lines(section: str) -> Iterator[str]:
    """Yield the lines of a section's table, in Markdown."""
    rows = _rows()
    yield from ("| case | result and bound | tested on |", "| --- | --- | --- |")
    for row in rows.ROWS:
        if row.section == section:
            yield f"| {row.case} | {filled_in(row.bound)} | {_tested_on(rows, row)} |"


def filled_in(text: str) -> str:
    """Return a text with names replaced by their numbers."""

    def number(match: re.Match[str]) -> str:
        return with_unit(value_of(ast.parse(match[1], mode="eval").body), match[2])

    return PLACE.sub(number, text)


def with_unit(value: float, unit: str) -> str:
    """Return a number in the format of the page."""
    if unit == "bytes":
        for size, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
            if value >= size:
                return f"{value / size:g} {name}"
        return f"{value:g} bytes"
    if unit == "ns":
        return f"{value / 1e6:g} ms"
    if unit:
        raise ValueError(f"unknown unit: {unit!r}")
    return f"{value:,g}"


def value_of(node: ast.expr, module: str = "") -> Any:
    """Evaluate an expression of numbers, constants and default values.

    Args:
        node: the expression.
        module: the module of names that are given without one.
    """
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return _constant(module, name)
        case ast.Attribute(value=ast.Name(id=other), attr=name):
            return _constant(other, name)
        case ast.Call(func=ast.Name(id=function), args=[ast.Name(id=argument)]):
            return _default(function, argument)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return value_of(left, module) * value_of(right, module)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return value_of(left, module) + value_of(right, module)
    raise ValueError(f"cannot evaluate {ast.unparse(node)}")


@functools.cache
def _constant(module: str, name: str) -> Any:
    """Return the value of a constant of one of wscore's modules, or of where it comes from."""
    for place in (module, "*"):
        for path in sorted(SOURCES.rglob(f"{place}.p*")):
            if path.suffix in {".py", ".pyx", ".pxd"}:
                for found, expression in ASSIGNMENT.findall(path.read_text(encoding="utf-8")):
                    if found == name:
                        return value_of(ast.parse(expression.strip(), mode="eval").body, path.stem)
        if not any(SOURCES.rglob(f"{place}.p*")):
            break
    raise LookupError(f"wscore's module {module!r} has no constant {name}")


def _default(function: str, argument: str) -> Any:
    module, name = FUNCTIONS[function]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # importing the older interface is deprecated
        found: Any = getattr(import_module(module), name)
    return (found.__init__ if isinstance(found, type) else found).__kwdefaults__[argument]


def _rows() -> Any:
    """Return the module with the cases, which does not need the tests' requirements."""
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    return import_module("tests.field.rows")


def _tested_on(rows: Any, row: Any) -> str:
    """Describe on which interfaces a case is tested, and why not on the others."""
    whole = row.apis == rows.APIS
    parts = ["all interfaces" if whole else ", ".join(API_NAMES[api] for api in row.apis)]
    if row.sides != rows.SIDES:
        parts.append(" and ".join(f"{side}s" for side in row.sides))
    if row.securities != rows.SECURITIES:
        parts.append("TLS" if row.securities == ("tls",) else "plain TCP")
    for reason in dict.fromkeys(row.why_not.values()):
        names = [API_NAMES.get(name, name) for name, it in row.why_not.items() if it == reason]
        parts.append(f"not {', '.join(names)}: {reason}")
    return "; ".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
