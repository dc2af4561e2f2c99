"""The syntax of the extension list in ``Sec-WebSocket-Extensions`` (RFC 6455, 9.1).

It must not know any particular extension: each extension checks its own parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from .token import TOKEN

__all__ = ["Extension", "parse_extensions"]

_QUOTED_PAIR = re.compile(r"\\(.)")


class Extension(NamedTuple):
    """One extension that is offered or accepted.

    Attributes:
        name: its name, as received.
        parameters: its parameters in order, each with its value, or None if it has no value.
    """

    name: str
    parameters: list[tuple[str, str | None]]


def parse_extensions(values: Iterable[str]) -> list[Extension]:
    """Parse the extensions of one message.

    Args:
        values: the values of all its ``Sec-WebSocket-Extensions`` fields.

    Raises:
        ValueError: if they are malformed, or the list is empty.
    """
    # Splitting at quoted commas is safe: even a quoted value must be a token (RFC 6455, 9.1).
    parts = [part.strip(" \t") for value in values for part in value.split(",")]
    items = [part for part in parts if part]  # empty elements are ignored (RFC 9110, 5.6.1.2)
    if parts and not items:
        raise ValueError("the list of extensions is empty")
    return [_parse_extension(item) for item in items]


def _parse_extension(item: str) -> Extension:
    name, *rest = (part.strip(" \t") for part in item.split(";"))
    if not TOKEN.fullmatch(name):
        raise ValueError(f"the extension name is not a token: {item!r}")
    return Extension(name, [_parse_parameter(part) for part in rest])


def _parse_parameter(part: str) -> tuple[str, str | None]:
    name, equals, value = (word.strip(" \t") for word in part.partition("="))
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = _QUOTED_PAIR.sub(r"\1", value[1:-1])
    if not TOKEN.fullmatch(name) or (equals and not TOKEN.fullmatch(value)):
        raise ValueError(f"malformed extension parameter: {part!r}")
    return name, value if equals else None
