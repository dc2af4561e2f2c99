"""Many connections watched by one descriptor: each gets its own data, in its own context."""

import asyncio
import contextlib
import contextvars
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.skips import lacking
from tests.wscore.programs import run
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.servers import LOOPBACK, port_of, serving
from wscore import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect, ws_create_server

linux = pytest.mark.skipif(sys.platform != "linux", reason=lacking("epoll outside of Linux"))

COUNT = 150  # connections; more than one epoll_wait() returns


async def test_each_gets_its_own() -> None:
    async with serving(LOOPBACK, 0) as server, contextlib.AsyncExitStack() as stack:
        url = f"ws://{LOOPBACK}:{port_of(server)}/"
        listeners = [Recorder() for _ in range(COUNT)]
        transports = []
        for listener in listeners:
            transport, _ = await ws_connect(lambda listener=listener: listener, url)
            stack.callback(transport.disconnect, False)
            transports.append(transport)
        for number, transport in enumerate(transports):
            transport.send(WSMsgType.TEXT, f"{number}")
        for number, listener in enumerate(listeners):
            await listener.until("frame")
            assert listener.seen == [(1, f"{number}".encode())]


class Ending(WSListener):
    """Of two connections the one that receives first ends the other."""

    others: list[WSTransport]
    heard: list[WSTransport]

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.heard.append(transport)
        for other in self.others:
            if other is not transport:
                other.disconnect(graceful=False)


async def test_one_that_another_has_ended_is_not_told() -> None:
    """Both are ready at the same time."""
    Ending.others, Ending.heard = [], []
    hello = b"\x81\x85\x00\x00\x00\x00hello"

    def factory(request: Any) -> Ending:
        Ending.others.append(request.transport)
        return Ending()

    server = await ws_create_server(factory, LOOPBACK, 0)
    async with server, contextlib.AsyncExitStack() as stack:
        socks = []
        for _ in range(2):
            listener = Recorder()
            transport, _ = await ws_connect(
                lambda listener=listener: listener, f"ws://{LOOPBACK}:{port_of(server)}/"
            )
            stack.callback(transport.disconnect, False)
            socks.append(transport.underlying_transport.get_extra_info("socket"))
        for sock in socks:  # the loop does not run in between
            sock.send(hello)
        first, second = Ending.others
        async with asyncio.timeout(BOUND):
            while not Ending.heard:
                await asyncio.sleep(0)
            (heard,) = Ending.heard
            await (second if heard is first else first).wait_disconnected()
        assert len(Ending.heard) == 1


NUMBER: contextvars.ContextVar[int] = contextvars.ContextVar("NUMBER", default=0)


async def test_calls_have_the_context_of_their_connection() -> None:
    """Both with the watcher, as one of many, and when the loop itself watches it."""
    found: list[int] = []
    async with serving(LOOPBACK, 0) as server, contextlib.AsyncExitStack() as stack:
        url = f"ws://{LOOPBACK}:{port_of(server)}/"
        pairs = []
        for number in (1, 2):
            NUMBER.set(number)
            listener = Recorder(lambda *_: found.append(NUMBER.get()))
            transport, _ = await ws_connect(lambda listener=listener: listener, url)
            stack.callback(transport.disconnect, False)
            pairs.append((transport, listener))
        NUMBER.set(3)
        for turn in range(20):
            for transport, listener in pairs:
                transport.send(WSMsgType.TEXT, "")
                await listener.until("frame", turn + 1)
        assert found == [1, 2] * 20


def is_watched_by_the_loop(fd: int) -> bool:
    """Return whether the epoll instance with this descriptor is not itself watched by another."""
    watched: dict[int, list[int]] = {}
    for entry in Path("/proc/self/fdinfo").iterdir():
        with contextlib.suppress(FileNotFoundError):  # the descriptor of this listing
            lines = entry.read_text().splitlines()
            watched[int(entry.name)] = [int(line.split()[1]) for line in lines if "tfd:" in line]
    (watching,) = (each for each, those in watched.items() if fd in those)
    return not any(watching in those for those in watched.values())


@linux
async def test_one_that_is_often_alone_is_watched_by_the_loop() -> None:
    listener = Recorder()
    async with serving(LOOPBACK, 0) as server:
        transport, _ = await ws_connect(lambda: listener, f"ws://{LOOPBACK}:{port_of(server)}/")
        fd = transport.underlying_transport.get_extra_info("socket").fileno()
        assert not is_watched_by_the_loop(fd)
        for turn in range(20):
            transport.send(WSMsgType.TEXT, "")
            await listener.until("frame", turn + 1)
        assert is_watched_by_the_loop(fd)
        transport.underlying_transport.pause_reading()
        transport.underlying_transport.resume_reading()
        assert not is_watched_by_the_loop(fd)  # from the beginning
        for turn in range(20, 40):
            transport.send(WSMsgType.TEXT, "")
            await listener.until("frame", turn + 1)
        assert is_watched_by_the_loop(fd)
        transport.disconnect(graceful=False)


async def test_reset_is_seen_in_either_state() -> None:
    for turns in (1, 20):
        listener = Recorder()
        server = await ws_create_server(lambda _, listener=listener: listener, LOOPBACK, 0)
        async with server:
            client = Recorder()
            transport, _ = await ws_connect(
                lambda client=client: client, f"ws://{LOOPBACK}:{port_of(server)}/"
            )
            for turn in range(turns):
                transport.send(WSMsgType.TEXT, "")
                await listener.until("frame", turn + 1)
            sock = transport.underlying_transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            transport.disconnect(graceful=False)
            await listener.until("disconnected")


ABANDONED = """
import asyncio, gc, os, sys, warnings
from wscore import WSListener, ws_connect, ws_create_server

async def main():
    server = await ws_create_server(lambda _: WSListener(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    return server, await ws_connect(WSListener, f"ws://127.0.0.1:{port}/")

if sys.argv[1] == "uvloop":
    import uvloop
    factory = uvloop.new_event_loop
else:
    factory = asyncio.new_event_loop
factory().close()
before = len(os.listdir("/proc/self/fd"))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(main())
    del runner
    gc.collect()
    print(sum("unclosed transport <SocketTransport open" in str(one.message) for one in caught))
    caught.clear()  # they hold what they are about
gc.collect()
print(len(os.listdir("/proc/self/fd")) - before)
"""


@linux
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_abandoned_connections_are_warned_of_and_closed(loop: str) -> None:
    """A closed loop keeps nothing alive."""
    assert asyncio.run(run("-c", ABANDONED, loop)) == ["2", "0"]
