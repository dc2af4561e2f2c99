"""Messages instead of frames."""

from typing_extensions import disjoint_base

from .frame import WSFrame
from .listener import WSListener
from .transport import WSTransport

__all__ = ["WSMessageReader"]

@disjoint_base
class WSMessageReader(WSListener):
    def __init__(
        self, max_size: int | None = 1048576, high: int | None = 16, low: int | None = None
    ) -> None: ...
    @property
    def transport(self) -> WSTransport: ...
    def on_ws_connected(self, transport: WSTransport) -> None: ...
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None: ...
    def on_ws_disconnected(self, transport: WSTransport) -> None: ...
    async def recv(self) -> str | bytes: ...
