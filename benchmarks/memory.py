"""Memory of a server's connections: new ones, used ones, and those that had a large message.

The servers are those of `bench`, so each library is used as its documentation recommends. Clients
of wscompat send JSON messages, which are echoed, and are then silent. The output is a table of KiB
per connection, computed from the server's proportional share of memory.

    python benchmarks/memory.py --contender wscompat --contender websockets --deflate
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import ssl
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import trustme

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bench.contenders import CONTENDERS, Contender
from benchmarks.bench.processes import Running
from wscompat import connect

__all__ = ["main"]

ROOT = Path(__file__).parents[1]
MIB = 1 << 20
STEPS = ("new", "1 message", "100 messages", "a message of 1 MiB", "idle")
WARM_UP = 10  # connections


def message(size: int) -> bytes:
    """Return JSON that is similar to other such messages, but not equal."""
    rnd = random.Random()
    records: list[str] = []
    while size > 0:
        record = {
            "id": rnd.randrange(10**6),
            "symbol": rnd.choice(["BTCUSD", "ETHUSD"]),
            "price": round(rnd.random() * 1e4, 2),
            "side": rnd.choice(["buy", "sell"]),
        }
        records.append(json.dumps(record))
        size -= len(records[-1]) + 1
    return f"[{','.join(records)}]".encode()


class Measured:
    """The clients of one server, whose memory is read.

    Args:
        server: its process.
        words: of the command line.
        tls: for the clients, or None.
    """

    def __init__(self, server: Running, words: argparse.Namespace, tls: ssl.SSLContext | None):
        self.server = server
        self.words = words
        self.uri = f"{'wss' if tls else 'ws'}://127.0.0.1:{server.answer()}/"
        self.options: dict[str, Any] = {
            "compression": "deflate" if words.deflate else None,
            "max_size": None,
            "ping_interval": None,
            "proxy": None,
            "ssl": tls,
        }

    async def talk(self, connection: Any, size: int, count: int) -> None:
        for _ in range(count):
            await connection.send(message(size))
            await connection.recv()

    async def all_talk(self, connections: list[Any], size: int, count: int) -> None:
        for connection in connections:  # one by one: no memory for concurrent work
            await self.talk(connection, size, count)

    async def close(self, connections: list[Any]) -> None:
        for connection in connections:
            connection.transport.abort()
        await asyncio.gather(*(connection.wait_closed() for connection in connections))

    def kib(self) -> float:
        return (self.server.memory() - self.before) / 1024 / self.words.connections

    async def run(self) -> list[float]:
        """Return the memory of a connection after each of the steps."""
        first = [await connect(self.uri, **self.options) for _ in range(WARM_UP)]
        await self.all_talk(first, self.words.size, 10)
        await self.close(first)  # do not count what the process loads for the first connections
        self.before = self.server.memory()
        connections = [
            await connect(self.uri, **self.options) for _ in range(self.words.connections)
        ]
        found = [self.kib()]
        for size, count in ((self.words.size, 1), (self.words.size, 99), (MIB, 1)):
            await self.all_talk(connections, size, count)
            if size == MIB:  # a handler's own variable may keep the message until the next one
                await self.all_talk(connections, self.words.size, 1)
            found.append(self.kib())
        if self.words.idle:
            await asyncio.sleep(self.words.idle)
            found.append(self.kib())
        await self.close(connections)
        return found


def measure(contender: Contender, words: argparse.Namespace, folder: Path) -> list[float]:
    tls = None
    command = [*contender.command(Path()), "serve", "task=echo", f"loop={words.loop}"]
    if words.deflate:
        command.append("deflate=1")
    if words.tls:
        certificate = folder / "certificate.pem"
        command.append(f"tls={certificate}")
        tls = ssl.create_default_context(cafile=str(certificate))
    server = Running(command, ROOT, 0, folder / "log")
    try:
        return asyncio.run(Measured(server, words, tls).run())
    finally:
        server.stop()


def issue(certificate: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(
        certificate
    )
    authority.cert_pem.write_to_path(certificate, append=True)


def main() -> None:
    """Measure the servers given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    known = {contender.name: contender for contender in CONTENDERS if contender.program}
    usual = ("wscore", "wscore messages", "wscompat", "picows", "websockets")
    parser.add_argument("--contender", action="append", choices=known)
    parser.add_argument("--connections", type=int, default=200)
    parser.add_argument("--size", type=int, default=500, help="of the small messages")
    parser.add_argument("--loop", default="asyncio", choices=["asyncio", "uvloop"])
    parser.add_argument("--tls", action="store_true")
    parser.add_argument("--deflate", action="store_true")
    parser.add_argument("--idle", type=float, default=0, help="seconds before the last look")
    words = parser.parse_args()
    steps = STEPS if words.idle else STEPS[:-1]
    print(f"KiB per connection, after each of: {', '.join(steps)}", time.strftime("(%F)"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        issue(folder / "certificate.pem")
        for chosen in words.contender or usual:
            contender = known[chosen]
            if contender.missing(Path()) or (words.deflate and not contender.deflate):
                continue
            found = measure(contender, words, folder)
            print(f"| {chosen} |", " | ".join(f"{kib:.1f}" for kib in found), "|", flush=True)


if __name__ == "__main__":
    main()
