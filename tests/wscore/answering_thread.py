"""A peer in a thread, which answers pings also while the event loop is busy."""

import asyncio
import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import AsyncIterator, Callable

from tests.wscore import wire
from tests.wscore.raw_peer import BOUND
from tests.wscore.wire import PING, PONG, F


class AnsweringClient:
    """A client that answers each ping when `before_pong` has returned.

    Args:
        port: of the server.
        context: for TLS, or None.
        before_pong: called in the thread, for each ping.

    Attributes:
        pings: how many came.
        answers: released once for each of them, when it was answered.
    """

    def __init__(
        self, port: int, context: ssl.SSLContext | None, before_pong: Callable[[], object]
    ) -> None:
        self.pings = 0
        self.answers = threading.Semaphore(0)
        self._before_pong = before_pong
        self._sock = socket.create_connection(("127.0.0.1", port), BOUND)
        self._context = context
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> None:
        """End the thread, and the connection."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(BOUND)
        self._sock.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError, EOFError):
            if self._context is not None:
                self._sock = self._context.wrap_socket(self._sock, server_hostname="127.0.0.1")
            self._sock.sendall(wire.request())
            while b"\r\n\r\n" not in self._sock.recv(65536):
                pass
            while True:
                first, second = self._exactly(2)
                size = second & 0x7F
                if size == 126:
                    (size,) = struct.unpack("!H", self._exactly(2))
                payload = self._exactly(size)
                if first & 0x0F == PING:
                    self.pings += 1
                    self._before_pong()
                    try:
                        self._sock.sendall(F(PONG, payload).wire(masked=True))
                    finally:
                        self.answers.release()

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._sock.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data


@contextlib.asynccontextmanager
async def answering(
    port: int, context: ssl.SSLContext | None, before_pong: Callable[[], object]
) -> AsyncIterator[AnsweringClient]:
    """Run such a client."""
    client = AnsweringClient(port, context, before_pong)
    try:
        yield client
    finally:
        await asyncio.to_thread(client.close)  # it may be waiting for the loop
