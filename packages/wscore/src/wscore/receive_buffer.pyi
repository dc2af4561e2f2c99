"""Where received bytes wait until they are parsed; only the other compiled modules can use it."""

from typing_extensions import disjoint_base

@disjoint_base
class Block:
    def __new__(cls, size: int) -> Block: ...

@disjoint_base
class ReceiveBuffer:
    def __new__(cls, initial_size: int) -> ReceiveBuffer: ...
