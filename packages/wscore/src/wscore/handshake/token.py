"""The token of HTTP: methods, field names, subprotocols, names and values of extensions."""

from __future__ import annotations

import re

__all__ = ["CHARACTER", "TOKEN"]

#: A character of a token (RFC 9110, 5.6.2), as a part of a regular expression.
CHARACTER = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]"

#: A whole token.
TOKEN = re.compile(rf"{CHARACTER}+")
