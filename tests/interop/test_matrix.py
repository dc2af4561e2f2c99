"""Every client talks with every server, on every transport and both event loops.

Client and server share the loop of the test here, so what either leaves behind is seen as well.
"""

import contextlib
import re
import shutil
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.interop import conversation
from tests.interop.endpoints import Client, Peer, load_peer
from tests.interop.matrix import Pair, Result, Route, Transport, all_pairs, run_pair
from tests.interop.servers import in_this_loop
from tests.interop.socks5 import MICROSOCKS, TINY_PROXY, socks5_proxy
from tests.support.tls import Tls

# Long enough for the fewest round trips of a burst, which is what matters here.
SECONDS = 0.01

FAULTY = "tests.interop.faulty_peers:"

DIRECT = [pair for pair in all_pairs() if not pair.transport.proxied]
PROXIED = [pair for pair in all_pairs() if pair.transport.proxied]

# The fault of a server, the client that meets it, and what must be told of the first exchange
# that shows it.
SERVER_FAULTS = [
    ("WRONG_BYTE", "websockets", "binary of 65536 bytes: .* at 40000 .* at 40000"),
    ("WRONG_BYTE", "picows", "binary of 65536 bytes: .* at 40000 .* at 40000"),
    ("TOO_SHORT", "websockets", "binary of 65536 bytes: .*bytes of 65536 .*bytes of 65535"),
    ("WRONG_KIND", "websockets", "empty text: expected str of 0 .*got bytes of 0"),
    ("WRONG_KIND", "picows", "empty text: expected str of 0 .*got bytes of 0"),
    ("TWICE", "websockets", "text of 126 bytes: expected str of 54 .*got str of 53"),
    ("SILENT", "websockets", "text of 126 bytes: .*silence"),
    ("SILENT", "picows", "text of 126 bytes: .*silence"),
    ("FORGETFUL", "picows", "many messages in flight, number 67: .*bytes of 201 .*of 204"),
    ("REST_LOST", "websockets", "text in fragments: .*got str of 3"),
    ("REST_LOST", "picows", "text in fragments: .*got str of 3"),
    ("WRONG_PONG", "websockets", "ping with 125 bytes: .*silence"),
    ("WRONG_PONG", "picows", "ping with 125 bytes: expected bytes of 125 .*got bytes of 100"),
    ("WRONG_IN_BURST", "websockets", "burst, reply 7: "),
    ("WRONG_IN_BURST", "picows", "burst, reply 7: "),
    ("WRONG_CLOSE_ANSWER", "websockets", "close by the client, the server's answer: "),
    ("WRONG_CLOSE_ANSWER", "picows", "close by the client, the server's answer: "),
    ("VANISHING", "websockets", "close by the client, the server's answer: .*got None"),
    ("VANISHING", "picows", "close by the client, the server's answer: .*got None"),
]


async def _run_here(pair: Pair, tls: Tls) -> Result:
    async with in_this_loop(load_peer(pair.server), tls.server) as server:
        return await run_pair(pair, load_peer(pair.client), server, Route(tls.client), SECONDS)


def test_every_size_has_its_bytes() -> None:
    for size in conversation.SIZES:
        assert len(conversation.text_of(size).encode()) == size
        assert len(conversation.bytes_of(size)) == size


@pytest.mark.parametrize("pair", DIRECT, ids=str)
async def test_pair(pair: Pair, tls: Tls) -> None:
    result = await _run_here(pair, tls)
    assert result.error is None
    assert result.tally.round_trips


@pytest.mark.parametrize("proxy", [MICROSOCKS, TINY_PROXY])
@pytest.mark.parametrize("pair", PROXIED, ids=str)
async def test_pair_through_a_proxy(pair: Pair, proxy: str, tls: Tls, tmp_path: Path) -> None:
    if proxy == MICROSOCKS and not shutil.which(MICROSOCKS):
        pytest.skip(f"{MICROSOCKS} is not installed")
    async with (
        socks5_proxy(tmp_path / "proxy.log", proxy) as url,
        in_this_loop(load_peer(pair.server), tls.server) as server,
    ):
        route = Route(tls.client, url)
        result = await run_pair(pair, load_peer(pair.client), server, route, SECONDS)
    assert result.error is None
    assert result.tally.round_trips


@pytest.mark.parametrize(
    ("fault", "client", "told"), SERVER_FAULTS, ids=[f"{row[0]}-{row[1]}" for row in SERVER_FAULTS]
)
async def test_a_fault_of_a_server_is_noticed(
    fault: str, client: str, told: str, tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "PATIENCE", 0.3)
    pair = Pair(client, FAULTY + fault, Transport.PLAIN)
    result = await _run_here(pair, tls)
    assert result.error is not None
    assert re.search(told, result.error)


@pytest.mark.parametrize("server", ["websockets", "picows"])
@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("WRONG_CLIENT_CLOSE", "close by the client, as the server saw it: "),
        ("WRONG_CLIENT_ANSWER", "close by the server, the client's answer: "),
    ],
    ids=["close", "answer"],
)
async def test_a_fault_of_a_client_is_noticed(fault: str, told: str, server: str, tls: Tls) -> None:
    result = await _run_here(Pair(FAULTY + fault, server, Transport.PLAIN), tls)
    assert result.error is not None
    assert result.error.startswith(told)


async def test_a_client_that_ignores_its_proxy_is_noticed(tls: Tls) -> None:
    honest = load_peer("websockets")

    @contextlib.asynccontextmanager
    async def connect(
        url: str, *, tls: ssl.SSLContext | None, proxy: str | None
    ) -> AsyncIterator[Client]:
        async with honest.connect(url, tls=tls, proxy=None) as client:
            yield client

    client = Peer("ignorant", connect, honest.serve)
    pair = Pair("ignorant", "websockets", Transport.SOCKS5)
    async with in_this_loop(honest, tls.server) as server:
        route = Route(tls.client, "socks5://127.0.0.1:1")
        result = await run_pair(pair, client, server, route, SECONDS)
    assert result.error == "a proxy that refuses: expected a failure to connect, got a connection"
