"""Busy polling: data that arrives soon after a read is handled before the loop continues."""

import asyncio
import socket
import threading

import pytest

from tests.wscore.pairs import Setting, connected_pair, serving
from tests.wscore.raw_peer import BOUND
from tests.wscore.recorder import Recorder
from tests.wscore.wire import TEXT, F, request
from wscore import WSFrame, WSMsgType, WSTransport

ROUNDS = 20


def ping_pong(port: int) -> None:
    """Run a client in its own thread, which sends again as soon as it gets a reply."""
    with socket.create_connection(("127.0.0.1", port), timeout=BOUND) as peer:
        peer.sendall(request())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += peer.recv(4096)
        for _ in range(ROUNDS):
            peer.sendall(F(TEXT, b"ping").wire(masked=True))
            assert peer.recv(4096) == F(TEXT, b"pong").wire(masked=False)


@pytest.mark.parametrize("microseconds", [0, 4_000_000])
async def test_the_loop_waits(microseconds: int) -> None:
    """With enough time all rounds take one iteration of the loop, without it each takes its own."""
    loop = asyncio.get_running_loop()
    turns = 0
    seen: list[int] = []

    def turn() -> None:
        nonlocal turns
        turns += 1

    def answer(transport: WSTransport, frame: WSFrame) -> None:
        seen.append(turns)
        transport.send(WSMsgType.TEXT, "pong")
        loop.call_soon(turn)

    listener = Recorder(answer)
    async with serving(
        Setting("server", None), lambda _: listener, busy_poll_us=microseconds
    ) as port:
        client = threading.Thread(target=ping_pong, args=(port,))
        client.start()
        await listener.until("disconnected")
        client.join(BOUND)
    assert len(seen) == ROUNDS
    assert len(set(seen)) == (1 if microseconds else ROUNDS)


async def test_both_ends_in_one_loop(both: Setting) -> None:
    """It ends when the time is up, so that the other end can run."""
    at_client = Recorder()
    at_server = Recorder(lambda transport, _: transport.send(WSMsgType.TEXT, "pong"))
    options = {"busy_poll_us": 100}
    async with connected_pair(
        both, at_client, at_server, client_options=options, server_options=options
    ) as pair:
        for count in range(1, ROUNDS + 1):
            pair.client.send(WSMsgType.TEXT, "ping")
            await at_client.until("frame", count)
