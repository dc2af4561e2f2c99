"""The list of extensions in ``Sec-WebSocket-Extensions`` (RFC 6455, 9.1): its syntax only.

It must not know any extension: what the parameters of one may be is up to that extension.
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
        name: its name, as it was written.
        parameters: its parameters in their order, each with its value, or None without one.
    """

    name: str
    parameters: list[tuple[str, str | None]]


def parse_extensions(values: Iterable[str]) -> list[Extension]:
    """Read the extensions of one message.

    Args:
        values: the values of all its ``Sec-WebSocket-Extensions`` fields.

    Raises:
        ValueError: if they are malformed, or name none.
    """
    # A comma or semicolon within quotes would not be part of a token, which RFC 6455 asks for.
    parts = [part.strip(" \t") for value in values for part in value.split(",")]
    items = [part for part in parts if part]  # RFC 9110, 5.6.1.2: empty ones do not count
    if parts and not items:
        raise ValueError("a list of extensions names at least one")
    return [_parse_extension(item) for item in items]


def _parse_extension(item: str) -> Extension:
    name, *rest = (part.strip(" \t") for part in item.split(";"))
    if not TOKEN.fullmatch(name):
        raise ValueError(f"{item!r} has no name that is a token")
    return Extension(name, [_parse_parameter(part) for part in rest])


def _parse_parameter(part: str) -> tuple[str, str | None]:
    name, equals, value = (word.strip(" \t") for word in part.partition("="))
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = _QUOTED_PAIR.sub(r"\1", value[1:-1])
    if not TOKEN.fullmatch(name) or (equals and not TOKEN.fullmatch(value)):
        raise ValueError(f"{part!r} is not a parameter")
    return name, value if equals else None
