"""Auto ping at work; only the other compiled modules can use it."""

from collections.abc import Callable
from typing import final

from .auto_ping import AutoPing
from .listener import WSListener
from .transport import WSTransport

@final
class Heartbeat:
    def __init__(
        self,
        transport: WSTransport,
        listener: WSListener,
        make_logic: Callable[[float], AutoPing],
    ) -> None: ...
    def pong_received(self) -> None: ...
