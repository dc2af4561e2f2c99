"""wscore's message API: a task for each connection waits for whole messages.

Sending is the transport's, as in the callback API.
"""

import asyncio
from typing import Any

import wscore
from wscore import WSMessageReader, WSMsgType, ws_connect, ws_create_server

from . import callbacks, listeners
from .dialogue import Deadline, Options, all_of, main

BINARY = WSMsgType.BINARY


async def echo(reader: WSMessageReader) -> None:
    send = reader.transport.send
    async for message in reader:
        send(BINARY, message)


async def echo_compressed(reader: WSMessageReader) -> None:
    send = reader.transport.send_message
    async for message in reader:
        send(BINARY, message)


async def sink(reader: WSMessageReader) -> None:
    async for _ in reader:
        pass


class Messages(callbacks.Callbacks):
    """The tasks on `WSMessageReader`, except those that receive nothing."""

    def __init__(self, options: Options, connecting: dict[str, Any]):
        super().__init__(options, "wscore", listeners.__name__, connecting)
        if options.deflate:
            self.connecting["deflate"] = wscore.WSDeflate()

    async def serve(self) -> int:
        works = {"echo": echo_compressed if self.options.deflate else echo, "sink": sink}
        work = works[self.options.task]

        class Served(WSMessageReader):
            def on_ws_connected(self, transport: wscore.WSTransport) -> None:
                super().on_ws_connected(transport)
                self.task = loop.create_task(work(self))

        loop = asyncio.get_running_loop()
        self.server = await ws_create_server(
            lambda request: Served(),
            "127.0.0.1",
            0,
            ssl=self.options.server_tls(),
            backlog=1024,
            **self.connecting,
        )
        return self.server.sockets[0].getsockname()[1]

    async def open(self, options: Options) -> None:
        self.job = options
        connections = [
            await ws_connect(
                WSMessageReader, options.url, ssl_context=options.client_tls(), **self.connecting
            )
            for _ in range(options.connections)
        ]
        self.clients = [reader for _, reader in connections]

    async def run(self, options: Options) -> int:
        deadline = Deadline(options.seconds)
        work = self.exchange if options.task == "echo" else self.receive
        return sum(await all_of([work(reader, deadline) for reader in self.clients]))

    async def exchange(self, reader: WSMessageReader, deadline: Deadline) -> int:
        transport, message, recv = reader.transport, self.message, reader.recv
        send = transport.send_message if self.options.deflate else transport.send
        for _ in range(self.job.in_flight):
            send(BINARY, message)
        count = 0
        while not deadline.passed():
            for _ in range(self.job.batch):
                await recv()
                send(BINARY, message)
            count += self.job.batch
        return count

    async def receive(self, reader: WSMessageReader, deadline: Deadline) -> int:
        reader.transport.send(BINARY, self.message)
        count = 0
        async for _ in reader:
            count += 1
            if not count % 64 and deadline.passed():
                break
        return count


if __name__ == "__main__":
    main(Messages)
