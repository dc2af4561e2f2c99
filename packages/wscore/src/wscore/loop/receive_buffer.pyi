"""Received bytes that are not parsed yet; only the other compiled modules can use it."""

from typing import final

from .loop_io import LoopIO

@final
class ReceiveBuffer:
    def __new__(cls, io: LoopIO) -> ReceiveBuffer: ...
