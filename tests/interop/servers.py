"""Runs the echo server of a peer, in this event loop or in a process of its own.

Both ways give the same handle. A server in its own process cannot share state with the clients by
accident, and may crash without taking the others along; it ends when its parent does.
"""

import asyncio
import contextlib
import json
import os
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from tests.interop.endpoints import Close, Peer, Ports, serve_both

ROOT = Path(__file__).resolve().parents[2]

# How long a process may take to start or to end, in seconds: it imports and compiles first.
PROCESS_PATIENCE = 20.0


class Reports:
    """What a server tells about connections that have ended, kept by the path of each."""

    def __init__(self) -> None:
        self._closes: dict[str, asyncio.Future[Close | None]] = {}
        self._gone: Exception | None = None

    def put(self, path: str, close: Close | None) -> None:
        """Note the CLOSE that came on a connection."""
        future = self._of(path)
        if not future.done():
            future.set_result(close)

    def end(self, error: Exception) -> None:
        """Note that nothing more can come; whoever waits gets the error."""
        self._gone = error
        for future in self._closes.values():
            if not future.done():
                future.set_exception(error)
                future.exception()  # it need not be asked for

    async def of(self, path: str) -> Close | None:
        """Wait for the end of the connection with that path, and return its CLOSE."""
        return await asyncio.shield(self._of(path))

    def _of(self, path: str) -> asyncio.Future[Close | None]:
        if path not in self._closes:
            self._closes[path] = asyncio.get_running_loop().create_future()
            if self._gone:
                self.end(self._gone)
        return self._closes[path]


@dataclass(frozen=True)
class RunningServer:
    """An echo server that listens, with TLS and without, and what it reports."""

    ports: Ports
    reports: Reports


@contextlib.asynccontextmanager
async def in_this_loop(peer: Peer, tls: ssl.SSLContext) -> AsyncIterator[RunningServer]:
    """Run the server of a peer in the current event loop."""
    reports = Reports()
    async with serve_both(peer, tls, reports.put) as ports:
        yield RunningServer(ports, reports)


@contextlib.asynccontextmanager
async def in_own_process(
    peer: str, loop: str, cert_file: Path, log_file: Path
) -> AsyncIterator[RunningServer]:
    """Run the server of a peer in a process of its own.

    Args:
        peer: its name, as `load_peer` takes it.
        loop: the event loop it shall use, `asyncio` or `uvloop`.
        cert_file: certificate chain and key, PEM.
        log_file: takes what the process writes to its standard error.

    Raises:
        RuntimeError: the process ended before it listened.
        TimeoutError: it did not listen in time.
    """
    arguments = (peer, loop, str(cert_file))
    async with module_process("tests.interop.serve", *arguments, log_file=log_file) as process:
        assert process.stdout is not None
        first = await asyncio.wait_for(process.stdout.readline(), PROCESS_PATIENCE)
        if not first:
            raise RuntimeError(f"the server of {peer} did not start: {last_line(log_file)}")
        reports = Reports()
        reading = asyncio.create_task(_read_reports(process.stdout, reports, peer))
        try:
            yield RunningServer(Ports(*json.loads(first)), reports)
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await reading


@contextlib.asynccontextmanager
async def module_process(
    module: str, *arguments: str, log_file: Path
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a module of this repository as a program that ends when its standard input does."""
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    with log_file.open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=log,
            env=os.environ | {"PYTHONPATH": path},
        )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), PROCESS_PATIENCE)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _read_reports(stream: asyncio.StreamReader, reports: Reports, peer: str) -> None:
    async for line in stream:
        path, close = json.loads(line)
        reports.put(path, close and Close(*close))
    reports.end(ConnectionError(f"the server process of {peer} has ended"))


def last_line(log_file: Path) -> str:
    """Return the last line of a log, which for a Python program is the exception it died of."""
    lines = log_file.read_text(errors="replace").splitlines() if log_file.exists() else []
    return lines[-1] if lines else "it said nothing"
