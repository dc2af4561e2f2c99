"""Which side of a TLS connection a context is for, checked before there is a connection.

OpenSSL objects only when a connection is made: a server would listen, and lose each of its clients.
"""

from __future__ import annotations

import ssl as ssl_module

__all__ = ["check_context"]

#: What a context of one side only was made with, and how to make one of the other side.
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
    """Refuse what is no context for this side of a connection.

    Args:
        name: of the argument.
        context: its value; None is fine.
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
            f"{name} must be a context for a {side}, such as {how} makes, not one of {wrong.name}"
        )
