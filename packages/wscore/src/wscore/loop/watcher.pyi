"""Waiting for the sockets of many connections at once."""

import asyncio
from typing import final

__all__ = ["Watcher"]

@final
class Watcher:
    def __new__(cls, loop: asyncio.AbstractEventLoop) -> Watcher: ...
