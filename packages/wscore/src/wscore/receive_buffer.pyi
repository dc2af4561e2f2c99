"""Received bytes that are not parsed yet; only the other compiled modules can use it."""

from typing_extensions import disjoint_base

from .loop_io import LoopIO

@disjoint_base
class ReceiveBuffer:
    def __new__(cls, io: LoopIO) -> ReceiveBuffer: ...
