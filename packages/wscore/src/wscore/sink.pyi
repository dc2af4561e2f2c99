"""Where frames go on their way out; only the other compiled modules can use it."""

import asyncio

from typing_extensions import disjoint_base

from .loop_io import Corked, LoopIO

@disjoint_base
class Sink(Corked): ...

@disjoint_base
class TransportSink(Sink):
    def __init__(self, io: LoopIO, transport: asyncio.WriteTransport) -> None: ...
