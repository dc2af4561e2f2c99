"""One message to many connections."""

from collections.abc import Iterable

from typing_extensions import Buffer, disjoint_base

from .enums import WSMsgType, WSSlowPeer
from .transport import WSTransport

__all__ = ["ws_broadcast"]

def ws_broadcast(
    transports: Iterable[WSTransport],
    msg_type: WSMsgType,
    message: str | Buffer,
    *,
    when_slow: WSSlowPeer = ...,
    compress: bool | None = None,
) -> list[WSTransport]: ...

@disjoint_base
class Forms:
    def __new__(cls, msg_type: WSMsgType, message: str | Buffer) -> Forms: ...

@disjoint_base
class Form:
    def __new__(cls, msg_type: WSMsgType, rsv: int, payload: Buffer) -> Form: ...
