"""Checking which side of a TLS connection a context is for, before there is a connection.

OpenSSL fails only when a connection is made: a server would listen, and fail with every client.
"""

from __future__ import annotations

import ssl as ssl_module

__all__ = ["check_context"]

#: For each side, the protocol of contexts that only fit the other, and how to make a fitting one.
_SIDES = {
    "client": (
        ssl_module.PROTOCOL_TLS_SERVER,
        "ssl.create_default_context()",
    ),
    "server": (
        ssl_module.PROTOCOL_TLS_CLIENT,
        "ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)",
    ),
}


def check_context(name: str, context: object, side: str) -> None:
    """Check that an argument is a context for this side of a connection.

    Args:
        name: of the argument.
        context: its value; None is accepted.
        side: ``"client"`` or ``"server"``.

    Raises:
        TypeError: if it is not a context.
        ValueError: if it is one for the other side.
    """
    if context is None:
        return
    if not isinstance(context, ssl_module.SSLContext):
        raise TypeError(f"{name} must be an SSLContext or None, not {context!r}")
    wrong, how = _SIDES[side]
    if context.protocol == wrong:
        raise ValueError(
            f"{name} must be a context for a {side}, as from {how}, not one of {wrong.name}"
        )
