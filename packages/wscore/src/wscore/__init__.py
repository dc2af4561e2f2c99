"""WebSocket for asyncio: transports, listeners, servers. The zero-copy callback API."""

from .broadcast import ws_broadcast
from .closing import WSCloseHandshake, WSCloseInfo
from .connect import ws_connect
from .deflate import WSDeflate, WSDeflateParameters
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
from .frame import WSFrame
from .http import WSUpgradeRequest, WSUpgradeResponse, WSUpgradeResponseWithListener
from .listener import WSListener
from .logs import PICOWS_DEBUG_LL, WSCORE_DEBUG_LL
from .message_listener import WSMessageListener
from .message_reader import WSMessageReader
from .serve import ws_create_server
from .transport import WSTransport
from .url import WSParsedURL

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
