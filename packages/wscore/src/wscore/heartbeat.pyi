"""Auto ping at work; only the other compiled modules can use it."""

from collections.abc import Callable

from typing_extensions import disjoint_base

from .auto_ping import AutoPing
from .listener import WSListener
from .transport import WSTransport

@disjoint_base
class Heartbeat:
    def __init__(
        self,
        transport: WSTransport,
        listener: WSListener,
        make_logic: Callable[[float], AutoPing],
    ) -> None: ...
    def pong_received(self) -> None: ...
