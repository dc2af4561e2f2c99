"""A listener that is called with whole messages."""

from typing_extensions import disjoint_base

from ..connection.message_base import WSMessageBase
from ..connection.transport import WSTransport
from ..enums import WSMsgType

__all__ = ["WSMessageListener"]

@disjoint_base
class WSMessageListener(WSMessageBase):
    def on_ws_message(
        self, transport: WSTransport, msg_type: WSMsgType, message: str | bytes
    ) -> None: ...
