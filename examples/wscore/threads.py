"""One port, several threads, each with its own event loop.

The system distributes connections among the threads (`reuse_port`, on Linux). A connection belongs
to the thread of its loop; other threads must use `call_soon_threadsafe` of that loop. Threads share
the global interpreter lock; to use several processors, let processes share the port.
"""

import asyncio
import socket
import threading
from concurrent.futures import Future

from wscore import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMessageReader,
    WSMsgType,
    WSTransport,
    ws_broadcast,
    ws_connect,
    ws_create_server,
)

THREADS = 4
CLIENTS = 20


class Worker(threading.Thread):
    """A thread that serves on a shared port.

    Args:
        port: the port.

    Attributes:
        listening: done when the thread listens; its result is the thread's event loop.
    """

    def __init__(self, port: int) -> None:
        super().__init__()
        self.listening: Future[asyncio.AbstractEventLoop] = Future()
        self._port = port
        self._transports: set[WSTransport] = set()

    def run(self) -> None:
        asyncio.run(self._serve())

    def announce(self, text: str) -> None:
        """Send a text to all clients of this thread; may be called from any thread."""
        self.listening.result().call_soon_threadsafe(
            ws_broadcast, self._transports, WSMsgType.TEXT, text
        )

    def stop(self) -> None:
        """Close the connections and end; may be called from any thread."""
        self.listening.result().call_soon_threadsafe(self._stopping.set)

    async def _serve(self) -> None:
        self._stopping = asyncio.Event()
        server = await ws_create_server(
            lambda _: Member(self._transports), "127.0.0.1", self._port, reuse_port=True
        )
        self.listening.set_result(asyncio.get_running_loop())
        await self._stopping.wait()
        server.close()
        for transport in list(self._transports):
            transport.send_close(WSCloseCode.GOING_AWAY)
            transport.disconnect()
            await transport.wait_disconnected()
        await server.wait_closed()


class Member(WSListener):
    """One connection of a worker."""

    def __init__(self, transports: set[WSTransport]) -> None:
        self._transports = transports

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transports.add(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._transports.discard(transport)


async def talk(workers: list[Worker], port: int) -> None:
    """Connect, receive the messages of the workers, and wait for their end."""
    clients = [await ws_connect(WSMessageReader, f"ws://127.0.0.1:{port}/") for _ in range(CLIENTS)]
    for worker in workers:
        worker.announce("closing time")
    print([await reader.recv() for _, reader in clients].count("closing time"), "were told")
    for worker in workers:
        worker.stop()
    for transport, _ in clients:
        await transport.wait_disconnected()
    print("all gone")


def main() -> None:
    """Start the workers, talk to them, and wait for their end."""
    with socket.socket() as reserved:  # it reserves the port, but does not listen
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        workers = [Worker(port) for _ in range(THREADS)]
        for worker in workers:
            worker.start()
            worker.listening.result()
        asyncio.run(talk(workers, port))
        for worker in workers:
            worker.join()


if __name__ == "__main__":
    main()
