"""The API of websockets: websockets itself, picows.websockets, wscompat, and the legacy ones.

Every library runs the same coroutines, with pings off and without compression unless asked for.
"""

import asyncio
import contextlib
import importlib
import logging
import time
from typing import Any

from .dialogue import LIMIT, Deadline, Options, all_of, main


class Connections:
    """The tasks on `connect`, `serve` and their connections.

    Args:
        options: of the command line.
        client: the module that has `connect`.
        server: the module that has `serve`.
        broadcaster: the module that has `broadcast`.
        connecting: further arguments of `connect` only.
    """

    def __init__(
        self,
        options: Options,
        client: str,
        server: str,
        broadcaster: str,
        connecting: dict[str, Any],
    ):
        self.client = importlib.import_module(client)
        self.server = importlib.import_module(server)
        self.broadcaster = importlib.import_module(broadcaster)
        self.options = options
        self.connecting = connecting
        self.message = options.message
        self.arguments = {
            "compression": "deflate" if options.deflate else None,
            "max_size": LIMIT,
            "ping_interval": None,
            "open_timeout": 60,
        }
        self.peers: set[Any] = set()

    # --- Server ---

    async def serve(self) -> int:
        handler = getattr(self, f"serve_{self.options.task}")
        self.running = await self.server.serve(
            handler,
            "127.0.0.1",
            0,
            ssl=self.options.server_tls(),
            backlog=1024,
            **self.arguments,
        )
        return next(iter(self.running.sockets)).getsockname()[1]

    async def serve_echo(self, connection: Any) -> None:
        async for message in connection:
            await connection.send(message)

    async def serve_sink(self, connection: Any) -> None:
        async for _ in connection:
            pass

    async def serve_source(self, connection: Any) -> None:
        await connection.recv()
        with contextlib.suppress(Exception):
            while True:
                for _ in range(self.options.batch):
                    await connection.send(self.message)
                await asyncio.sleep(0)  # else it would not notice the end if never paused

    async def serve_broadcast(self, connection: Any) -> None:
        self.peers.add(connection)
        try:
            async for message in connection:
                self.broadcaster.broadcast(self.peers, message)
        finally:  # jobs abort their connections
            self.peers.discard(connection)

    # --- Client ---

    async def connect(self) -> Any:
        return await self.client.connect(
            self.job.url, ssl=self.tls, **self.arguments, **self.connecting
        )

    async def open(self, options: Options) -> None:
        self.job = options
        self.tls = options.client_tls()
        self.clients: list[Any] = []
        if options.task != "handshake":
            self.clients = [await self.connect() for _ in range(options.connections)]

    async def run(self, options: Options) -> int:
        works = {
            "echo": self.exchange,
            "sink": self.receive,
            "source": self.send_all,
        }
        deadline = Deadline(options.seconds)
        if options.task == "handshake":
            counts = await all_of([self.shake() for _ in range(options.connections)])
        else:
            counts = await all_of([works[options.task](c, deadline) for c in self.clients])
        return sum(counts)

    async def exchange(self, connection: Any, deadline: Deadline) -> int:
        message, send, recv = self.message, connection.send, connection.recv
        for _ in range(self.job.in_flight):
            await send(message)
        count = 0
        while not deadline.passed():
            for _ in range(self.job.batch):
                await recv()
                await send(message)
            count += self.job.batch
        return count

    async def receive(self, connection: Any, deadline: Deadline) -> int:
        await connection.send(self.message)
        count = 0
        async for _ in connection:
            count += 1
            if not count % 64 and deadline.passed():
                break
        return count

    async def send_all(self, connection: Any, deadline: Deadline) -> int:
        message, send = self.message, connection.send
        count = 0
        while not deadline.passed():
            for _ in range(self.job.batch):
                await send(message)
            count += self.job.batch
        await connection.close()
        return count

    async def shake(self) -> int:
        end = time.perf_counter() + self.job.seconds
        count = 0
        while time.perf_counter() < end:
            connection = await self.connect()
            await connection.close()
            count += 1
        return count

    async def close(self) -> None:
        for connection in self.clients:
            # Abort if possible: a peer that floods delays the closing handshake.
            if transport := getattr(connection, "transport", None):
                transport.abort()
            else:
                await connection.close()
        await asyncio.gather(*(c.wait_closed() for c in self.clients), return_exceptions=True)


if __name__ == "__main__":
    # Connections that a job cuts off are no news.
    logging.getLogger("websockets").setLevel(logging.CRITICAL)
    logging.getLogger("picows").setLevel(logging.CRITICAL)
    main(Connections)
