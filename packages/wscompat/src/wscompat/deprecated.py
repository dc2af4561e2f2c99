"""Names that stand where they stood in older releases of websockets, and lead to the older API."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any

__all__ = ["FORMER_NAMES", "deprecated_names"]

_EXCEPTIONS = {
    "AbortHandshake": "legacy.exceptions",
    "InvalidStatusCode": "legacy.exceptions",
    "RedirectHandshake": "legacy.exceptions",
}
_CLIENT = {"WebSocketClientProtocol": "legacy.client"}
_SERVER = {"WebSocketServer": "legacy.server", "WebSocketServerProtocol": "legacy.server"}

#: Where names lead, by module; below the package.
FORMER_NAMES = {
    "": {
        **_EXCEPTIONS,
        **_CLIENT,
        **_SERVER,
        "BasicAuthWebSocketServerProtocol": "legacy.auth",
        "WebSocketCommonProtocol": "legacy.protocol",
        "WebSocketProtocolError": "exceptions",
        "basic_auth_protocol_factory": "legacy.auth",
    },
    "client": {**_CLIENT, "connect": "legacy.client", "unix_connect": "legacy.client"},
    "exceptions": {**_EXCEPTIONS, "WebSocketProtocolError": "exceptions"},
    "server": {
        **_SERVER,
        "broadcast": "legacy.server",
        "serve": "legacy.server",
        "unix_serve": "legacy.server",
    },
}
_RENAMED = {"WebSocketProtocolError": "ProtocolError"}


def deprecated_names(module: str) -> Callable[[str], Any]:
    """Make a module's ``__getattr__`` for its deprecated names, each with a `DeprecationWarning`.

    Args:
        module: the module's name.
    """
    homes = FORMER_NAMES[module.partition(".")[2]]
    package = __name__.partition(".")[0]

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warnings.warn(f"{module}.{name} is deprecated", DeprecationWarning, stacklevel=3)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # one is enough
            home = importlib.import_module(f"{package}.{homes[name]}")
        return getattr(home, _RENAMED.get(name, name))

    return find
