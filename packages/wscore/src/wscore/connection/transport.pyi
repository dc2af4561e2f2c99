"""What user code sends with."""

import asyncio
from typing import Final, final

from typing_extensions import Buffer

from ..enums import WSCloseCode, WSMsgType
from ..handshake.deflate import WSDeflateParameters
from ..handshake.http import WSUpgradeRequest, WSUpgradeResponse
from ..logs import Logger
from ..loop.cork import Cork
from ..loop.sink import Sink
from .state import WSCloseHandshake

__all__ = ["WSTransport"]

FAIL_TIMEOUT: Final[float]

@final
class WSTransport:
    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        underlying_transport: asyncio.Transport,
        sink: Sink,
        is_client_side: bool,
        logger: Logger,
    ) -> None: ...
    @property
    def underlying_transport(self) -> asyncio.Transport: ...
    @property
    def request(self) -> WSUpgradeRequest: ...
    @property
    def response(self) -> WSUpgradeResponse: ...
    @property
    def close_handshake(self) -> WSCloseHandshake | None: ...
    @property
    def lost_exception(self) -> Exception | None: ...
    @property
    def is_client_side(self) -> bool: ...
    @property
    def is_secure(self) -> bool: ...
    @property
    def is_writing_paused(self) -> bool: ...
    @property
    def deflate(self) -> WSDeflateParameters | None: ...
    @property
    def is_close_frame_sent(self) -> bool: ...
    @property
    def is_open(self) -> bool: ...
    @property
    def is_disconnected(self) -> bool: ...
    @property
    def peer_has_ended(self) -> bool: ...
    def send(
        self,
        msg_type: WSMsgType,
        message: str | Buffer | None,
        fin: bool = True,
        rsv1: bool = False,
        rsv2: bool = False,
        rsv3: bool = False,
    ) -> None: ...
    def send_message(
        self,
        msg_type: WSMsgType,
        message: str | Buffer | None,
        fin: bool = True,
        compress: bool | None = None,
    ) -> None: ...
    def send_ping(self, message: str | Buffer | None = None) -> None: ...
    def send_pong(self, message: str | Buffer | None = None) -> None: ...
    def answer_ping(self, message: str | Buffer | None = None) -> bool: ...
    def send_close(
        self,
        close_code: WSCloseCode | int = ...,
        close_message: str | Buffer | None = None,
    ) -> None: ...
    def send_reuse_external_bytearray(
        self,
        msg_type: WSMsgType,
        buffer: bytearray,
        msg_offset: int,
        fin: bool = True,
        rsv1: bool = False,
        rsv2: bool = False,
        rsv3: bool = False,
    ) -> None: ...
    def cork(self) -> Cork: ...
    async def measure_roundtrip_time(self, rounds: int) -> list[float]: ...
    def notify_user_specific_pong_received(self) -> None: ...
    def fail(self, code: int, reason: str | Buffer | None = None) -> None: ...
    def disconnect(self, graceful: bool = True) -> None: ...
    async def wait_disconnected(self) -> None: ...
