"""The fields of the opening handshake, as functions on `Headers` (RFC 6455, 4).

Nothing is read or sent here, and nothing but these fields is looked at.
"""

from __future__ import annotations

from ..datastructures import Headers
from ..exceptions import InvalidHeaderValue
from ..headers import check_key, check_upgrade, single_value
from ..utils import accept_key, generate_key

__all__ = ["build_request", "build_response", "check_request", "check_response"]

_VERSION = "13"


def build_request(headers: Headers) -> str:
    """Add to a request what asks for an upgrade.

    Args:
        headers: of the request; the fields are added to them.

    Returns:
        The key, for `check_response`.
    """
    key = generate_key()
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
    check_upgrade(headers, missing="")
    key = single_value(headers, "Sec-WebSocket-Key")
    check_key(key)
    version = single_value(headers, "Sec-WebSocket-Version")
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
    check_upgrade(headers, missing="")
    accept = single_value(headers, "Sec-WebSocket-Accept")
    if accept != accept_key(key):
        raise InvalidHeaderValue("Sec-WebSocket-Accept", accept)
