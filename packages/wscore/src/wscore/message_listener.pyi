"""Messages to a callback."""

from typing_extensions import disjoint_base

from .enums import WSMsgType
from .message_base import WSMessageBase
from .transport import WSTransport

__all__ = ["WSMessageListener"]

@disjoint_base
class WSMessageListener(WSMessageBase):
    def on_ws_message(
        self, transport: WSTransport, msg_type: WSMsgType, message: str | bytes
    ) -> None: ...
