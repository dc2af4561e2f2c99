"""What tests with proxies share: a proxy of the tests' own, and how to leave a connection."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from tests.support.own_proxies import serving, tunnelling
from tests.support.tls import Tls
from tests.wscore.raw_peer import BOUND
from wscore import WSTransport


async def leave(transport: WSTransport) -> None:
    transport.disconnect()
    async with asyncio.timeout(BOUND):
        await transport.wait_disconnected()


@contextlib.asynccontextmanager
async def tunnel(scheme: str, tls: Tls, target: int) -> AsyncIterator[str]:
    """Yield a proxy to one port, and its URL."""
    server = tls.server if scheme == "https" else None
    async with serving(tunnelling(target), tls=server) as port:
        yield f"{scheme}://localhost:{port}"
