"""Send to a client that is slower than the server, without filling the server's memory.

Data that a client does not read accumulates at the server. `pause_writing` is called when it is too
much, and `resume_writing` when there is room again; in between the producer waits.
"""

import asyncio

from wscore import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMessageReader,
    WSMsgType,
    WSTransport,
    ws_connect,
    ws_create_server,
)

MESSAGES = 400
SIZE = 64 * 1024  # bytes of one message
LIMIT = 256 * 1024  # bytes that may wait at the server


class Producer(WSListener):
    """Sends as fast as the client reads."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.underlying_transport.set_write_buffer_limits(high=LIMIT)
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._pauses = 0
        self.task = asyncio.get_running_loop().create_task(self._produce(transport))

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.task.cancel()

    def pause_writing(self) -> None:
        self._may_write.clear()
        self._pauses += 1

    def resume_writing(self) -> None:
        self._may_write.set()

    async def _produce(self, transport: WSTransport) -> None:
        most = 0
        for _ in range(MESSAGES):
            await self._may_write.wait()
            transport.send(WSMsgType.BINARY, bytes(SIZE))
            most = max(most, transport.underlying_transport.get_write_buffer_size())
        print("the producer had to wait:", self._pauses > 0)
        print("no more than the limit and one message waited:", most < LIMIT + 2 * SIZE)
        transport.send_close(WSCloseCode.OK)


async def main() -> None:
    """Run both endpoints; the client needs a millisecond for each message."""
    server = await ws_create_server(lambda _: Producer(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, reader = await ws_connect(WSMessageReader, f"ws://127.0.0.1:{port}/")
    received = 0
    async for message in reader:
        await asyncio.sleep(0.001)
        received += len(message)
    print("received", received // 1024, "KiB")
    await transport.wait_disconnected()
    server.close()
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
