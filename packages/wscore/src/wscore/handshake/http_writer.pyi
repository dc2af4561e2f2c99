"""Serialising the headers of HTTP messages."""

from collections.abc import Mapping

__all__ = ["serialise_head"]

def serialise_head(first_line: bytes, headers: Mapping[str, str]) -> bytearray: ...
