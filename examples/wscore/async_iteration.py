"""Read messages with `async for` and `await`, at both endpoints.

`WSMessageReader` is a listener with a queue of whole messages. While the queue is full the socket
is not read, so that a peer cannot fill the memory of a busy program.
"""

import asyncio

from wscore import (
    WSCloseCode,
    WSMessageReader,
    WSMsgType,
    WSTransport,
    ws_connect,
    ws_create_server,
)


class Session(WSMessageReader):
    """The server: a task for each connection."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self.task = asyncio.get_running_loop().create_task(self.count())

    async def count(self) -> None:
        """Answer each text with its length, until the client closes."""
        try:
            async for message in self:
                self.transport.send(WSMsgType.TEXT, f"{len(message)} characters")
        except EOFError:
            print("the client is gone, without a CLOSE or for another reason than that it is done")
        else:
            print("the client is gone")


async def main() -> None:
    """Run both endpoints."""
    server = await ws_create_server(lambda _: Session(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, reader = await ws_connect(WSMessageReader, f"ws://127.0.0.1:{port}/")
    for word in ("copper", "tin"):
        transport.send(WSMsgType.TEXT, word)
        print(f"{word}:", await reader.recv())
    transport.send_close(WSCloseCode.OK)
    transport.disconnect()
    await transport.wait_disconnected()
    server.close()
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
