"""Resuming a waiting task from within a callback; only the other compiled modules can use it."""

import asyncio
from typing import final

@final
class Waiter:
    def __new__(cls, loop: asyncio.AbstractEventLoop) -> Waiter: ...
