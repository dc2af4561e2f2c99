"""A program for profilers: an echo server and its client in one process, kept busy.

One process and one thread, so that a profile shows both endpoints and nothing waits for another
core. It is not a benchmark: for comparisons run `nox -s bench`. It only prints its last lines.

    python benchmarks/perf_test.py --msg-size 8192 --ssl --seconds 10
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import ssl
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple

from wscore import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMessageReader,
    WSMsgType,
    WSTransport,
    ws_connect,
    ws_create_server,
)

__all__ = ["main"]


class Echo(WSListener):
    """The server with callbacks: echoes every message."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        else:
            transport.send(frame.msg_type, frame.get_payload_as_memoryview(), frame.fin)


class Sender(WSListener):
    """The client with callbacks: sends the next message for each received echo.

    Args:
        payload: of each message.
        in_flight: number of messages in flight.

    Attributes:
        received: number of received echoes.
    """

    def __init__(self, payload: bytes, in_flight: int) -> None:
        self.received = 0
        self._payload = payload
        self._in_flight = in_flight
        self._is_closing = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        for _ in range(self._in_flight):
            transport.send(WSMsgType.BINARY, self._payload)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()
        elif not self._is_closing:
            self.received += 1
            transport.send(WSMsgType.BINARY, self._payload)

    def stop(self, transport: WSTransport) -> None:
        """Close the connection."""
        self._is_closing = True
        transport.send_close(WSCloseCode.OK)


class AwaitedEcho(WSMessageReader):
    """The server with the message API: a task that awaits each message."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self.task = asyncio.get_running_loop().create_task(self._serve(transport))

    async def _serve(self, transport: WSTransport) -> None:
        async for message in self:
            transport.send(WSMsgType.BINARY, message)


class AwaitedSender(WSMessageReader):
    """The client with the message API; arguments and attributes are those of `Sender`."""

    def __init__(self, payload: bytes, in_flight: int) -> None:
        super().__init__()
        self.received = 0
        self._payload = payload
        self._in_flight = in_flight
        self._is_closing = False

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self.task = asyncio.get_running_loop().create_task(self._send(transport))

    async def _send(self, transport: WSTransport) -> None:
        for _ in range(self._in_flight):
            transport.send(WSMsgType.BINARY, self._payload)
        async for _ in self:
            if not self._is_closing:
                self.received += 1
                transport.send(WSMsgType.BINARY, self._payload)

    def stop(self, transport: WSTransport) -> None:
        """Close the connection."""
        self._is_closing = True
        transport.send_close(WSCloseCode.OK)


# The server's end and the client's end.
APIS: dict[str, tuple[type[WSListener], type[Sender] | type[AwaitedSender]]] = {
    "callbacks": (Echo, Sender),
    "messages": (AwaitedEcho, AwaitedSender),
}


def tls_contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Return a server's and a client's context that trust each other."""
    import trustme

    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


class Result(NamedTuple):
    """The work between connecting and closing, in seconds of wall-clock and CPU time."""

    messages: int
    seconds: float
    user: float
    system: float


async def keep_busy(seconds: float, clients: list[tuple[WSTransport, Any]]) -> Result:
    """Let the connected clients run for some time."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    await asyncio.sleep(seconds)
    after, taken = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - began
    messages = sum(listener.received for _, listener in clients)
    user, system = after.ru_utime - before.ru_utime, after.ru_stime - before.ru_stime
    return Result(messages, taken, user, system)


async def work(options: argparse.Namespace) -> Result:
    """Connect, keep all connections busy for the given time, and close them.

    Args:
        options: the command line.
    """
    for_server, for_client = tls_contexts() if options.ssl else (None, None)
    echo, sender = APIS[options.api]
    server = await ws_create_server(lambda _: echo(), "localhost", 0, ssl=for_server)
    port = server.sockets[0].getsockname()[1]
    url = f"{'wss' if options.ssl else 'ws'}://localhost:{port}/"
    payload = bytes(options.msg_size)
    clients = [
        await ws_connect(lambda: sender(payload, options.in_flight), url, ssl_context=for_client)
        for _ in range(options.connections)
    ]
    result = await keep_busy(options.seconds, clients)
    for transport, listener in clients:
        assert isinstance(listener, Sender | AwaitedSender)
        listener.stop(transport)
    for transport, _ in clients:
        await transport.wait_disconnected()
    server.close()
    await server.wait_closed()
    return result


def runner(loop: str) -> Callable[[Coroutine[Any, Any, Result]], Result]:
    """Return the function that runs a coroutine on this kind of event loop."""
    if loop == "uvloop":
        import uvloop

        return uvloop.run
    return asyncio.run


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--msg-size", type=int, default=256, metavar="BYTES")
    parser.add_argument("--in-flight", type=int, default=1, metavar="N", help="for a connection")
    parser.add_argument("--connections", type=int, default=1, metavar="N")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--ssl", action="store_true", help="over TLS; needs trustme")
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("--api", choices=list(APIS), default="callbacks")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Run, and print the number of messages and the CPU time per message of both endpoints."""
    options = parse(arguments)
    done = runner(options.loop)(work(options))
    user, system = (used / max(done.messages, 1) * 1e6 for used in (done.user, done.system))
    print(f"{done.messages} messages of {options.msg_size} bytes in {done.seconds:.2f} s")
    print(f"a message: {user:.2f} us of user time, {system:.2f} us of system time")


if __name__ == "__main__":
    main(sys.argv[1:])
