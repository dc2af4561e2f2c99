"""Values of header fields: parsing and building (RFC 9110, 5.6, 7.6.1, 7.8, 11; RFC 6455, 9.1).

Parsing is strict where the grammar is, except that empty items of a list are skipped, as RFC 9110,
5.6.1.2 asks of recipients.
"""

from __future__ import annotations

import base64
import binascii
import functools
import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from wscore.handshake.token import TOKEN

from .datastructures import Headers, MultipleValuesError
from .exceptions import (
    InvalidHeader,
    InvalidHeaderFormat,
    InvalidHeaderValue,
    InvalidUpgrade,
)
from .typing import ExtensionHeader, ExtensionName, ExtensionParameter, Subprotocol

__all__ = [
    "build_authorization_basic",
    "build_extension",
    "build_host",
    "build_subprotocol",
    "build_www_authenticate_basic",
    "parse_authorization_basic",
    "parse_connection",
    "parse_extension",
    "parse_subprotocol",
    "parse_upgrade",
    "validate_subprotocols",
]

T = TypeVar("T")

_PROTOCOL = re.compile(rf"{TOKEN.pattern}(?:/{TOKEN.pattern})?")
_QUOTED = re.compile(r'"((?:[\t \x21\x23-\x5b\x5d-\x7e]|\\[\t\x20-\x7e])*)"')
_QUOTABLE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_TOKEN68 = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_SPACE = re.compile(r"[\t ]*")


class _Cursor:
    """A place in the value of a header field."""

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value
        self.position = 0

    def error(self, text: str) -> InvalidHeaderFormat:
        return InvalidHeaderFormat(self.name, text, self.value, self.position)

    def at_end(self) -> bool:
        return self.position == len(self.value)

    def skip_space(self) -> None:
        self.take(_SPACE, "")

    def skip(self, char: str) -> bool:
        """Step over a character, if it is the next one."""
        found = self.value.startswith(char, self.position)
        self.position += found
        return found

    def take(self, pattern: re.Pattern[str], what: str) -> str:
        """Step over what matches; the match."""
        match = pattern.match(self.value, self.position)
        if match is None:
            raise self.error(f"expected {what}")
        self.position = match.end()
        return match[0]


def _parse_list(cursor: _Cursor, parse_item: Callable[[_Cursor], T]) -> list[T]:
    """Parse the items of a comma list; there must be one."""
    while cursor.skip(","):
        cursor.skip_space()
    items = []
    while True:
        items.append(parse_item(cursor))
        cursor.skip_space()
        if cursor.at_end():
            return items
        if not cursor.skip(","):
            raise cursor.error("expected comma")
        cursor.skip_space()
        while cursor.skip(","):
            cursor.skip_space()
        if cursor.at_end():
            return items


def _parse_token(cursor: _Cursor) -> str:
    return cursor.take(TOKEN, "token")


# -- Host, Connection, Upgrade


def build_host(host: str, port: int, secure: bool, *, always_include_port: bool = False) -> str:
    """Build a ``Host`` field.

    Args:
        host: name or address.
        port: the port; left out if it is the usual one.
        secure: whether the usual one is 443, not 80.
        always_include_port: whether it is never left out.
    """
    if ":" in host:
        host = f"[{host}]"
    is_usual = port == (443 if secure else 80)
    return host if is_usual and not always_include_port else f"{host}:{port}"


def parse_connection(header: str) -> list[str]:
    """Parse a ``Connection`` field: a list of tokens.

    Raises:
        InvalidHeaderFormat: if it is none.
    """
    return list(_connection_options(header))


def parse_upgrade(header: str) -> list[str]:
    """Parse an ``Upgrade`` field: a list of protocols, with or without a version.

    Raises:
        InvalidHeaderFormat: if it is none.
    """
    return list(_upgrade_protocols(header))


# Nearly all peers send the same values of these two: caching avoids parsing them again.


@functools.lru_cache(maxsize=32)
def _connection_options(header: str) -> tuple[str, ...]:
    return tuple(_parse_list(_Cursor("Connection", header), _parse_token))


@functools.lru_cache(maxsize=32)
def _upgrade_protocols(header: str) -> tuple[str, ...]:
    protocols = _parse_list(
        _Cursor("Upgrade", header), lambda cursor: cursor.take(_PROTOCOL, "protocol")
    )
    return tuple(protocols)


def check_upgrade(headers: Headers, *, missing: str | None = None) -> None:
    """Check that a handshake message agrees to the upgrade (RFC 6455, 4.1 and 4.2.1).

    Args:
        headers: its header fields.
        missing: the value that the exception has if a field is missing.

    Raises:
        InvalidHeaderFormat: if ``Connection`` or ``Upgrade`` is malformed.
        InvalidUpgrade: if one of them is missing or wrong.
    """
    options = _items(headers, "Connection", parse_connection)
    if "upgrade" not in map(str.lower, options):
        raise InvalidUpgrade("Connection", ", ".join(options) or missing)
    protocols = _items(headers, "Upgrade", parse_upgrade)
    if [name.lower() for name in protocols] != ["websocket"]:
        raise InvalidUpgrade("Upgrade", ", ".join(protocols) or missing)


def _items(headers: Headers, name: str, parse: Callable[[str], list[str]]) -> list[str]:
    return [item for value in headers.get_all(name) for item in parse(value)]


# -- Sec-WebSocket-Key, Sec-WebSocket-Accept, Sec-WebSocket-Version


def single_value(headers: Headers, name: str) -> str:
    """Return the value of a header field that must be there once.

    Raises:
        InvalidHeader: if it is missing, or there several times.
    """
    try:
        return headers[name]
    except MultipleValuesError:
        raise InvalidHeader(name, "multiple values") from None
    except KeyError:
        raise InvalidHeader(name) from None


def check_key(key: str) -> None:
    """Check that a ``Sec-WebSocket-Key`` is 16 bytes in base64.

    Raises:
        InvalidHeaderValue: if it is not.
    """
    try:
        size = len(base64.b64decode(key.encode(), validate=True))
    except binascii.Error as exc:
        raise InvalidHeaderValue("Sec-WebSocket-Key", key) from exc
    if size != 16:
        raise InvalidHeaderValue("Sec-WebSocket-Key", key)


# -- Sec-WebSocket-Extensions


def parse_extension(header: str) -> list[ExtensionHeader]:
    """Parse a ``Sec-WebSocket-Extensions`` field.

    Returns:
        Pairs of a name and its parameters, which are pairs of a name and a value or None.

    Raises:
        InvalidHeaderFormat: if it does not follow RFC 6455, 9.1.
    """
    return _parse_list(_Cursor("Sec-WebSocket-Extensions", header), _parse_extension)


def build_extension(extensions: Sequence[ExtensionHeader]) -> str:
    """Build a ``Sec-WebSocket-Extensions`` field from what `parse_extension` returns."""
    return ", ".join(
        "; ".join(
            [name, *(key if value is None else f"{key}={value}" for key, value in parameters)]
        )
        for name, parameters in extensions
    )


def _parse_extension(cursor: _Cursor) -> ExtensionHeader:
    name = ExtensionName(_parse_token(cursor))
    parameters: list[ExtensionParameter] = []
    cursor.skip_space()
    while cursor.skip(";"):
        cursor.skip_space()
        parameters.append(_parse_parameter(cursor))
        cursor.skip_space()
    return name, parameters


def _parse_parameter(cursor: _Cursor) -> ExtensionParameter:
    name = _parse_token(cursor)
    cursor.skip_space()
    if not cursor.skip("="):
        return name, None
    cursor.skip_space()
    if not cursor.value.startswith('"', cursor.position):
        return name, _parse_token(cursor)
    start = cursor.position
    value = re.sub(r"\\(.)", r"\1", cursor.take(_QUOTED, "quoted string")[1:-1])
    if not TOKEN.fullmatch(value):  # RFC 6455, 9.1: unquoted, it must be a token
        cursor.position = start
        raise cursor.error("invalid quoted header content")
    return name, value


# -- Sec-WebSocket-Protocol


def parse_subprotocol(header: str) -> list[Subprotocol]:
    """Parse a ``Sec-WebSocket-Protocol`` field: a list of tokens.

    Raises:
        InvalidHeaderFormat: if it is none.
    """
    names = _parse_list(_Cursor("Sec-WebSocket-Protocol", header), _parse_token)
    return [Subprotocol(name) for name in names]


def build_subprotocol(subprotocols: Sequence[str]) -> str:
    """Build a ``Sec-WebSocket-Protocol`` field."""
    return ", ".join(subprotocols)


def validate_subprotocols(subprotocols: Sequence[str]) -> None:
    """Check names of subprotocols.

    Args:
        subprotocols: the names.

    Raises:
        TypeError: if it is one string, or another thing that is no list of them.
        ValueError: if one is not a token.
    """
    if isinstance(subprotocols, str):
        raise TypeError("subprotocols must be a list, not a str")
    if not isinstance(subprotocols, Sequence):
        raise TypeError("subprotocols must be a list")
    for name in subprotocols:
        if not TOKEN.fullmatch(name):
            raise ValueError(f"invalid subprotocol: {name}")


# -- Authorization, WWW-Authenticate (RFC 7617)


def build_www_authenticate_basic(realm: str) -> str:
    """Build a ``WWW-Authenticate`` field that asks for basic authentication.

    Args:
        realm: the protection space (RFC 9110, 11.5); ASCII.

    Raises:
        ValueError: if there is a character in it that no header field can have.
    """
    if not _QUOTABLE.fullmatch(realm):
        raise ValueError("invalid characters for quoted-string encoding")
    quoted = re.sub(r'(["\\])', r"\\\1", realm)
    return f'Basic realm="{quoted}", charset="UTF-8"'


def parse_authorization_basic(header: str) -> tuple[str, str]:
    """Parse an ``Authorization`` field of basic authentication.

    Returns:
        User name and password; bytes that are not UTF-8 become lone surrogates.

    Raises:
        InvalidHeaderFormat: if it does not follow the grammar.
        InvalidHeaderValue: if it is of another scheme, or there is no colon in it.
    """
    cursor = _Cursor("Authorization", header)
    scheme = _parse_token(cursor)
    if scheme.lower() != "basic":
        raise InvalidHeaderValue(cursor.name, f"unsupported scheme: {scheme}")
    if not cursor.skip(" "):
        raise cursor.error("expected space after scheme")
    encoded = cursor.take(_TOKEN68, "token68")
    if not cursor.at_end():
        raise cursor.error("trailing data")
    try:
        credentials = base64.b64decode(encoded, validate=True).decode("utf-8", "surrogateescape")
    except binascii.Error:
        raise InvalidHeaderValue(cursor.name, "expected base64-encoded credentials") from None
    username, colon, password = credentials.partition(":")
    if not colon:
        raise InvalidHeaderValue(cursor.name, "expected username:password credentials")
    return username, password


def build_authorization_basic(username: str, password: str) -> str:
    """Build an ``Authorization`` field of basic authentication.

    Args:
        username: without a colon.
        password: anything.

    Raises:
        ValueError: if there is a colon in the user name.
    """
    if ":" in username:
        raise ValueError("a user name cannot have a colon in basic authentication")
    credentials = f"{username}:{password}".encode("utf-8", "surrogateescape")
    return f"Basic {base64.b64encode(credentials).decode('ascii')}"
