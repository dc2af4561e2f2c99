"""The link between a protocol of this API and wscore: bytes in, the handshake, then frames.

A protocol object of this API is an `asyncio.Protocol` that programs subclass; its methods
``connection_made`` and ``connection_lost`` are called for every connection, however it was made. On
sockets that wscore opens, the engine stands in front of the protocol, so that wscore's transport
reads into its buffer; on other transports the protocol passes received data to the engine.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from wscore.connection.protocol import ProtocolOptions, WSProtocolCore
from wscore.handshake.http import WSUpgradeRequest, WSUpgradeResponse
from wscore.handshake.http_reader import RequestReader, ResponseReader

from ..datastructures import Headers
from ..limits import MAX_FRAGMENTS
from ..timeouts import core_timeout
from .deflate_parameters import agreed_parameters, core_deflate

if TYPE_CHECKING:
    from .protocol import WebSocketCommonProtocol

__all__ = ["Engine", "PeerHandshake", "core_request", "core_response"]

_HELD_BACK = 64 * 1024  # bytes


class PeerHandshake:
    """The peer's request or response, to be awaited.

    Waiting may be given up, and begun again.

    Args:
        loop: the loop of the connection.
    """

    __slots__ = ("_found", "_loop", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._found: WSUpgradeRequest | WSUpgradeResponse | Exception | None = None
        self._waiter: asyncio.Future[None] | None = None

    async def read(self) -> WSUpgradeRequest | WSUpgradeResponse:
        """Wait for the message, and return it; raise if it will never come."""
        while self._found is None:
            self._waiter = self._loop.create_future()
            await self._waiter
        if isinstance(self._found, Exception):
            raise self._found
        return self._found

    def is_known(self) -> bool:
        """Return whether it has come, or never will."""
        return self._found is not None

    def has_come(self) -> bool:
        """Return whether it has come, and is well-formed."""
        return self._found is not None and not isinstance(self._found, Exception)

    def set(self, found: WSUpgradeRequest | WSUpgradeResponse | Exception) -> None:
        """Set the message, or the reason why it will never come.

        Args:
            found: it, or why there is none.
        """
        self._found = found
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Engine(WSProtocolCore, asyncio.BufferedProtocol):
    """The wscore side of one protocol object.

    Args:
        owner: the protocol object.
    """

    def __init__(self, owner: WebSocketCommonProtocol) -> None:
        options = ProtocolOptions(
            owner.loop,
            owner.logger,
            disconnect_on_exception=True,
            enable_auto_pong=True,
            max_frame_size=owner.max_size,
            max_message_size=owner.max_size,
            max_fragments=MAX_FRAGMENTS,
            disconnect_timeout=core_timeout(owner.close_timeout),
            deflate=core_deflate(owner.available_extensions),
        )
        super().__init__(options)
        self._owner = owner
        self._is_open = False
        self._held = bytearray()  # received on another transport, after the peer's headers
        self._has_paused = False
        self._reader: RequestReader | ResponseReader
        self._reader = ResponseReader() if owner.is_client else RequestReader()
        self._handshake = owner.peer_handshake

    # -- called by the transport, when the engine stands in front

    def connection_made(self, underlying_transport: asyncio.BaseTransport) -> None:
        """Pass the call to the owner, which attaches the transport as it does with any other."""
        self._owner.connection_made(underlying_transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass the call to the owner first, as with a transport that is not of wscore."""
        self._owner.connection_lost(exc)

    # -- called by the owner

    def attach(self, transport: asyncio.BaseTransport) -> None:
        """Attach the transport of a new connection."""
        super().connection_made(transport)

    def detach(self, exc: Exception | None) -> None:
        """Detach the transport of a lost connection."""
        super().connection_lost(exc)

    def feed(self, data: bytes | bytearray) -> None:
        """Parse bytes that a transport not of wscore has received."""
        view = memoryview(data)
        while view:
            if self._is_deciding():
                self._hold(view)
                return
            with self.get_buffer(len(view)) as room:
                size = min(len(room), len(view))
                room[:size] = view[:size]
            self.buffer_updated(size)
            view = view[size:]

    def can_compress(self) -> bool:
        """Return whether wscore implements everything that was agreed on about extensions."""
        extensions, is_client = self._owner.extensions, self._owner.is_client
        if not extensions:
            return True
        return self.deflate is not None and agreed_parameters(extensions, is_client) is not None

    def _is_deciding(self) -> bool:
        """Return whether the peer's message has come, and its frames must wait for `open`."""
        return not self._is_open and self._handshake.has_come()

    def _hold(self, view: memoryview) -> None:
        """Keep bytes for later; no more are read than may follow a handshake."""
        self._held += view
        transport = self._owner.transport
        if len(self._held) >= _HELD_BACK and not self._has_paused:
            self._has_paused = True
            transport.pause_reading()

    def open(self, request: WSUpgradeRequest, response: WSUpgradeResponse) -> None:
        """Complete the handshake, and parse frames from here on.

        Args:
            request: of the handshake.
            response: of the handshake.
        """
        agreed = None
        if self.can_compress():
            agreed = agreed_parameters(self._owner.extensions, self._owner.is_client)
        rsv_allowed = 7 if self._owner.is_extended else 0
        self._is_open = True
        if self._has_paused:
            self._owner.transport.resume_reading()
        self.upgraded(self._owner, request, response, rsv_allowed, agreed)
        self.resume_input()
        held, self._held = self._held, bytearray()
        self.feed(held)

    # -- methods that wscore's protocol calls

    def is_client_side(self) -> bool:
        """Return whether this side is the client."""
        return self._owner.is_client

    def start(self) -> None:
        """Do nothing: the owner begins the handshake."""

    def handshake_received(self, data: bytes) -> int:
        """Parse the peer's headers; data after them is held back until `open`."""
        if self._handshake.is_known():  # it was malformed; the connection is being closed
            return len(data)
        try:
            result = self._reader.feed(data)
        except Exception as exc:
            self._handshake.set(exc)
            return len(data)
        if result is None:
            return len(data)
        message, consumed = result
        # A server may end the connection right after its response, and both be here before the task
        # that waits for the response has run. The end of a client means that it has given up.
        self.hold_input(with_end=self._owner.is_client)
        self._handshake.set(message)
        return consumed

    def handshake_lost(self, exc: Exception | None) -> None:
        """Handle the loss of the connection before the handshake was complete."""
        if self._handshake.is_known():
            return
        # A response whose body was to end with the connection is complete with it.
        end = self._reader.end() if isinstance(self._reader, ResponseReader) else None
        self._handshake.set(
            end or exc or EOFError("connection closed during the opening handshake")
        )


def core_request(path: str, headers: Headers) -> WSUpgradeRequest:
    """Make a request in wscore's form.

    Args:
        path: its target.
        headers: its header fields.
    """
    return WSUpgradeRequest(b"GET", path.encode("latin-1"), b"HTTP/1.1", headers._to_core())


def core_response(
    headers: Headers,
    status: HTTPStatus = HTTPStatus.SWITCHING_PROTOCOLS,
    body: bytes | None = None,
) -> WSUpgradeResponse:
    """Make a response in wscore's form.

    Args:
        headers: its header fields.
        status: its status.
        body: its body.
    """
    return WSUpgradeResponse(b"HTTP/1.1", status, headers._to_core(), body)
