"""Runs the Autobahn test suite's program, `wstest`, as the fuzzing client or the fuzzing server.

It knows the program's command line and the files it reads and writes, and nothing of what the
results mean.
"""

import asyncio
import contextlib
import json
import os
import re
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOST = "127.0.0.1"

# Seconds without a word from the program after which it counts as stuck; seconds to start it.
SILENCE = 180
START = 30

_ANNOUNCED = re.compile(rb"will run (\d+) test cases")
_RUNNING = re.compile(rb"Running test case ID ([\d.]+)")


@dataclass(frozen=True)
class Selection:
    """Which cases to run, in the suite's own notation such as `6.*`."""

    cases: Sequence[str]
    excluded: Sequence[str] = ()


@dataclass
class Run:
    """One run of the program.

    Attributes:
        index: where it writes its results.
        url: of the fuzzing server; empty for the fuzzing client.
        announced: how many cases it said it would run.
    """

    index: Path
    url: str = ""
    announced: int = 0


@dataclass(frozen=True)
class Suite:
    """The installed program.

    Attributes:
        program: path of `wstest`.
        folder: below which specifications, logs and reports are written.
        progress: called with the id of each case that begins.
    """

    program: Path
    folder: Path
    progress: Callable[[str], None]

    async def fuzz_server(self, agent: str, port: int, selection: Selection) -> Run:
        """Run the cases against a server on this port of the loopback.

        Raises:
            RuntimeError: the program failed.
        """
        folder = self._new_folder(agent, "server")
        run = Run(folder / "index.json")
        target = {"agent": agent, "url": f"ws://{HOST}:{port}"}
        spec = _spec(folder, selection, servers=[target])
        async with self._running("fuzzingclient", spec) as process:
            await self._read(process, folder, run)
            if await process.wait() != 0:
                raise RuntimeError(f"wstest failed, see {folder}")
        return run

    @contextlib.asynccontextmanager
    async def fuzzing_server(self, agent: str, selection: Selection) -> AsyncIterator[Run]:
        """Run a server that clients connect to for each case."""
        folder = self._new_folder(agent, "client")
        port = _free_port()
        run = Run(folder / "index.json", f"ws://{HOST}:{port}")
        spec = _spec(folder, selection, url=run.url)
        async with self._running("fuzzingserver", spec) as process:
            reading = asyncio.ensure_future(self._read(process, folder, run))
            await _answering(port, process)
            yield run
            process.kill()
            await reading

    @contextlib.asynccontextmanager
    async def _running(self, mode: str, spec: Path) -> AsyncIterator[asyncio.subprocess.Process]:
        """Yield the program, ended with the block."""
        arguments = ("--mode", mode, "--spec", str(spec), "--webport", "0")
        process = await asyncio.create_subprocess_exec(
            *(str(self.program), *arguments),
            cwd=spec.parent,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()

    async def _read(self, process: asyncio.subprocess.Process, folder: Path, run: Run) -> None:
        """Follow what the program says, to its end."""
        assert process.stdout is not None
        with (folder / "wstest.log").open("wb") as log:
            while True:
                async with asyncio.timeout(SILENCE):
                    line = await process.stdout.readline()
                if not line:
                    return
                log.write(line)
                if found := _ANNOUNCED.search(line):
                    run.announced = int(found[1])
                if found := _RUNNING.search(line):
                    self.progress(found[1].decode())

    def _new_folder(self, agent: str, role: str) -> Path:
        folder = self.folder / f"{agent}-{role}"
        folder.mkdir(parents=True)
        return folder


def _spec(folder: Path, selection: Selection, **extra: Any) -> Path:
    path = folder / "spec.json"
    spec = {
        "outdir": str(folder),
        "cases": list(selection.cases),
        "exclude-cases": list(selection.excluded),
        "exclude-agent-cases": {},
        **extra,
    }
    path.write_text(json.dumps(spec, indent=1))
    return path


def _free_port() -> int:
    """Return a port nobody listens on: the suite cannot choose one itself, and say which."""
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


async def _answering(port: int, process: asyncio.subprocess.Process) -> None:
    """Wait until a server listens; it has no other way to say so."""
    async with asyncio.timeout(START):
        while process.returncode is None:
            try:
                _, writer = await asyncio.open_connection(HOST, port)
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
    raise RuntimeError(f"wstest ended with status {process.returncode}")
