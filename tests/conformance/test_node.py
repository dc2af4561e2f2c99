"""The package `ws` on Node, as client and as server, talks with wscore and wscompat."""

import asyncio
import json
from typing import Any

import pytest

from tests.conformance.node import missing, node
from tests.conformance.pair import hold
from tests.conformance.site import SERVER_CLOSE as SITE_CLOSE
from tests.conformance.site import SUBPROTOCOL, echo_server
from tests.interop import peer_wscompat, peer_wscore
from tests.interop.endpoints import (
    ASK_CLOSE,
    ASK_FRAGMENTS,
    ASK_PING,
    HOST,
    SERVER_CLOSE,
    SERVER_FRAGMENTS,
    SERVER_PING,
    Close,
    Peer,
    pong_report,
)

BOUND = 30

CLIENT_CLOSE = (4001, "na viděnou 😀")

WORDS = {
    "askClose": ASK_CLOSE,
    "askPing": ASK_PING,
    "askFragments": ASK_FRAGMENTS,
    "serverClose": SERVER_CLOSE,
    "serverPing": SERVER_PING.hex(),
    "serverFragments": SERVER_FRAGMENTS,
    "pongReport": pong_report(b""),
}

pytestmark = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def close(pair: tuple[int, str]) -> dict[str, Any]:
    return {"code": pair[0], "reason": pair[1]}


@pytest.mark.parametrize("package", ["wscore", "wscompat"])
@pytest.mark.parametrize("compressed", [False, True])
async def test_client(package: str, compressed: bool) -> None:
    async with (
        asyncio.timeout(BOUND),
        echo_server(package, compressed) as (url, seen),
        node("node_client.cjs", url) as process,
    ):
        assert process.stdout is not None
        told = json.loads(await process.stdout.read())
        assert await process.wait() == 0, told
    assert told == {
        "protocol": SUBPROTOCOL,
        "extensions": "permessage-deflate" if compressed else "",
        "pong": "píng",
        "echoed": 45,
        "wrong": [],
        "closed": close(CLIENT_CLOSE),
        "closedByServer": close(SITE_CLOSE),
        "closedWithoutCode": close((1005, "")),
    }
    assert seen.closes == [CLIENT_CLOSE, SITE_CLOSE, (1005, "")]
    assert all("permessage-deflate" in h["Sec-WebSocket-Extensions"] for h in seen.headers)


@pytest.mark.parametrize("peer", [peer_wscore.PEER, peer_wscompat.PEER], ids=lambda peer: peer.name)
@pytest.mark.parametrize("compressed", [False, True])
async def test_server(peer: Peer, compressed: bool) -> None:
    words = json.dumps({**WORDS, "compressed": compressed})
    async with asyncio.timeout(BOUND), node("node_server.cjs", words) as process:
        assert process.stdout is not None
        lines = process.stdout

        async def closed() -> Close:
            return Close(*json.loads(await lines.readline()))

        port = int(await lines.readline())
        await hold(peer.connect, f"ws://{HOST}:{port}/", closed)
