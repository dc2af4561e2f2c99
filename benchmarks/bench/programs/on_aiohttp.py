"""aiohttp's client session and web server.

Its parser accepts messages of any size here; heartbeats are off, as they are by default.
"""

import asyncio
import contextlib
import time
from typing import Any

import aiohttp
from aiohttp import web

from .dialogue import Deadline, Options, all_of, main


class Aiohttp:
    """The tasks of the benchmark on `aiohttp.web.WebSocketResponse` and `ClientSession`."""

    def __init__(self, options: Options):
        self.options = options
        self.message = options.message
        self.compress = bool(options.deflate)
        self.peers: set[Any] = set()

    # --- Server ---

    async def serve(self) -> int:
        application = web.Application()
        application.router.add_get("/", self.handle)
        self.runner = web.AppRunner(application, access_log=None)
        await self.runner.setup()
        site = web.TCPSite(
            self.runner, "127.0.0.1", 0, ssl_context=self.options.server_tls(), backlog=1024
        )
        await site.start()
        return self.runner.addresses[0][1]

    async def handle(self, request: web.Request) -> web.WebSocketResponse:
        connection = web.WebSocketResponse(max_msg_size=0, compress=self.compress)
        await connection.prepare(request)
        await getattr(self, f"serve_{self.options.task}")(connection)
        return connection

    async def serve_echo(self, connection: Any) -> None:
        async for message in connection:
            await connection.send_bytes(message.data)

    async def serve_sink(self, connection: Any) -> None:
        async for _ in connection:
            pass

    async def serve_source(self, connection: Any) -> None:
        await connection.receive()
        with contextlib.suppress(ConnectionError):
            while not connection.closed:
                await connection.send_bytes(self.message)

    async def serve_broadcast(self, connection: Any) -> None:
        self.peers.add(connection)
        try:
            async for message in connection:
                for peer in self.peers:
                    await peer.send_bytes(message.data)
        finally:
            self.peers.discard(connection)

    # --- Client ---

    async def connect(self) -> Any:
        return await self.session.ws_connect(
            self.job.url, ssl=self.tls or True, max_msg_size=0, compress=15 if self.compress else 0
        )

    async def open(self, options: Options) -> None:
        self.job = options
        self.tls = options.client_tls()
        self.session = aiohttp.ClientSession()
        self.clients: list[Any] = []
        if options.task != "handshake":
            self.clients = [await self.connect() for _ in range(options.connections)]

    async def run(self, options: Options) -> int:
        works = {"echo": self.exchange, "sink": self.receive, "source": self.send_all}
        deadline = Deadline(options.seconds)
        if options.task == "handshake":
            counts = await all_of([self.shake() for _ in range(options.connections)])
        else:
            counts = await all_of([works[options.task](c, deadline) for c in self.clients])
        return sum(counts)

    async def exchange(self, connection: Any, deadline: Deadline) -> int:
        message, send, receive = self.message, connection.send_bytes, connection.receive_bytes
        for _ in range(self.job.in_flight):
            await send(message)
        count = 0
        while not deadline.passed():
            for _ in range(self.job.batch):
                await receive()
                await send(message)
            count += self.job.batch
        return count

    async def receive(self, connection: Any, deadline: Deadline) -> int:
        await connection.send_bytes(self.message)
        count = 0
        async for _ in connection:
            count += 1
            if not count % 64 and deadline.passed():
                break
        return count

    async def send_all(self, connection: Any, deadline: Deadline) -> int:
        message, send = self.message, connection.send_bytes
        count = 0
        while not deadline.passed():
            for _ in range(self.job.batch):
                await send(message)
            count += self.job.batch
            await asyncio.sleep(0)
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
        # Abort: a peer that floods would delay the closing handshake.
        await self.session.connector.close()
        await self.session.close()


if __name__ == "__main__":
    main(Aiohttp)
