"""One message to many connections."""

from collections.abc import Iterable

from typing_extensions import Buffer

from .enums import WSMsgType, WSSlowPeer
from .transport import WSTransport

__all__ = ["ws_broadcast"]

def ws_broadcast(
    transports: Iterable[WSTransport],
    msg_type: WSMsgType,
    message: str | Buffer,
    *,
    when_slow: WSSlowPeer = ...,
) -> list[WSTransport]: ...
