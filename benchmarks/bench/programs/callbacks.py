"""The callback API that picows and wscore share: listeners in Python, or in Cython.

For each message it only calls the library. It never imports both libraries.
"""

import asyncio
import importlib
import time
from typing import Any

from .dialogue import LIMIT, Deadline, Options, all_of, main

BATCH = 65536  # bytes that are sent before the loop iterates


class Callbacks:
    """The tasks of the benchmark on `ws_connect` and `ws_create_server`.

    Args:
        options: of the command line.
        module: the library: "picows" or "wscore".
        listeners: the module that has the listener classes.
        connecting: further arguments of `ws_connect` and `ws_create_server`.
    """

    def __init__(self, options: Options, module: str, listeners: str, connecting: dict[str, Any]):
        self.library = importlib.import_module(module)
        self.listeners = importlib.import_module(listeners).make(self.library)
        self.options = options
        self.message = options.message
        self.batch = min(100, max(1, BATCH // max(1, len(self.message))))
        self.connecting = {"max_frame_size": LIMIT, "websocket_handshake_timeout": 60, **connecting}
        self.clients: list[Any] = []
        self.tasks: set[asyncio.Task[None]] = set()

    # --- Server ---

    async def serve(self) -> int:
        make = {
            "echo": self.listeners.Echo,
            "sink": self.listeners.Sink,
            "source": lambda: self.listeners.Begin(self.begin_flood),
            "broadcast": self.make_broadcaster(),
        }[self.options.task]
        server = await self.library.ws_create_server(
            lambda request: make(),
            "127.0.0.1",
            0,
            ssl=self.options.server_tls(),
            backlog=1024,
            **self.connecting,
        )
        self.server = server
        return server.sockets[0].getsockname()[1]

    def make_broadcaster(self) -> Any:
        transports: set[Any] = set()
        binary = self.library.WSMsgType.BINARY
        if hasattr(self.library, "ws_broadcast"):
            encode_once = self.library.ws_broadcast

            def broadcast(message: bytes) -> None:
                encode_once(transports, binary, message)
        else:

            def broadcast(message: bytes) -> None:
                for transport in transports:
                    transport.send(binary, message)

        return lambda: self.listeners.Broadcaster(transports, broadcast)

    def begin_flood(self, listener: Any) -> None:
        task = asyncio.create_task(self.flood(listener, Deadline(3600)))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def flood(self, listener: Any, deadline: Deadline) -> int:
        transport, message, binary = listener.transport, self.message, self.library.WSMsgType.BINARY
        corked = getattr(transport, "cork", None)
        count = 0
        while not deadline.passed() and not transport.is_disconnected:
            if corked:
                with corked():
                    for _ in range(self.batch):
                        transport.send(binary, message)
            else:
                for _ in range(self.batch):
                    transport.send(binary, message)
            count += self.batch
            await (listener.resumed.wait() if listener.paused else asyncio.sleep(0))
        return count

    # --- Client ---

    async def connect(self, make: Any) -> Any:
        _, listener = await self.library.ws_connect(
            make, self.job.url, ssl_context=self.tls, **self.connecting
        )
        return listener

    async def open(self, options: Options) -> None:
        self.job = options
        self.tls = options.client_tls()
        if options.task == "handshake":
            return
        make = {
            "echo": lambda: self.listeners.EchoClient(self.message),
            "sink": self.listeners.Sink,
            "source": self.listeners.Sink,
        }[options.task]
        self.clients = [await self.connect(make) for _ in range(options.connections)]

    async def run(self, options: Options) -> int:
        if options.task == "source":
            counts = await all_of([self.send_all(client) for client in self.clients])
            return sum(counts)
        if options.task == "handshake":
            counts = await all_of([self.shake() for _ in range(options.connections)])
            return sum(counts)
        binary = self.library.WSMsgType.BINARY
        for client in self.clients:
            for _ in range(options.in_flight):
                client.transport.send(binary, self.message)
        await asyncio.sleep(options.seconds)
        return sum(client.count for client in self.clients)

    async def send_all(self, client: Any) -> int:
        count = await self.flood(client, Deadline(self.job.seconds))
        client.transport.send_close(1000)
        await client.transport.wait_disconnected()
        return count

    async def shake(self) -> int:
        end = time.perf_counter() + self.job.seconds
        count = 0
        while time.perf_counter() < end:
            client = await self.connect(self.listeners.Sink)
            client.transport.send_close(1000)
            await client.transport.wait_disconnected()
            count += 1
        return count

    async def close(self) -> None:
        for client in self.clients:
            client.transport.disconnect(False)
        for client in self.clients:
            await client.transport.wait_disconnected()
        self.clients = []


if __name__ == "__main__":
    main(Callbacks)
