"""Sending a message in fragments, and one message to many connections."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import TYPE_CHECKING

import wscore

from ..asyncio.broadcasting import broadcast as send_to_all
from ..fragments import iterate
from ..frames import CloseCode
from ..typing import DataLike

if TYPE_CHECKING:
    from .protocol import WebSocketCommonProtocol

__all__ = ["broadcast", "send_fragments"]

CONTINUATION = wscore.WSMsgType.CONTINUATION
TEXT = wscore.WSMsgType.TEXT
BINARY = wscore.WSMsgType.BINARY

_BYTES_LIKE = (bytes, bytearray, memoryview)


async def send_fragments(
    protocol: WebSocketCommonProtocol, message: Iterable[DataLike] | AsyncIterable[DataLike]
) -> None:
    """Send fragments as they come.

    If they cannot all be sent, neither can another message, and the connection is closed.

    Args:
        protocol: where to; it is open.
        message: the fragments.

    Raises:
        ConnectionClosed: if the connection is closed meanwhile.
        TypeError: if `message` or what it gives is of another type.
    """
    if isinstance(message, Mapping):
        raise TypeError("data is a dict-like object")
    if isinstance(message, AsyncIterable):
        fragments = aiter(message)
    elif isinstance(message, Iterable):
        fragments = iterate(message)
    else:
        raise TypeError("data must be str, bytes-like, or iterable")
    try:
        first = await anext(fragments)
    except StopAsyncIteration:
        return
    kind = _kind(first)
    while protocol._fragments_sent is not None:  # another one began while this one made its first
        await asyncio.shield(protocol._fragments_sent)
    await protocol.ensure_open()
    protocol._fragments_sent = protocol.loop.create_future()
    try:
        await _send_all(protocol, first, kind, fragments)
    except BaseException:
        protocol.fail_connection(CloseCode.INTERNAL_ERROR)
        raise
    finally:
        protocol._fragments_sent.set_result(None)
        protocol._fragments_sent = None


async def _send_all(
    protocol: WebSocketCommonProtocol,
    first: DataLike,
    kind: type | tuple[type, ...],
    others: AsyncIterator[DataLike],
) -> None:
    """Send the first fragment, the others as they come, and an empty one behind the last."""
    protocol._core.send_message(TEXT if kind is str else BINARY, first, fin=False)
    async for fragment in others:
        if not isinstance(fragment, kind):
            _kind(fragment)
            raise TypeError("data contains inconsistent types")
        await protocol.ensure_open()
        protocol._core.send_message(CONTINUATION, fragment, fin=False)
        if protocol._drained is not None:
            await protocol._drain()
    await protocol.ensure_open()
    protocol._core.send_message(CONTINUATION, b"")


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
    _kind(message)
    connected = [websocket for websocket in websockets if websocket.transport is not None]
    send_to_all(connected, message, raise_exceptions=raise_exceptions)


def _kind(fragment: object) -> type | tuple[type, ...]:
    """What all fragments of a message must be, if this is one of them."""
    if isinstance(fragment, str):
        return str
    if isinstance(fragment, _BYTES_LIKE):
        return _BYTES_LIKE
    raise TypeError("data must be str or bytes-like")
