"""Accepting connections on a listening socket."""

import asyncio
from collections.abc import Callable
from typing import final

from ..loop.loop_io import Endpoint

__all__ = ["Acceptor"]

ACCEPT_PAUSE: float
REPORT_INTERVAL: float
ACCEPTED_AT_ONCE: int
MAX_FAILURES: int

@final
class Acceptor(Endpoint):
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        fd: int,
        backlog: int,
        attach: Callable[[int], object],
    ) -> None: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
