"""Memory of idle connections; only the other compiled modules can use it."""

from typing import final

from typing_extensions import disjoint_base

@disjoint_base
class MemoryHolder: ...

@final
class IdleMemory: ...
