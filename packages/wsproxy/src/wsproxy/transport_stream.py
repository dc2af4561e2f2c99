"""A stream on an asyncio transport, for connections that are not a plain socket, that is, for TLS.

Received data is kept until it is requested, and the rest is passed to the protocol that takes over
the transport: no byte and no event may get lost.
"""

import asyncio
import socket
from typing import cast

from .feed_protocol import deliver

__all__ = ["TransportStream"]

# Maximum number of bytes that wait here before reading is paused.
_HIGH_WATER = 64 * 1024


class TransportStream(asyncio.Protocol):
    """A stream, and the protocol of the transport it reads from until `hand_over()`.

    Args:
        sock: the underlying socket of the transport.

    Attributes:
        transport: the transport, from `connection_made()` on.
        socket: the underlying socket; only `abort()` uses it.
    """

    def __init__(self, sock: socket.socket) -> None:
        self.transport: asyncio.Transport
        self.socket = sock
        self._buffer = bytearray()
        self._ended = False
        self._lost = False
        self._error: Exception | None = None
        self._news = asyncio.Event()
        self._successor: asyncio.BaseProtocol | None = None

    # -- called by the transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Store the data; pause reading if too much is waiting."""
        self._buffer += data
        self._news.set()
        if len(self._buffer) > _HIGH_WATER:
            self.transport.pause_reading()

    def eof_received(self) -> None:
        """Record that no more data will arrive."""
        self._ended = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Record that the connection is lost, and why."""
        if self._successor is not None:
            # TLS transports choose the protocol some time before they call it.
            self._successor.connection_lost(exc)
            return
        self._ended = self._lost = True
        self._error = exc
        self._news.set()

    # -- called by the steps

    async def send(self, data: bytes) -> None:
        """Send the data (a short request). Raises `OSError` if the connection is lost."""
        if self._lost or self.transport.is_closing():
            raise ConnectionResetError("the connection is lost")
        self.transport.write(data)

    async def receive(self, limit: int) -> bytes:
        """Wait for data and return at most `limit` bytes; empty if the peer has closed.

        Raises:
            OSError: the connection was lost with an error, and all earlier data has been read.
        """
        while not self._buffer and not self._ended:
            self._news.clear()
            await self._news.wait()
        if self._buffer:
            data = bytes(self._buffer[:limit])
            del self._buffer[:limit]
            if not self._lost:
                self.transport.resume_reading()
            return data
        if self._error is not None:
            raise ConnectionResetError(f"the connection is lost: {self._error}") from self._error
        return b""

    def give_back(self, data: bytes) -> None:
        """Put back received data that belongs to the next step."""
        self._buffer[:0] = data

    def abort(self) -> None:
        """Close at once. Has no effect if it is already closed."""
        # asyncio's own transports cannot be aborted after connection_lost().
        if self.socket.fileno() != -1:
            self.transport.abort()
            self.socket.close()

    # -- hand-over

    def hand_over(self, protocol: asyncio.BaseProtocol) -> None:
        """Set the transport's protocol, and report all earlier events to it.

        The order is that of a new connection: made, data, end, lost.
        """
        self._successor = protocol
        self.transport.set_protocol(protocol)
        protocol.connection_made(self.transport)
        if self._buffer:
            data = bytes(self._buffer)
            self._buffer.clear()
            deliver(protocol, data)
        if self._lost:
            protocol.connection_lost(self._error)
        elif self._ended:
            _end(protocol, self.transport)
        elif not self.transport.is_closing():
            self.transport.resume_reading()


def _end(protocol: asyncio.BaseProtocol, transport: asyncio.Transport) -> None:
    """Call a protocol's `eof_received()`, which may keep the transport open, as always."""
    if not cast(asyncio.Protocol, protocol).eof_received():
        transport.close()
