"""What all connections of one event loop share; only the other compiled modules can use it."""

from typing_extensions import disjoint_base

@disjoint_base
class Block:
    def __new__(cls, size: int) -> Block: ...

@disjoint_base
class SendBuffer: ...

@disjoint_base
class Corked: ...

@disjoint_base
class LoopIO: ...
