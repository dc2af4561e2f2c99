"""Measuring round-trip times; only the other compiled modules can use it."""

from typing import final

from .transport import WSTransport

@final
class RoundTrips:
    def __init__(self, transport: WSTransport) -> None: ...
    async def measure(self, rounds: int) -> list[float]: ...
