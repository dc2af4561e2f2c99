"""Explicit corking."""

import asyncio
from types import TracebackType
from typing import Self, final

from .loop_io import LoopIO

@final
class Cork:
    def __init__(self, loop: asyncio.AbstractEventLoop, io: LoopIO) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
