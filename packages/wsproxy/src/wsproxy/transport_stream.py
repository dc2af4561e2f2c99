"""A stream on an asyncio transport: for connections that are no plain socket, that is, for TLS.

What arrives is kept until it is asked for, and what is left at the end is handed to the protocol
that takes the transport over: no byte and no event may get lost on the way.
"""

import asyncio
import socket
from typing import cast

from .feed_protocol import deliver

__all__ = ["TransportStream"]

# Bytes that may wait here before the transport is told to stop reading.
_HIGH_WATER = 64 * 1024


class TransportStream(asyncio.Protocol):
    """A stream, and the protocol of the transport it reads from until `hand_over()`.

    Args:
        sock: the socket at the bottom of the transport.

    Attributes:
        transport: what the data goes through, from `connection_made()` on.
        socket: the socket at the bottom; only `abort()` touches it.
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

    # --- what the transport tells ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Keep the data; stop reading when nobody takes it."""
        self._buffer += data
        self._news.set()
        if len(self._buffer) > _HIGH_WATER:
            self.transport.pause_reading()

    def eof_received(self) -> None:
        """Note that nothing more will come."""
        self._ended = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the connection is gone, and why."""
        if self._successor is not None:
            # TLS transports choose whom to tell some time before they tell.
            self._successor.connection_lost(exc)
            return
        self._ended = self._lost = True
        self._error = exc
        self._news.set()

    # --- what the steps do ---

    async def send(self, data: bytes) -> None:
        """Send the data (a request, so it is short). Raises `OSError` if the connection is lost."""
        if self._lost or self.transport.is_closing():
            raise ConnectionResetError("the connection is lost")
        self.transport.write(data)

    async def receive(self, limit: int) -> bytes:
        """Wait for data and return at most `limit` bytes; empty if the peer has hung up.

        Raises:
            OSError: the connection was lost with an error, and all that came before has been read.
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
        """Put back what was received last but belongs to the next step."""
        self._buffer[:0] = data

    def abort(self) -> None:
        """Close at once. Harmless when it is closed already."""
        # asyncio's own transports cannot be aborted once they are gone.
        if self.socket.fileno() != -1:
            self.transport.abort()
            self.socket.close()

    # --- the end ---

    def hand_over(self, protocol: asyncio.BaseProtocol) -> None:
        """Make the protocol the transport's, and tell it all that has happened so far.

        It is told in the order of a new connection: made, data, end, lost.
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
    """Tell a protocol that the peer has ended; as with any transport, it may keep it open."""
    if not cast(asyncio.Protocol, protocol).eof_received():
        transport.close()
