"""Deliver received bytes to an asyncio protocol of either kind, streaming or buffered."""

import asyncio
from typing import cast

__all__ = ["deliver"]


def deliver(protocol: asyncio.BaseProtocol, data: bytes) -> None:
    """Call `data_received()`, or fill the protocol's buffers until all of the data is in them."""
    if not isinstance(protocol, asyncio.BufferedProtocol):
        cast(asyncio.Protocol, protocol).data_received(data)
        return
    while data:
        with memoryview(protocol.get_buffer(len(data))) as buffer:
            count = min(len(buffer), len(data))
            buffer[:count] = data[:count]
        protocol.buffer_updated(count)
        data = data[count:]
