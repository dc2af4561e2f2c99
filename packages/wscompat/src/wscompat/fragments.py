"""The frames of a message that is sent in parts, each as soon as its part is there (RFC 6455, 5.4).

Both APIs use this generator. It knows no connection: the sender of the frames must not begin
another message before this one ends.
"""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Iterable,
    Mapping,
)
from typing import NamedTuple

import wscore

from .typing import BytesLike, DataLike

__all__ = ["Fragment", "contiguous", "fragments_of", "iterate"]

CONTINUATION = wscore.WSMsgType.CONTINUATION
TEXT = wscore.WSMsgType.TEXT
BINARY = wscore.WSMsgType.BINARY


class Fragment(NamedTuple):
    """One frame of a message (RFC 6455, 5.4)."""

    opcode: wscore.WSMsgType
    data: DataLike
    fin: bool


def iterate(
    message: Iterable[DataLike] | AsyncIterable[DataLike], refusal: str
) -> AsyncIterator[DataLike]:
    """Iterate asynchronously over the parts of a message.

    Args:
        message: the parts.
        refusal: the text of the exception if it is not iterable.

    Raises:
        TypeError: if it is not iterable, or a mapping.
    """
    if isinstance(message, Mapping):
        raise TypeError("data is a dict-like object")
    if isinstance(message, AsyncIterable):
        return aiter(message)
    if isinstance(message, Iterable):
        return _asynchronous(message)
    raise TypeError(refusal)


async def fragments_of(
    first: DataLike,
    others: AsyncIterator[DataLike],
    text: bool | None,
    type_error: Callable[[object, bool], TypeError],
    *,
    copies_views: bool,
) -> AsyncGenerator[Fragment]:
    """Generate the frames of a message; an empty one follows the last part and ends it.

    Args:
        first: the first part.
        others: those that follow.
        text: whether to send it as text, whatever the type of the parts; None to go by that.
        type_error: makes the exception for a part that is not of the required type, given that part
            and whether it is the first.
        copies_views: whether to copy views of memory that is not contiguous, which wscore refuses.

    Raises:
        TypeError: if the parts are not all strings, or all bytes-like.
    """
    kind = str if isinstance(first, str) else BytesLike
    if not isinstance(first, kind):
        raise type_error(first, True)
    as_text = kind is str if text is None else text
    prepared = contiguous if copies_views else _unchanged
    yield Fragment(TEXT if as_text else BINARY, prepared(first), False)
    async for data in others:
        if not isinstance(data, kind):
            raise type_error(data, False)
        yield Fragment(CONTINUATION, prepared(data), False)
    yield Fragment(CONTINUATION, b"", True)


def contiguous(data: DataLike) -> DataLike:
    """Return the same, or a copy if it is a view of memory that is not contiguous."""
    if isinstance(data, memoryview) and not data.c_contiguous:
        return data.tobytes()
    return data


def _unchanged(data: DataLike) -> DataLike:
    return data


async def _asynchronous(items: Iterable[DataLike]) -> AsyncIterator[DataLike]:
    for item in items:
        yield item
