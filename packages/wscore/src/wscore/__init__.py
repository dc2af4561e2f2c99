"""WebSocket for asyncio: transports, listeners, servers. The zero-copy callback API."""

# This must come first: where compiled modules cannot be loaded, as in a second interpreter, the
# import then fails before anything else is loaded, which CPython 3.12.1 cannot unload completely.
from . import enums as enums
from .connect import ws_connect
from .connection.frame import WSFrame
from .connection.listener import WSListener
from .connection.state import WSCloseHandshake, WSCloseInfo
from .connection.transport import WSTransport
from .enums import WSAutoPingStrategy, WSCloseCode, WSMsgType, WSSlowPeer
from .errors import (
    WSError,
    WSHandshakeError,
    WSInvalidHeaderError,
    WSInvalidMessageError,
    WSInvalidStatusError,
    WSInvalidUpgradeError,
    WSInvalidURL,
    WSProtocolError,
)
from .handshake.deflate import WSDeflate, WSDeflateParameters
from .handshake.http import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener
from .handshake.url import WSParsedURL
from .logs import PICOWS_DEBUG_LL, WSCORE_DEBUG_LL
from .messages.broadcast import ws_broadcast
from .messages.message_listener import WSMessageListener
from .messages.message_reader import WSMessageReader
from .serve import ws_create_server

__version__ = "0.1.0"

__all__ = [
    "PICOWS_DEBUG_LL",
    "WSCORE_DEBUG_LL",
    "WSAutoPingStrategy",
    "WSCloseCode",
    "WSCloseHandshake",
    "WSCloseInfo",
    "WSDeflate",
    "WSDeflateParameters",
    "WSError",
    "WSFrame",
    "WSHandshakeError",
    "WSInvalidHeaderError",
    "WSInvalidMessageError",
    "WSInvalidStatusError",
    "WSInvalidURL",
    "WSInvalidUpgradeError",
    "WSListener",
    "WSMessageListener",
    "WSMessageReader",
    "WSMsgType",
    "WSParsedURL",
    "WSProtocolError",
    "WSSlowPeer",
    "WSTransport",
    "WSUpgradeRequest",
    "WSUpgradeResponse",
    "WSUpgradeResponseWithListener",
    "__version__",
    "ws_broadcast",
    "ws_connect",
    "ws_create_server",
]
