"""Peers that are only sockets: a server that answers with given bytes, a client that sends them."""

import asyncio
import base64
import contextlib
import hashlib
import re
import ssl
from collections.abc import AsyncIterator

from tests.wscompat.libraries import BOUND, port_of

ACCEPTED = (
    b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %KEY\r\n"
)
REQUEST = (
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n"
)
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class RawServer:
    """A server that reads a request, sends a fixed answer, and hangs up or waits.

    Args:
        answer: the bytes it sends.
        stays: whether it waits for the end of what the client sends; with None, only until the
            client sends something.
        tls: for TLS, where hanging up ends both directions.

    Attributes:
        uri: where it is.
        port: its port.
        requests: the requests it received.
        received: the data after them.
    """

    def __init__(
        self, answer: bytes, stays: bool | None, tls: ssl.SSLContext | None = None
    ) -> None:
        self.requests: list[bytes] = []
        self.received = b""
        self.port = 0
        self._answer = answer
        self._stays = stays
        self._scheme = "ws" if tls is None else "wss"

    @property
    def uri(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}/"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # An SSLError: Python's TLS takes nothing more once it has ended its own direction.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head)
            key = re.search(rb"Sec-WebSocket-Key: (\S+)", head)
            assert key is not None
            accept = base64.b64encode(hashlib.sha1(key[1] + _GUID).digest())
            writer.write(self._answer.replace(b"%KEY", accept))
            if self._stays is False and writer.can_write_eof():
                writer.write_eof()
            elif self._stays is False:
                writer.close()
            while data := await reader.read(65536):
                self.received += data
                if self._stays is None:
                    break
        writer.close()


@contextlib.asynccontextmanager
async def raw_server(
    answer: bytes, *, stays: bool | None = False, tls: ssl.SSLContext | None = None
) -> AsyncIterator[RawServer]:
    """Run a server that gives every client the same answer; ``%KEY`` is put in by it."""
    raw = RawServer(answer, stays, tls)
    tasks: list[asyncio.Task[None]] = []

    def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.append(asyncio.ensure_future(raw.talk(reader, writer)))

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    raw.port = port_of(server)
    try:
        yield raw
    finally:
        server.close()
        if tasks:
            _, pending = await asyncio.wait(tasks, timeout=BOUND)
            assert not pending
            for task in tasks:
                task.result()


class RawClient:
    """A client that sends bytes and reads bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def head(self) -> bytes:
        """Return the next status line and headers."""
        async with asyncio.timeout(BOUND):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def rest(self) -> bytes:
        """Return all data until the end."""
        async with asyncio.timeout(BOUND):
            return await self.reader.read()


@contextlib.asynccontextmanager
async def raw_client(port: int, sent: bytes = b"") -> AsyncIterator[RawClient]:
    """Connect to a server and send something."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(sent)
    try:
        yield RawClient(reader, writer)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
