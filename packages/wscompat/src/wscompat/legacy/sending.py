"""Sending a message in fragments, and one message to many connections."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..asyncio.broadcasting import broadcast as send_to_all
from ..typing import DataLike

if TYPE_CHECKING:
    from .protocol import WebSocketCommonProtocol

__all__ = ["broadcast", "type_error"]


def broadcast(
    websockets: Iterable[WebSocketCommonProtocol],
    message: DataLike,
    raise_exceptions: bool = False,
) -> None:
    """Send a message to many connections, waiting for none of them.

    Args:
        websockets: where to; those that are not open are passed over.
        message: a `str` for a text message, bytes-like for a binary one.
        raise_exceptions: whether connections in the middle of a fragmented message, which are
            passed over too, are reported by an exception; otherwise they are logged.

    Raises:
        TypeError: if the message is of another type.
        ExceptionGroup: of a `RuntimeError` for each connection in the middle of a message.
    """
    if not isinstance(message, DataLike):
        raise type_error(message)
    connected = [websocket for websocket in websockets if websocket.transport is not None]
    send_to_all(connected, message, raise_exceptions=raise_exceptions)


def type_error(fragment: object, is_first: bool = True) -> TypeError:
    """Return the exception for a message or fragment of a wrong type."""
    if isinstance(fragment, DataLike) and not is_first:
        return TypeError("data contains inconsistent types")
    return TypeError("data must be str or bytes-like")
