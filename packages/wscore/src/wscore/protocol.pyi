"""The asyncio protocol that both roles share."""

import asyncio
from collections.abc import Callable
from typing import Final

from typing_extensions import disjoint_base

from .auto_ping import AutoPing
from .http import WSUpgradeRequest, WSUpgradeResponse
from .listener import WSListener
from .logs import Logger
from .transport import WSTransport

__all__ = ["WSProtocolCore"]

MAX_FRAME_SIZE: Final[int]
MAX_FRAGMENTS: Final[int]

@disjoint_base
class WSProtocolCore:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        logger: Logger,
        *,
        disconnect_on_exception: bool,
        enable_auto_pong: bool,
        max_frame_size: int | None = 10485760,
        max_message_size: int | None = None,
        max_fragments: int | None = 131072,
        make_auto_ping: Callable[[float], AutoPing] | None = None,
    ) -> None: ...
    @property
    def transport(self) -> WSTransport: ...
    @property
    def listener(self) -> WSListener: ...
    @property
    def loop(self) -> asyncio.AbstractEventLoop: ...
    @property
    def logger(self) -> Logger: ...
    def is_client_side(self) -> bool: ...
    def start(self) -> None: ...
    def handshake_received(self, data: bytes) -> int: ...
    def handshake_lost(self, exc: Exception | None) -> None: ...
    def connection_made(self, underlying_transport: asyncio.BaseTransport) -> None: ...
    def upgraded(
        self,
        listener: WSListener,
        request: WSUpgradeRequest,
        response: WSUpgradeResponse,
        rsv_allowed: int,
    ) -> None: ...
    def refused(self, response: bytes | bytearray) -> None: ...
    def get_buffer(self, sizehint: int) -> memoryview: ...
    def buffer_updated(self, size: int) -> None: ...
    def eof_received(self) -> bool: ...
    def pause_writing(self) -> None: ...
    def resume_writing(self) -> None: ...
    def connection_lost(self, exc: Exception | None) -> None: ...
