"""Whether a ping is answered in time."""

from collections.abc import Callable

from typing_extensions import disjoint_base

from .transport import WSTransport

__all__ = ["PingWatch"]

@disjoint_base
class PingWatch:
    def __init__(
        self, transport: WSTransport, timeout: float, given_up: Callable[[], object]
    ) -> None: ...
    def stop(self) -> None: ...
