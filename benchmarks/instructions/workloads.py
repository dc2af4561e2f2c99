"""The workloads: fixed amounts of work, each between two calls of `os.getppid`.

At that call callgrind writes its counts, so nothing else here may make it. All work is done in one
process and waits only for itself, so that each run does the same.

    python -m benchmarks.instructions.workloads

prints one line for each: its name, and how many messages or connections it handles.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import wsframe
from wscompat.asyncio.client import connect
from wscompat.asyncio.server import ServerConnection, serve
from wscore import (
    WSFrame,
    WSListener,
    WSMessageReader,
    WSMsgType,
    WSTransport,
    ws_connect,
    ws_create_server,
)

MESSAGE = bytes(256)
BINARY = WSMsgType.BINARY
WARM_UP = 20


@contextmanager
def counted(name: str, count: int) -> Iterator[None]:
    """Count the instructions of the block, and print its name."""
    os.getppid()
    try:
        yield
    finally:
        os.getppid()
    print(name, count, flush=True)


class Echo(WSListener):
    """Sends every message back."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == BINARY:
            transport.send(BINARY, frame.get_payload_as_bytes())
        else:
            transport.disconnect()


class Pinger(WSListener):
    """Keeps messages in flight until it has sent enough of them, and receives them all."""

    def start(self, count: int, in_flight: int) -> asyncio.Future[None]:
        self.left = count
        self.unsent = count - in_flight
        self.done = asyncio.get_running_loop().create_future()
        with self.transport.cork():
            for _ in range(in_flight):
                self.transport.send(BINARY, MESSAGE)
        return self.done

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.left -= 1
        if self.unsent > 0:
            self.unsent -= 1
            transport.send(BINARY, MESSAGE)
        if self.left == 0:
            self.done.set_result(None)


class Source(WSListener):
    """Sends a burst for each message that it gets.

    As many as a connection handles in one iteration of the loop in any case: whether it handles
    more depends on the time, which callgrind stretches.
    """

    burst = 64

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        for _ in range(self.burst):
            transport.send(BINARY, MESSAGE)


async def parse() -> None:
    """Masked frames in pieces of 64 KiB, as a server receives them."""
    frame = wsframe.build_frame(2, MESSAGE, mask=True)
    piece = frame * (65536 // len(frame))
    parser = wsframe.FrameParser(wsframe.Role.SERVER, max_message_size=0)
    list(parser.feed(piece))
    with counted("parse", 20 * (65536 // len(frame))):
        for _ in range(20):
            for _ in parser.feed(piece):
                pass


async def core() -> None:
    """Echo through the callback API, one message in flight, and 64; connections, one by one."""
    server = await ws_create_server(lambda request: Echo(), "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    transport, pinger = await ws_connect(Pinger, url)
    for name, count, in_flight in (("echo", 500, 1), ("echo 64 in flight", 6400, 64)):
        await pinger.start(count // 2, in_flight)
        with counted(name, count):
            await pinger.start(count, in_flight)
    transport.disconnect()
    await transport.wait_disconnected()

    async def connect_once() -> None:
        transport, _ = await ws_connect(WSListener, url)
        transport.disconnect()
        await transport.wait_disconnected()

    await repeat("connect and accept", 50, connect_once)
    server.close()
    await server.wait_closed()


async def messages() -> None:
    """Messages received by awaiting a reader, many in each read."""
    server = await ws_create_server(lambda request: Source(), "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    transport, reader = await ws_connect(lambda: WSMessageReader(None), url)

    async def receive() -> None:
        transport.send(BINARY, b"")
        for _ in range(Source.burst):
            await reader.recv()

    await receive()
    with counted("message reader", 20 * Source.burst):
        for _ in range(20):
            await receive()
    transport.disconnect()
    await transport.wait_disconnected()
    server.close()
    await server.wait_closed()


async def compat() -> None:
    """Echo through wscompat, one message in flight; connections, one by one."""

    async def echo(connection: ServerConnection) -> None:
        async for message in connection:
            await connection.send(message)

    options: dict[str, Any] = {"compression": None, "ping_interval": None}
    async with serve(echo, "127.0.0.1", 0, **options) as server:
        url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        async with connect(url, proxy=None, **options) as connection:

            async def exchange() -> None:
                await connection.send(MESSAGE)
                await connection.recv()

            await repeat("wscompat echo", 500, exchange)

        async def connect_once() -> None:
            async with connect(url, proxy=None, **options):
                pass

        await repeat("wscompat connect and accept", 50, connect_once)


async def repeat(name: str, count: int, work: Callable[[], Awaitable[None]]) -> None:
    for _ in range(WARM_UP):
        await work()
    with counted(name, count):
        for _ in range(count):
            await work()


async def main() -> None:
    for workload in (parse, core, messages, compat):
        await workload()


if __name__ == "__main__":
    asyncio.run(main())
