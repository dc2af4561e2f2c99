"""Compressing and inflating messages; only the other compiled modules can use it."""

from asyncio import AbstractEventLoop

from typing_extensions import disjoint_base

from ..handshake.deflate import MAX_BITS as MAX_BITS
from ..handshake.deflate import SMALL_SIZE as SMALL_SIZE
from ..handshake.deflate import WSDeflate
from ..loop.idle_memory import MemoryHolder

@disjoint_base
class Inflater(MemoryHolder):
    def __new__(
        cls,
        loop: AbstractEventLoop,
        settings: WSDeflate,
        window_bits: int,
        keeps_context: bool,
        max_message: int,
        max_frame: int,
    ) -> Inflater: ...

@disjoint_base
class Deflater(MemoryHolder):
    def __new__(
        cls,
        loop: AbstractEventLoop,
        settings: WSDeflate,
        window_bits: int,
        keeps_context: bool,
    ) -> Deflater: ...
