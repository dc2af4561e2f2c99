"""The outgoing side of a connection; usable only from compiled modules."""

import asyncio
from typing import final

from typing_extensions import disjoint_base

from ..connection.protocol import WSProtocolCore
from .loop_io import Endpoint, LoopIO

@disjoint_base
class Sink(Endpoint):
    def is_reading(self) -> bool: ...
    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...

@final
class TransportSink(Sink):
    def __init__(
        self, io: LoopIO, transport: asyncio.Transport, protocol: WSProtocolCore
    ) -> None: ...
