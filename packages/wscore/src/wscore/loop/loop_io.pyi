"""State shared by the connections of one event loop; usable only from compiled modules."""

from typing import final

from typing_extensions import disjoint_base

@final
class Block:
    def __new__(cls, size: int) -> Block: ...

@disjoint_base
class Endpoint: ...

@final
class LoopIO: ...

@final
class Schedule: ...
