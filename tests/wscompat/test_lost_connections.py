"""Programs that send to a lost peer; each send raises before the next iteration of the loop."""

import asyncio
from typing import Any

import pytest

from tests.support.tls import Tls
from tests.wscompat.bare_peer import KINDS, Kind, against_raw_peer
from tests.wscore.pairs import Setting
from wscompat import ConnectionClosed

# TLS of asyncio and uvloop detects it in a later iteration only, and reports nothing before. The
# same program runs without end with websockets.
CASES = [
    (kind, has_tls)
    for kind in KINDS
    for has_tls in (False, True)
    if not (has_tls and "of the loop" in str(kind))
]


@pytest.mark.parametrize("side", ["client", "server"])
@pytest.mark.parametrize(("kind", "has_tls"), CASES, ids=str)
async def test_a_loop_of_sends_ends(kind: Kind, side: str, has_tls: bool, tls: Tls) -> None:
    setting = Setting(side, tls if has_tls else None)
    async with against_raw_peer(kind, setting) as (connection, peer):
        peer.reset()
        await asyncio.sleep(0)  # the socket is closed then
        with pytest.raises(ConnectionClosed):
            await send_often(connection)


async def send_often(connection: Any) -> None:
    for _ in range(10_000):
        await connection.send(bytes(1000))
