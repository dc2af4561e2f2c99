"""The protocol between the runner and a program under test: commands and results.

It is the same as that of the C reference, described in `benchmarks/reference/options.h` and
`dialogue.h`. No code here may run for each message.
"""

import argparse
import asyncio
import dataclasses
import json
import os
import resource
import ssl
import sys
import time
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

__all__ = ["LIMIT", "Deadline", "Options", "Program", "all_of", "main"]

LIMIT = 64 * 1024 * 1024  # of a message: more than any case sends


@dataclasses.dataclass
class Options:
    """The options of the command line and of a job.

    Attributes:
        size: bytes of each message.
        payload: a file with the compressed message; its decompressed contents are sent.
        tls: a file with a certificate (the client trusts it) and, for servers, its key.
        seconds: how long a job lasts.
    """

    task: str = "echo"
    loop: str = "asyncio"
    tls: str = ""
    size: int = 256
    payload: str = ""
    deflate: int = 0
    port: int = 0
    connections: int = 1
    in_flight: int = 1
    seconds: float = 1

    def take(self, words: list[str]) -> "Options":
        """Return these options, changed by words of the form key=value."""
        types = {field.name: field.type for field in dataclasses.fields(self)}
        pairs = [word.split("=", 1) for word in words]
        return dataclasses.replace(self, **{key: types[key](value) for key, value in pairs})

    @property
    def message(self) -> bytes:
        if self.payload:
            inflate = zlib.decompressobj(-15)
            return inflate.decompress(Path(self.payload).read_bytes() + b"\x00\x00\xff\xff")
        return bytes(self.size)

    @property
    def batch(self) -> int:
        """Return how many messages are handled between two readings of the clock."""
        return 16 if self.size < 65536 else 1

    @property
    def url(self) -> str:
        return f"{'wss' if self.tls else 'ws'}://127.0.0.1:{self.port}/"

    def server_tls(self) -> ssl.SSLContext | None:
        if not self.tls:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.tls)
        return context

    def client_tls(self) -> ssl.SSLContext | None:
        return ssl.create_default_context(cafile=self.tls) if self.tls else None


class Deadline:
    """The end of a job's time, for coroutines that send without ever having to wait."""

    def __init__(self, seconds: float):
        self.end = time.perf_counter() + seconds

    def passed(self) -> bool:
        return time.perf_counter() >= self.end


class Program(Protocol):
    """A library's implementation of the benchmark, created with the options of the command line."""

    async def serve(self) -> int:
        """Start the server on loopback; return its port."""

    async def open(self, options: Options) -> None:
        """Open the connections of a job."""

    async def run(self, options: Options) -> int:
        """Do the task of a job for its time; return the number of messages, or connections."""

    async def close(self) -> None:
        """Close the connections."""


def say(*words: object) -> None:
    print(*words, flush=True)


async def serve(program: Program) -> None:
    """Serve until the runner closes our standard input."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    say(await program.serve())
    await ended.wait()
    os._exit(0)


async def job(program: Program, options: Options) -> None:
    await program.open(options)
    say("ready")
    sys.stdin.readline()
    begin = time.perf_counter_ns()
    count = await program.run(options)
    say(count, time.perf_counter_ns() - begin)
    sys.stdin.readline()
    await program.close()
    say("closed")


def loop_factory(name: str) -> Callable[[], asyncio.AbstractEventLoop] | None:
    if name == "uvloop":
        import uvloop

        return uvloop.new_event_loop
    return None


def main(make_program: Callable[..., Program]) -> None:
    """Run a server or a load generator, depending on the command line.

    Args:
        make_program: called with the options, and with the value of `--variant` (JSON).
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["serve", "load"])
    parser.add_argument("words", nargs="*")
    parser.add_argument("--variant", default="{}", type=json.loads)
    arguments = parser.parse_args()
    options = Options().take(arguments.words)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    variant: dict[str, Any] = arguments.variant
    program = make_program(options, **variant)
    with asyncio.Runner(loop_factory=loop_factory(options.loop)) as runner:
        if arguments.role == "serve":
            runner.run(serve(program))
        while line := sys.stdin.readline():
            runner.run(job(program, options.take(line.split())))


async def all_of(works: list[Awaitable[Any]]) -> list[Any]:
    """Wait for all, without the cost of a task for a job of one connection."""
    return [await works[0]] if len(works) == 1 else await asyncio.gather(*works)
