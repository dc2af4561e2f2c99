"""Values of header fields that programs give."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["validate_subprotocols"]

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2


def validate_subprotocols(subprotocols: Sequence[str]) -> None:
    """Check names of subprotocols.

    Args:
        subprotocols: the names.

    Raises:
        TypeError: if it is one string and not a list of them.
        ValueError: if one is not a token.
    """
    if isinstance(subprotocols, str):
        raise TypeError("subprotocols must be a list, not a str")
    for name in subprotocols:
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"invalid subprotocol: {name}")
