"""Measuring round-trip times; only the other compiled modules can use it."""

from typing_extensions import disjoint_base

from .transport import WSTransport

@disjoint_base
class RoundTrips:
    def __init__(self, transport: WSTransport) -> None: ...
    async def measure(self, rounds: int) -> list[float]: ...
