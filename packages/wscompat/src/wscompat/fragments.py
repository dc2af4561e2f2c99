"""Sending what comes in parts: each becomes a fragment of one message as soon as it is there.

Nothing else may be sent as a message meanwhile; `Connection.send` and `broadcast` see to that.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from typing import TYPE_CHECKING

import wscore

from .frames import CloseCode
from .typing import DataLike

if TYPE_CHECKING:
    from .asyncio.connection import Connection

__all__ = ["contiguous", "iterate", "send_fragments"]

CONTINUATION = wscore.WSMsgType.CONTINUATION
TEXT = wscore.WSMsgType.TEXT
BINARY = wscore.WSMsgType.BINARY

_BYTES_LIKE = (bytes, bytearray, memoryview)


async def send_fragments(
    connection: Connection,
    message: Iterable[DataLike] | AsyncIterable[DataLike],
    text: bool | None,
) -> None:
    """Send a message whose fragments come one after the other; nothing if there are none.

    If it cannot be completed the connection is closed with code 1011. An iterable that fails before
    its first fragment does no harm.

    Args:
        connection: what sends.
        message: the fragments.
        text: whether to send it as text, whatever their type.

    Raises:
        ConnectionClosed: if the connection is closed.
        TypeError: if it is no iterable of strings, or of bytes-like objects.
    """
    if isinstance(message, Mapping):
        raise TypeError("data is a dict-like object")
    if isinstance(message, AsyncIterable):
        fragments, what = aiter(message), "async iterable"
    elif isinstance(message, Iterable):
        fragments, what = iterate(message), "iterable"
    else:
        raise TypeError("data must be str, bytes, iterable, or async iterable")
    try:
        first = await anext(fragments)
    except StopAsyncIteration:
        return
    await connection._turn()
    connection._fragments_sent = connection._loop.create_future()
    try:
        await _send_each(connection, first, fragments, text, what)
    except BaseException:  # the message cannot be completed, nor another one begun
        if connection._core.is_open:
            connection._fail(CloseCode.INTERNAL_ERROR, "error in fragmented message")
        raise
    finally:
        connection._fragments_sent.set_result(None)
        connection._fragments_sent = None


def contiguous(data: DataLike) -> DataLike:
    """The same, or a copy if it does not lie in one piece."""
    if isinstance(data, memoryview) and not data.c_contiguous:
        return data.tobytes()
    return data


async def iterate(items: Iterable[DataLike]) -> AsyncIterator[DataLike]:
    """The same items, asynchronously."""
    for item in items:
        yield item


async def _send_each(
    connection: Connection,
    first: DataLike,
    others: AsyncIterator[DataLike],
    text: bool | None,
    what: str,
) -> None:
    """Send fragments as they come, and an empty one behind the last."""
    kind = str if isinstance(first, str) else _BYTES_LIKE
    if not isinstance(first, kind):
        raise TypeError(f"{what} must contain bytes or str")
    as_text = kind is str if text is None else text
    await _send_one(connection, TEXT if as_text else BINARY, first)
    async for fragment in others:
        if not isinstance(fragment, kind):
            raise TypeError(f"{what} must contain uniform types")
        await _send_one(connection, CONTINUATION, fragment)
    await _send_one(connection, CONTINUATION, b"", fin=True)


async def _send_one(
    connection: Connection, opcode: wscore.WSMsgType, fragment: DataLike, fin: bool = False
) -> None:
    if not connection._core.is_open:
        await connection._raise_closed()
    connection._core.send_message(opcode, contiguous(fragment), fin=fin)
    if connection._drained is not None:
        await connection._drain()
