"""Generate the reference of the C library: one page for each header, from its comments.

It supports the part of Doxygen's language that these headers use: `/** ... */` before a
declaration, `/**< ... */` after a field or enumerator, `@file`, `@param`, `@return`, `#name` and
`name()`. It never guesses: a header without `@file` at its top, or an unreadable declaration, is an
error.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

OPENING = re.compile(r"\A/\*\*\s+\* @file\b(.*?)\*/", re.DOTALL)
COMMENT = re.compile(r"/\*\*(?!<)(.*?)\*/\s*", re.DOTALL)
MACRO = re.compile(r"#define\s+(\w+)\s+(\S.*)")
TYPE_WITH_BODY = re.compile(r"typedef (enum|struct) \w+ \{(.*?)\} (\w+);", re.DOTALL)
ENUMERATOR = re.compile(r"(\w+ = -?\w+),?")
MEMBER = re.compile(r"([^;]+);")
NOTE = re.compile(r"\s*/\*\*<(.*?)\*/", re.DOTALL)
PLAIN_COMMENT = re.compile(r"\s*/\*(?!\*).*?\*/", re.DOTALL)


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the extension."""
    app.add_config_value("c_headers_source", None, "env")
    app.add_config_value("c_headers_order", [], "env")
    app.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}


def write_pages(app: Sphinx) -> None:
    """Write the pages, before Sphinx looks for its sources."""
    target = Path(app.srcdir, "reference", "generated")
    target.mkdir(parents=True, exist_ok=True)
    for name in app.config.c_headers_order:
        header = Path(app.config.c_headers_source, f"{name}.h")
        target.joinpath(f"c-{name}.rst").write_text("\n".join(page(header)), encoding="utf-8")


def page(header: Path) -> Iterator[str]:
    """Yield the lines of a header's page."""
    text = header.read_text(encoding="utf-8")
    opening = OPENING.match(text)
    if not opening:
        raise ExtensionError(f"{header} does not begin with a comment with @file")
    title = f"wsframe/{header.name}"
    yield from (title, "=" * len(title), "", prose(opening[1]), "")
    for comment in COMMENT.finditer(text, opening.end()):
        try:
            yield from declaration(text[comment.end() :], comment[1])
        except ValueError as exc:
            line = text.count("\n", 0, comment.end()) + 1
            raise ExtensionError(f"{header}:{line}: {exc}") from None


def declaration(code: str, comment: str) -> Iterator[str]:
    """Yield the lines for the declaration at the start of `code`."""
    if macro := MACRO.match(code):
        yield from entry("macro", macro[1], f"{prose(comment)}\n\nValue: ``{macro[2]}``")
    elif body := TYPE_WITH_BODY.match(code):
        kind, members, name = body.groups()
        yield from entry(kind, name, prose(comment))
        role, item = ("enumerator", ENUMERATOR) if kind == "enum" else ("member", MEMBER)
        for nested, note in content(members, item):
            if not note.startswith("Private"):
                yield indent("\n".join(entry(role, nested, note)), "   ")
    elif code.startswith("typedef "):
        yield from entry("type", signature(code).removeprefix("typedef "), prose(comment))
    elif code.startswith("WSF_API "):
        yield from entry("function", signature(code).removeprefix("WSF_API "), prose(comment))
    else:
        raise ValueError(f"not a declaration: {code[:40]!r}")


def content(body: str, item: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """Yield each field or enumerator of a type, and the comment after it."""
    position = 0
    while body[position:].strip():
        if skipped := PLAIN_COMMENT.match(body, position):
            position = skipped.end()
            continue
        position += len(body[position:]) - len(body[position:].lstrip())
        found = item.match(body, position)
        if not found:
            raise ValueError(f"cannot read {body[position : position + 40]!r}")
        position = found.end()
        note = NOTE.match(body, position)
        if note:
            position = note.end()
        yield " ".join(found[1].split()), prose(note[1]) if note else ""


def signature(code: str) -> str:
    """Return the declaration at the start of `code` on one line, without its semicolon."""
    return " ".join(code.partition(";")[0].split())


def entry(kind: str, what: str, text: str) -> Iterator[str]:
    """Yield the directive that documents one name."""
    yield from (f".. c:{kind}:: {what}", "", indent(text, "   "), "")


def prose(comment: str) -> str:
    """Return a comment as reStructuredText."""
    lines = [re.sub(r"^\s*\* ?", "", line).rstrip() for line in comment.strip().splitlines()]
    text = "\n".join(lines)
    text = re.sub(r"`([^`]+)`", r"``\1``", text)
    text = re.sub(r"#?\b(wsf_\w+)::(\w+)", r":c:member:`\1.\2`", text)
    text = re.sub(r"#([A-Za-z]\w+)", r":c:macro:`\1`", text)
    text = re.sub(r"(?<![`\w])(wsf_\w+)\(\)", r":c:func:`\1`", text)
    text = re.sub(r"^\*", r"\\*", text)
    text = re.sub(r"(?<=\s)\*(?=\w)", r"\\*", text)
    fields = re.split(r"^@", text, flags=re.MULTILINE)
    result = [unindented(fields[0])]
    for field in fields[1:]:
        tag, _, rest = field.partition(" ")
        name = ""
        if tag == "param":
            name, _, rest = rest.partition(" ")
        label = {"param": f"param {name}", "return": "returns"}.get(tag)
        if label is None:
            raise ValueError(f"unknown command @{tag}")
        first, *others = unindented(rest).splitlines()
        result.append(
            "\n".join([f":{label}: {first}", *(f"   {line}".rstrip() for line in others)])
        )
    return "\n\n".join([result[0], "\n".join(result[1:])]).strip()


def unindented(text: str) -> str:
    """Return text without the indentation that aligns it in the source."""
    return "\n".join(line.strip() for line in text.strip().splitlines())
