"""Receiving and sending messages by awaiting; the base of wscompat's connections."""

import asyncio
from collections.abc import AsyncIterable, Iterable
from typing import Any

from typing_extensions import disjoint_base

from .message_reader import WSMessageReader

__all__ = ["WSMessageConnection"]

_Fragment = str | bytes | bytearray | memoryview

@disjoint_base
class WSMessageConnection(WSMessageReader):
    _transport: Any
    _fragments_sent: asyncio.Future[None] | None
    _drained: asyncio.Future[None] | None

    async def send(
        self,
        message: _Fragment | Iterable[_Fragment] | AsyncIterable[_Fragment],
        *,
        text: bool | None = None,
    ) -> None: ...
    async def _send_later(
        self,
        message: _Fragment | Iterable[_Fragment] | AsyncIterable[_Fragment],
        text: bool | None,
    ) -> None: ...
    async def _drain(self) -> None: ...
