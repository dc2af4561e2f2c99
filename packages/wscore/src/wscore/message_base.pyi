"""From frames to messages."""

from typing_extensions import disjoint_base

from .frame import WSFrame
from .listener import WSListener
from .transport import WSTransport

__all__ = ["WSMessageBase"]

@disjoint_base
class WSMessageBase(WSListener):
    @property
    def transport(self) -> WSTransport: ...
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None: ...
    def feed(self, is_text: bool, fin: bool, data: bytes) -> None: ...
    def on_pong(self, payload: bytes) -> None: ...
    def on_close(self) -> None: ...
