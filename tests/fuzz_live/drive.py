"""Sends inputs to servers and clients of each API at the same time, and collects the verdicts.

Each input goes to each API over a connection of its own. Behind the input the sending side is shut
down, so that a verdict comes at once; one that does not come within a bound is a hang.
"""

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from tests.campaign.processes import Process
from tests.fuzz_live.inputs import Input, client_input, draw_accept, server_input
from tests.fuzz_live.verdicts import Verdict

__all__ = ["ClientTarget", "Judge", "ServerTarget", "Target", "fuzz_clients", "fuzz_servers"]


PATIENCE = 20.0
CONCURRENT = 48
WAITS = 2.0  # seconds for the response of a server

Verdicts = dict[str, Verdict]
Judge = Callable[[str, Input, Verdicts], None]


class Target:
    """A process that is fuzzed.

    Args:
        api: a package.
        process: which serves or connects with it.
    """

    def __init__(self, api: str, process: Process) -> None:
        self.api = api
        self.process = process
        self.reports: dict[int, asyncio.Future[list[Any]]] = {}

    async def read_reports(self) -> None:
        """Hand reports to those who wait for them, until the process ends."""
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        pipe = self.process.popen.stdout
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), pipe
        )
        try:
            while line := await reader.readline():
                content = json.loads(line)
                future = self.report(content[0])
                if not future.done():
                    future.set_result(content)
        finally:
            transport.close()  # before the process's owner closes the pipe under it

    def report(self, key: int) -> asyncio.Future[list[Any]]:
        """Return the report of a connection, which may not have come yet."""
        future = self.reports.get(key)
        if future is None:
            future = self.reports[key] = asyncio.get_running_loop().create_future()
        return future


# -- servers


class Sender(asyncio.Protocol):
    """One connection to a server.

    The sending side is shut down only when the response is there: what a server does with requests
    of those who do not wait for the answer is its own affair.

    Args:
        head: what to send, one by one.
        frames: likewise, once the response is there and agrees.
        waits: for so many seconds for a response; not at all if 0.
    """

    def __init__(self, head: list[bytes], frames: list[bytes], waits: float) -> None:
        self._frames = frames
        self._waits = waits
        self._timer: asyncio.TimerHandle | None = None
        self._answered = False
        self.received = bytearray()
        self.reset = False
        self.port = 0
        self.done = asyncio.get_running_loop().create_future()
        self._pieces = iter(head)

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]
        self._send()

    def _send(self) -> None:
        if self._transport.is_closing():
            return
        piece = next(self._pieces, None)
        loop = asyncio.get_running_loop()
        if piece is not None:
            self._transport.write(piece)
            loop.call_soon(self._send)
            return
        if not self._waits or self._answered:
            self._shut_down()
        else:
            self._timer = loop.call_later(self._waits, self._shut_down)

    def _shut_down(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._transport.is_closing():
            with contextlib.suppress(OSError):  # it has been reset
                self._transport.write_eof()

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self._answered and b"\r\n\r\n" in self.received:
            self._answered = True
            if self.received.startswith(b"HTTP/1.1 101"):
                self._pieces = itertools.chain(self._pieces, self._frames)
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
                self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self.reset = exc is not None
        if self._timer is not None:
            self._timer.cancel()
        if not self.done.done():
            self.done.set_result(None)


class ServerTarget(Target):
    """A server that is fuzzed."""

    port = 0

    async def verdict(self, fuzzed: Input, waits: float) -> Verdict:
        """Send it an input, and return what became of it."""
        loop = asyncio.get_running_loop()
        head, frames = fuzzed.pieces()
        # websockets takes frames that come ahead of its response for such after it, and stumbles.
        if fuzzed.pipelined and self.api != "websockets":
            head, frames = head + frames, []
        has_end = b"\n\r\n" in fuzzed.head or b"\n\n" in fuzzed.head
        sender = Sender(head, frames, waits if has_end else 0)
        try:
            async with asyncio.timeout(PATIENCE):
                await loop.create_connection(lambda: sender, "127.0.0.1", self.port)
                # The key of the report is a port, which the system uses again.
                self.reports.pop(sender.port, None)
                report = self.report(sender.port)
                await sender.done
                verdict = Verdict.from_wire(bytes(sender.received), reset=sender.reset)
                if verdict.status == 101:
                    _, _, verdict.count, verdict.checksum, sent, received = await report
                    verdict.sent = verdict.sent or sent
                    verdict.received = received
        except TimeoutError:
            return Verdict(status=None, hang=True)
        finally:
            self.reports.pop(sender.port, None)
        return verdict


async def fuzz_servers(
    targets: list[ServerTarget], seed: int, first: int, end: int, judge: Judge
) -> None:
    """Send the inputs of these numbers to all servers."""
    numbers = iter(range(first, end))

    async def work() -> None:
        for number in numbers:
            fuzzed = server_input(seed, number)
            found = await asyncio.gather(*(target.verdict(fuzzed, WAITS) for target in targets))
            judge("server", fuzzed, dict(zip((t.api for t in targets), found, strict=True)))

    await asyncio.gather(*(work() for _ in range(CONCURRENT)))


# -- clients

_REQUEST = re.compile(rb"GET /(\d+) HTTP.*?\r\nSec-WebSocket-Key: *([^\r]+)\r\n", re.DOTALL | re.I)


class Answerer(asyncio.Protocol):
    """One connection of a client, which is answered with an input.

    Args:
        seed: with the number in the path it makes the input.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._request = bytearray()
        self._answered = False

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        # Whoever stays is thrown out, so that no connection is left over.
        self._bound = asyncio.get_running_loop().call_later(PATIENCE, transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._answered:
            return
        self._request += data
        if b"\r\n\r\n" in self._request:
            self._answered = True
            found = _REQUEST.match(bytes(self._request))
            if found is None:  # a redirect was followed
                self._pieces = iter([b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"])
            else:
                fuzzed = client_input(self._seed, int(found[1]))
                self._pieces = itertools.chain(*fuzzed.pieces(draw_accept(found[2])))
            self._send()

    def _send(self) -> None:
        if self._transport.is_closing():
            return
        piece = next(self._pieces, None)
        if piece is None:
            with contextlib.suppress(OSError):  # it has been reset
                self._transport.write_eof()
            return
        self._transport.write(piece)
        asyncio.get_running_loop().call_soon(self._send)

    def connection_lost(self, exc: Exception | None) -> None:
        self._bound.cancel()


class ClientTarget(Target):
    """A process of clients that is fuzzed."""


async def fuzz_clients(
    targets: list[ClientTarget], seed: int, numbers: Iterable[int], judge: Judge
) -> None:
    """Compare the reports of clients that are given the inputs of these numbers."""
    for number in numbers:
        found: Verdicts = {}
        for target in targets:
            try:
                async with asyncio.timeout(PATIENCE * 2):
                    _, outcome, count, checksum, sent, received = await target.report(number)
                found[target.api] = Verdict(
                    status=None,
                    outcome=outcome,
                    count=count,
                    checksum=checksum,
                    sent=sent,
                    received=received,
                )
            except TimeoutError:
                found[target.api] = Verdict(status=None, hang=True)
            target.reports.pop(number, None)
        judge("client", client_input(seed, number), found)
