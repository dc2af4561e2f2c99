"""Whether a ping is answered in time."""

from collections.abc import Callable
from typing import final

from .transport import WSTransport

__all__ = ["PingWatch"]

@final
class PingWatch:
    def __init__(
        self, transport: WSTransport, timeout: float, given_up: Callable[[], object]
    ) -> None: ...
    def stop(self) -> None: ...
