"""The asyncio API of websockets, on wscore. Change the import, keep the program.

Names are imported from their modules when they are first used.
"""

import importlib
from typing import TYPE_CHECKING, Any

from .deprecated import FORMER_NAMES, deprecated_names
from .install_hook import install, shown_version, uninstall

if TYPE_CHECKING:
    __version__: str

    from .asyncio.client import ClientConnection, connect, unix_connect
    from .asyncio.router import Router, route, unix_route
    from .asyncio.server import Server, ServerConnection, basic_auth, broadcast, serve, unix_serve
    from .client import ClientProtocol
    from .datastructures import Headers, HeadersLike, MultipleValuesError
    from .exceptions import (
        ConcurrencyError,
        ConnectionClosed,
        ConnectionClosedError,
        ConnectionClosedOK,
        DuplicateParameter,
        HeaderLineTooLong,
        InvalidHandshake,
        InvalidHeader,
        InvalidHeaderFormat,
        InvalidHeaderValue,
        InvalidMessage,
        InvalidMethod,
        InvalidOrigin,
        InvalidParameterName,
        InvalidParameterValue,
        InvalidProtocol,
        InvalidProxy,
        InvalidProxyMessage,
        InvalidProxyStatus,
        InvalidState,
        InvalidStatus,
        InvalidUpgrade,
        InvalidURI,
        NegotiationError,
        PayloadTooBig,
        ProtocolError,
        ProxyError,
        RequestLineTooLong,
        SecurityError,
        StatusLineTooLong,
        TooManyFragments,
        TooManyHeaders,
        WebSocketException,
    )
    from .frames import Close, CloseCode, Frame, Opcode
    from .http11 import Request, Response
    from .protocol import Protocol, Side, State
    from .server import ServerProtocol
    from .typing import (
        Data,
        ExtensionName,
        ExtensionParameter,
        LoggerLike,
        Origin,
        StatusLike,
        Subprotocol,
    )

__all__ = [
    "ClientConnection",
    "ClientProtocol",
    "Close",
    "CloseCode",
    "ConcurrencyError",
    "ConnectionClosed",
    "ConnectionClosedError",
    "ConnectionClosedOK",
    "Data",
    "DuplicateParameter",
    "ExtensionName",
    "ExtensionParameter",
    "Frame",
    "HeaderLineTooLong",
    "Headers",
    "HeadersLike",
    "InvalidHandshake",
    "InvalidHeader",
    "InvalidHeaderFormat",
    "InvalidHeaderValue",
    "InvalidMessage",
    "InvalidMethod",
    "InvalidOrigin",
    "InvalidParameterName",
    "InvalidParameterValue",
    "InvalidProtocol",
    "InvalidProxy",
    "InvalidProxyMessage",
    "InvalidProxyStatus",
    "InvalidState",
    "InvalidStatus",
    "InvalidURI",
    "InvalidUpgrade",
    "LoggerLike",
    "MultipleValuesError",
    "NegotiationError",
    "Opcode",
    "Origin",
    "PayloadTooBig",
    "Protocol",
    "ProtocolError",
    "ProxyError",
    "Request",
    "RequestLineTooLong",
    "Response",
    "Router",
    "SecurityError",
    "Server",
    "ServerConnection",
    "ServerProtocol",
    "Side",
    "State",
    "StatusLike",
    "StatusLineTooLong",
    "Subprotocol",
    "TooManyFragments",
    "TooManyHeaders",
    "WebSocketException",
    "__version__",
    "basic_auth",
    "broadcast",
    "connect",
    "install",
    "route",
    "serve",
    "uninstall",
    "unix_connect",
    "unix_route",
    "unix_serve",
]

_HOMES = {
    "asyncio.client": ("ClientConnection", "connect", "unix_connect"),
    "asyncio.router": ("Router", "route", "unix_route"),
    "asyncio.server": (
        "Server",
        "ServerConnection",
        "basic_auth",
        "broadcast",
        "serve",
        "unix_serve",
    ),
    "client": ("ClientProtocol",),
    "datastructures": ("Headers", "HeadersLike", "MultipleValuesError"),
    "frames": ("Close", "CloseCode", "Frame", "Opcode"),
    "http11": ("Request", "Response"),
    "protocol": ("Protocol", "Side", "State"),
    "server": ("ServerProtocol",),
    "typing": (
        *("Data", "ExtensionName", "ExtensionParameter", "LoggerLike"),
        *("Origin", "StatusLike", "Subprotocol"),
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}
_former = deprecated_names(__name__)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return shown_version()
    if name not in __all__:
        return _former(name)
    home = importlib.import_module(f"{__name__}.{_HOME_OF.get(name, 'exceptions')}")
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *FORMER_NAMES[""]})
