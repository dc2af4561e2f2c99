"""Header fields that both sides of the opening handshake use (RFC 6455, 4): key and comma lists.

Sans-I/O. The requirements on requests are in `server`, those on responses in `client`.
"""

from __future__ import annotations

import binascii
import hashlib

from multidict import CIMultiDict

from .deflate import EXTENSION, WSDeflateParameters
from .http import WSUpgradeResponse
from .token import TOKEN

__all__ = [
    "EXTENSIONS_FIELD",
    "accept_key",
    "append_extension",
    "extension_names",
    "has_body",
    "has_item",
    "has_malformed_list",
    "items_of",
    "reserved_bits",
]

EXTENSIONS_FIELD = "Sec-WebSocket-Extensions"

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


def accept_key(key: str) -> str:
    """Return the ``Sec-WebSocket-Accept`` for a ``Sec-WebSocket-Key`` (RFC 6455, 4.2.2)."""
    digest = hashlib.sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()
    return binascii.b2a_base64(digest, newline=False).decode("ascii")


def reserved_bits(response: WSUpgradeResponse, agreed: WSDeflateParameters | None) -> int:
    """Return the reserved bits that the user's own extensions may set in frames.

    Args:
        response: the response that accepts the upgrade.
        agreed: the negotiated permessage-deflate, which owns the first bit (RSV1), or None.
    """
    if EXTENSIONS_FIELD not in response.headers:
        return 0
    if agreed is None:
        return 7
    return 3 if extension_names(response.headers) > {EXTENSION} else 0


def has_body(headers: CIMultiDict[str]) -> bool:
    """Return whether a message with these header fields has a body (RFC 9112, 6)."""
    if "Content-Length" in headers and any(
        size.strip("0") for size in headers.getall("Content-Length")
    ):
        return True
    return "Transfer-Encoding" in headers


def has_item(headers: CIMultiDict[str], name: str, wanted: str) -> bool:
    """Return whether a comma list has an item, ignoring ASCII case.

    Fields are decoded as Latin-1, in which no other letter becomes an ASCII one in lower case.

    Args:
        headers: of the message.
        name: of the list's field.
        wanted: the item, in lower case.
    """
    if name not in headers:
        return False
    return headers[name].lower() == wanted or wanted in (
        item.lower() for item in items_of(headers, name)
    )


def items_of(headers: CIMultiDict[str], name: str) -> list[str]:
    """Return the items of a comma list, which may span several fields (RFC 9110, 5.6.1).

    Empty elements are skipped, as 5.6.1.2 requires. Only SP and HTAB count as white space.

    Args:
        headers: of the message.
        name: of the list's field; if it is missing, there are no items.
    """
    values = headers.getall(name, [])
    return [item for value in values for part in value.split(",") if (item := part.strip(" \t"))]


def has_malformed_list(headers: CIMultiDict[str], name: str) -> bool:
    """Return whether a comma list is present but empty, or has items that are not tokens.

    Args:
        headers: of the message.
        name: of the list's field.
    """
    if name not in headers:
        return False
    items = items_of(headers, name)
    return not (items and all(map(TOKEN.fullmatch, items)))


def extension_names(headers: CIMultiDict[str]) -> set[str]:
    """Return the names of the extensions in our own message, which need not be well-formed."""
    return {item.partition(";")[0].strip(" \t") for item in items_of(headers, EXTENSIONS_FIELD)}


def append_extension(headers: CIMultiDict[str], extension: str) -> None:
    """Append an extension, with its parameters, to the list; join the list into one field."""
    headers[EXTENSIONS_FIELD] = ", ".join([*headers.getall(EXTENSIONS_FIELD, []), extension])
