"""Let thousands of clients connect at once, and count how many each library serves.

    python benchmarks/connect_storm.py          # 10,000 clients, each kind of server, asyncio
    python benchmarks/connect_storm.py --loop uvloop --clients 2000 wscore wscompat

The clients run in separate processes, and are plain sockets: all connect at the same moment, send a
request, and then some messages that are echoed. All stay open until the last one is served, so that
the server's memory per connection is that of used connections. Servers run with their libraries'
own defaults, including backlog and deadlines. A client that is refused, reset, closed or not served
in time is counted; only the kernel retries.

It needs Linux: it reads memory from /proc, and connects to several addresses of the loopback
interface, since one has only some 28,000 ports.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import collections
import contextlib
import errno
import hashlib
import json
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds that a client waits
ADDRESSES = 8  # of loopback
ROUNDS = 10  # messages of each client

# --- Servers ------------------------------------------------------------------------------------


class Plain(asyncio.Protocol):
    """A server on asyncio only, for comparison, which handles only the messages of our clients."""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.is_open = False
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.is_open:
            if not self.received.endswith(b"\r\n\r\n"):
                return
            key = self.received.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
            digest = hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest()
            self.transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
            )
            self.is_open, self.received = True, b""
        elif len(self.received) == len(MESSAGE):
            self.received = b""
            self.transport.write(REPLY)


async def echo(websocket: Any) -> None:
    with contextlib.suppress(Exception):  # the end of the benchmark
        async for message in websocket:
            await websocket.send(message)


async def start(kind: str) -> Any:
    """Start a server of a kind, with the defaults of its library, on all addresses."""
    if kind == "asyncio":
        return await asyncio.get_running_loop().create_server(Plain, "0.0.0.0", 0)
    if kind == "wscore":
        import wscore

        class Echo(wscore.WSListener):
            def on_ws_frame(self, transport: Any, frame: Any) -> None:
                transport.send(frame.msg_type, frame.get_payload_as_bytes())

        return await wscore.ws_create_server(lambda _: Echo(), "0.0.0.0", 0)
    if kind == "picows":
        import picows

        class PicowsEcho(picows.WSListener):
            def on_ws_frame(self, transport: Any, frame: Any) -> None:
                transport.send(frame.msg_type, frame.get_payload_as_bytes())

        return await picows.ws_create_server(lambda _: PicowsEcho(), "0.0.0.0", 0)
    if kind == "wscompat":
        from wscompat.asyncio.server import serve
    else:
        from websockets.asyncio.server import serve
    return await serve(echo, "0.0.0.0", 0)


KINDS = ("asyncio", "wscore", "wscompat", "picows", "websockets")


async def run_server(kind: str) -> None:
    """Serve until standard input ends; print the port, and the memory for each line of input."""
    server = await start(kind)
    print(server.sockets[0].getsockname()[1], flush=True)
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(lines), sys.stdin
    )
    while await lines.readline():
        print(resident(), flush=True)
    sys.stdout.flush()
    # The end of the connections is not measured.
    sys.exit(0)


def resident() -> int:
    """KiB of memory of this process."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


# --- Clients ------------------------------------------------------------------------------------

KEY = base64.b64encode(bytes(range(16)))
PAYLOAD = b"x" * 100
MESSAGE = b"\x81" + bytes([0x80 | len(PAYLOAD)]) + bytes(4) + PAYLOAD
REPLY = b"\x81" + bytes([len(PAYLOAD)]) + PAYLOAD


class Client:
    """One connection."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.sock = socket.socket()
        self.sock.setblocking(False)
        self.address = address
        self.verdict: str | None = None
        self.took = 0.0
        self.received = b""
        self.rounds = -1  # the handshake is not one

    def begin(self) -> None:
        error = self.sock.connect_ex(self.address)
        if error != errno.EINPROGRESS and error:
            self.verdict = errno.errorcode[error]

    def connected(self) -> None:
        error = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self.verdict = errno.errorcode[error]
            return
        host = f"{self.address[0]}:{self.address[1]}".encode()
        self.sock.send(
            b"GET / HTTP/1.1\r\nHost: " + host + b"\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: " + KEY + b"\r\n\r\n"
        )

    def readable(self) -> None:
        try:
            data = self.sock.recv(65536)
        except OSError as exc:
            self.verdict = errno.errorcode[exc.errno or 0]
            return
        self.received += data
        if not data:
            self.verdict = "closed"
        elif self.rounds < 0:
            if b"\r\n\r\n" in self.received:
                if self.received.startswith(b"HTTP/1.1 101"):
                    self.next()
                else:
                    self.verdict = self.received.partition(b"\r\n")[0].decode()
        elif len(self.received) == len(REPLY):
            self.next()

    def next(self) -> None:
        self.rounds += 1
        self.received = b""
        if self.rounds == ROUNDS:
            self.verdict = "served"
        else:
            self.sock.send(MESSAGE)


def run_clients(port: int, count: int, first: int) -> None:
    """Connect on the first line of input, print the results, and stay until the next line."""
    clients = [
        Client((f"127.0.0.{1 + number % ADDRESSES}", port))
        for number in range(first, first + count)
    ]
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    with selectors.DefaultSelector() as selector:
        open_ones = 0
        for client in clients:
            client.begin()
            if client.verdict is None:
                selector.register(client.sock, selectors.EVENT_WRITE, client)
                open_ones += 1
        while open_ones and time.monotonic() < began + PATIENCE:
            for key, events in selector.select(1.0):
                client = key.data
                if events & selectors.EVENT_WRITE:
                    client.connected()
                    selector.modify(client.sock, selectors.EVENT_READ, client)
                else:
                    client.readable()
                if client.verdict is not None:
                    client.took = time.monotonic() - began
                    selector.unregister(client.sock)
                    open_ones -= 1
    print(json.dumps([(client.verdict or "late", client.took) for client in clients]), flush=True)
    sys.stdin.readline()


# --- The storm ----------------------------------------------------------------------------------


@contextlib.contextmanager
def program(*arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Run this file with other arguments, until the block ends."""
    process = subprocess.Popen(
        [sys.executable, __file__, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ask(process: subprocess.Popen[str], line: str = "") -> str:
    """Send a line to a program, and return the next line that it prints."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"{process.args!r} has ended")
    return answer


def storm(kind: str, loop: str, count: int, processes: int) -> str:
    """Return a line of the table."""
    with contextlib.ExitStack() as running:
        server = running.enter_context(program("--serve", kind, "--loop", loop))
        assert server.stdout is not None
        port = int(server.stdout.readline())
        sizes = [count // processes + (index < count % processes) for index in range(processes)]
        groups = [
            running.enter_context(program("--connect", port, size, sum(sizes[:index])))
            for index, size in enumerate(sizes)
        ]
        for group in groups:
            assert group.stdout is not None
            group.stdout.readline()
        before = int(ask(server))
        for group in groups:
            assert group.stdin is not None
            group.stdin.write("\n")
            group.stdin.flush()
        results = []
        for group in groups:
            assert group.stdout is not None
            results += json.loads(group.stdout.readline())
        after = int(ask(server))
    verdicts = collections.Counter(verdict for verdict, _ in results)
    served = verdicts.pop("served", 0)
    times = sorted(took for verdict, took in results if verdict == "served") or [0.0]
    others = ", ".join(f"{name} {number}" for name, number in verdicts.most_common())
    return (
        f"| {kind} | {served} | {others or 'none'} | {times[len(times) // 2]:.1f} | "
        f"{times[-1]:.1f} | {(after - before) / max(served, 1):.1f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="Let thousands of clients connect at once.")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"of {', '.join(KINDS)}")
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--processes", type=int, default=20, help="of clients")
    parser.add_argument("--loop", choices=["asyncio", "uvloop"], default="asyncio")
    parser.add_argument("--serve", choices=KINDS, help=argparse.SUPPRESS)
    parser.add_argument("--connect", nargs=3, type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if unknown := set(given.kinds) - set(KINDS):
        parser.error(f"unknown: {', '.join(unknown)}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if given.serve is not None:
        factory = None
        if given.loop == "uvloop":
            import uvloop

            factory = uvloop.new_event_loop
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(run_server(given.serve))
    elif given.connect is not None:
        run_clients(*given.connect)
    else:
        if hard != resource.RLIM_INFINITY and hard < given.clients + 100:
            parser.error(f"a server may have {hard} descriptors only: raise the hard limit")
        print(f"{given.clients} clients at once, {given.loop}; {ROUNDS} messages each")
        print("| server | served | others | median, s | last, s | KiB per connection |")
        print("| --- | --- | --- | --- | --- | --- |")
        for kind in given.kinds or KINDS:
            print(storm(kind, given.loop, given.clients, given.processes), flush=True)


if __name__ == "__main__":
    main()
