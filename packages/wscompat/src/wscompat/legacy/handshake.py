"""The fields of the opening handshake, as functions on `Headers` (RFC 6455, 4).

Nothing is read or sent here, and nothing but these fields is looked at.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Sequence

from wscore.handshake.fields import accept_key

from ..datastructures import Headers
from ..exceptions import InvalidHeader, InvalidHeaderValue, InvalidUpgrade
from ..headers import parse_connection, parse_upgrade

__all__ = ["build_request", "build_response", "check_request", "check_response"]

_VERSION = "13"


def build_request(headers: Headers) -> str:
    """Add to a request what asks for an upgrade.

    Args:
        headers: of the request; the fields are added to them.

    Returns:
        The key, for `check_response`.
    """
    key = base64.b64encode(os.urandom(16)).decode("ascii")
    headers.set_insecure("Upgrade", "websocket")
    headers.set_insecure("Connection", "Upgrade")
    headers.set_insecure("Sec-WebSocket-Key", key)
    headers.set_insecure("Sec-WebSocket-Version", _VERSION)
    return key


def check_request(headers: Headers) -> str:
    """Check that a request asks for an upgrade.

    Args:
        headers: of the request.

    Returns:
        The key, for `build_response`.

    Raises:
        InvalidUpgrade: if ``Upgrade`` or ``Connection`` is missing or wrong.
        InvalidHeader: if the key or the version is missing, wrong, or there twice.
    """
    _check_upgrade(headers)
    key = _only(headers, "Sec-WebSocket-Key")
    try:
        size = len(base64.b64decode(key, validate=True))
    except (binascii.Error, ValueError) as exc:
        raise InvalidHeaderValue("Sec-WebSocket-Key", key) from exc
    if size != 16:
        raise InvalidHeaderValue("Sec-WebSocket-Key", key)
    version = _only(headers, "Sec-WebSocket-Version")
    if version != _VERSION:
        raise InvalidHeaderValue("Sec-WebSocket-Version", version)
    return key


def build_response(headers: Headers, key: str) -> None:
    """Add to a response what grants the upgrade.

    Args:
        headers: of the response; the fields are added to them.
        key: what `check_request` returned.
    """
    headers.set_insecure("Upgrade", "websocket")
    headers.set_insecure("Connection", "Upgrade")
    headers.set_insecure("Sec-WebSocket-Accept", accept_key(key))


def check_response(headers: Headers, key: str) -> None:
    """Check that a response grants the upgrade.

    Args:
        headers: of the response.
        key: what `build_request` returned.

    Raises:
        InvalidUpgrade: if ``Upgrade`` or ``Connection`` is missing or wrong.
        InvalidHeader: if ``Sec-WebSocket-Accept`` does not answer the key.
    """
    _check_upgrade(headers)
    accept = _only(headers, "Sec-WebSocket-Accept")
    if accept != accept_key(key):
        raise InvalidHeaderValue("Sec-WebSocket-Accept", accept)


def _check_upgrade(headers: Headers) -> None:
    options = _items(headers, "Connection", parse_connection)
    if not any(option.lower() == "upgrade" for option in options):
        raise InvalidUpgrade("Connection", ", ".join(options))
    protocols = _items(headers, "Upgrade", parse_upgrade)
    if [protocol.lower() for protocol in protocols] != ["websocket"]:
        raise InvalidUpgrade("Upgrade", ", ".join(protocols))


def _items(headers: Headers, name: str, parse: Callable[[str], Sequence[str]]) -> list[str]:
    return [item for value in headers.get_all(name) for item in parse(value)]


def _only(headers: Headers, name: str) -> str:
    """The value of a field that must be there once."""
    values = headers.get_all(name)
    if not values:
        raise InvalidHeader(name)
    if len(values) > 1:
        raise InvalidHeader(name, "multiple values")
    return values[0]
