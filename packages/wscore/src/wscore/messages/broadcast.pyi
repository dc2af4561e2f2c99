"""Broadcasting one message to many connections."""

from collections.abc import Iterable
from typing import Any, TypeVar, final

from typing_extensions import Buffer

from ..connection.transport import WSTransport
from ..enums import WSMsgType, WSSlowPeer
from .message_connection import WSMessageConnection

_C = TypeVar("_C", bound=WSMessageConnection)

__all__ = ["broadcast_message", "ws_broadcast"]

def ws_broadcast(
    transports: Iterable[WSTransport],
    msg_type: WSMsgType,
    message: str | Buffer,
    *,
    when_slow: WSSlowPeer = ...,
    compress: bool | None = None,
) -> list[WSTransport]: ...
def broadcast_message(
    connections: Iterable[_C], msg_type: WSMsgType, message: str | Buffer
) -> tuple[list[_C], list[_C], list[Any]]: ...

@final
class EncodedMessage:
    def __new__(cls, msg_type: WSMsgType, message: str | Buffer) -> EncodedMessage: ...

@final
class EncodedFrame:
    def __new__(cls, msg_type: WSMsgType, rsv: int, payload: Buffer) -> EncodedFrame: ...
