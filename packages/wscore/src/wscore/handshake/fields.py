"""What both roles need in the opening handshake (RFC 6455, 4): the key's answer, and comma lists.

Sans-I/O. What a request must contain is in `handshake_server`, what a response must, in
`handshake_client`.
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
    """The value of ``Sec-WebSocket-Accept`` for a ``Sec-WebSocket-Key`` (RFC 6455, 4.2.2)."""
    digest = hashlib.sha1(key.encode("ascii") + _GUID, usedforsecurity=False).digest()
    return binascii.b2a_base64(digest, newline=False).decode("ascii")


def reserved_bits(response: WSUpgradeResponse, agreed: WSDeflateParameters | None) -> int:
    """The reserved bits that extensions of the user's may set in any frame.

    Args:
        response: the one that grants the upgrade.
        agreed: what was agreed on of permessage-deflate, which has the first bit for itself.
    """
    if EXTENSIONS_FIELD not in response.headers:
        return 0
    if agreed is None:
        return 7
    return 3 if extension_names(response.headers) > {EXTENSION} else 0


def has_body(headers: CIMultiDict[str]) -> bool:
    """Whether a message with these fields has a body (RFC 9112, 6)."""
    if "Content-Length" in headers and any(
        size.strip("0") for size in headers.getall("Content-Length")
    ):
        return True
    return "Transfer-Encoding" in headers


def has_item(headers: CIMultiDict[str], name: str, wanted: str) -> bool:
    """Whether a comma list has a certain item, in any letter case of ASCII.

    No other letter of Latin-1, which header fields are read as, becomes one of ASCII in lower case.

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
    """The items of a comma list that may be spread over several fields (RFC 9110, 5.6.1).

    Empty ones are skipped, as 5.6.1.2 asks of recipients. White space is SP and HTAB only.

    Args:
        headers: of the message.
        name: of the list's field; if it is not there, there are no items.
    """
    values = headers.getall(name, [])
    return [item for value in values for part in value.split(",") if (item := part.strip(" \t"))]


def has_malformed_list(headers: CIMultiDict[str], name: str) -> bool:
    """Whether a comma list is there that has no items, or some that are not tokens.

    Args:
        headers: of the message.
        name: of the list's field.
    """
    if name not in headers:
        return False
    items = items_of(headers, name)
    return not (items and all(map(TOKEN.fullmatch, items)))


def extension_names(headers: CIMultiDict[str]) -> set[str]:
    """The names of the extensions in a message of this side, which need not be well-formed."""
    return {item.partition(";")[0].strip(" \t") for item in items_of(headers, EXTENSIONS_FIELD)}


def append_extension(headers: CIMultiDict[str], extension: str) -> None:
    """Put an extension, with its parameters, behind those that are there, in one field."""
    headers[EXTENSIONS_FIELD] = ", ".join([*headers.getall(EXTENSIONS_FIELD, []), extension])
