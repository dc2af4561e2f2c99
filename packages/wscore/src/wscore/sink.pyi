"""Where frames go on their way out; only the other compiled modules can use it."""

import asyncio

from typing_extensions import disjoint_base

from .loop_io import Endpoint, LoopIO

@disjoint_base
class Sink(Endpoint): ...

@disjoint_base
class TransportSink(Sink):
    def __init__(self, io: LoopIO, transport: asyncio.WriteTransport) -> None: ...
