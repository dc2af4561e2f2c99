"""The base of the protocols of client and server: `WebSocketCommonProtocol`.

It is a connection of `wscompat.asyncio` with the names, the arguments and the exceptions of the
older API, and an `asyncio.Protocol` at the same time. Its handshake belongs to the subclasses.
"""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import AsyncIterable, Iterable, Sequence
from typing import Any, ClassVar, NoReturn

from ..asyncio.broadcast import broadcast as send_to_all
from ..asyncio.connection import Connection
from ..asyncio.extension_connection import with_mixin
from ..datastructures import Headers
from ..exceptions import ConcurrencyError, ConnectionClosed, InvalidState
from ..fragments import fragments_of, iterate
from ..frames import Close, CloseCode
from ..protocol import State
from ..typing import Data, DataLike, LoggerLike, Subprotocol
from .close_timer import CloseTimer
from .engine import Engine, PeerHandshake, core_request, core_response

__all__ = ["WebSocketCommonProtocol", "broadcast"]

_CLOSE_TIMEOUT = 10  # seconds


class _NotConnected:
    """Stands for wscore's transport until there is one."""

    is_open = False
    is_writing_paused = False
    close_handshake = None
    lost_exception = None


class WebSocketCommonProtocol(Connection, asyncio.Protocol):
    """A WebSocket connection.

    Args:
        logger: where to log; ``websockets.protocol`` if None.
        ping_interval: seconds between keepalive pings; None for none.
        ping_timeout: seconds to wait for the answer of one, after which the connection is closed
            with code 1011; None for no limit.
        close_timeout: seconds for each step of closing: the answer to the CLOSE, the end of the TCP
            connection by the server, the delivery of sent data. So `close` takes at
            most four times as long on a server, and five times on a client. 10 if None.
        max_size: bytes of a received message; None for no limit.
        max_queue: received messages at which reading pauses, as it does at 1 MiB of them; None for
            no limit.
        read_limit: accepted for programs that give it, and without effect: the connections of a
            loop share one receive buffer.
        write_limit: bytes waiting to be sent at which `send` waits.
        host: the value of the deprecated attribute of this name.
        port: the value of the deprecated attribute of this name.
        secure: the value of the deprecated attribute of this name.
        legacy_recv: whether `recv` returns None when the connection is closed; deprecated.
        loop: accepted and without effect; deprecated.
        timeout: the former name of `close_timeout`; deprecated.

    Attributes:
        logger: where this connection logs: an adapter that adds the connection to each record.
        path: of the handshake request, query included.
        request_headers: of the handshake request.
        response_headers: of the handshake response.
        subprotocol: the subprotocol that was agreed on, or None.
        origin: the ``Origin`` of the request, or None.
        peer_handshake: the peer's part of the handshake.
    """

    is_client: ClassVar[bool]
    side: ClassVar[str] = "undefined"

    transport: Any = None  # an asyncio.Transport, once there is one
    subprotocol: Subprotocol | None = None
    origin: str | None = None
    path: str
    available_extensions: Sequence[Any] | None = None
    request_headers: Headers
    response_headers: Headers
    _is_upgraded = False

    def __init__(
        self,
        *,
        logger: LoggerLike | None = None,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = None,
        max_size: int | None = 2**20,
        max_queue: int | None = 2**5,
        read_limit: int = 2**16,
        write_limit: int = 2**16,
        host: str | None = None,
        port: int | None = None,
        secure: bool | None = None,
        legacy_recv: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
        timeout: float | None = None,
    ) -> None:
        if legacy_recv:
            _deprecated("legacy_recv is deprecated")
            self.__dict__["recv"] = self._recv_or_none
        if timeout is not None:
            _deprecated("rename timeout to close_timeout")
        if loop is not None:
            _deprecated("remove loop argument")
        if close_timeout is None:
            close_timeout = _CLOSE_TIMEOUT if timeout is None else timeout
        if logger is None:
            logger = logging.getLogger("websockets.protocol")
        super().__init__(
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=close_timeout,
            max_queue=max_queue,
            write_limit=write_limit,
            logger=logger,
        )
        self._transport = _NotConnected()
        self.loop = self._loop
        self.max_size = self._max_size = max_size
        self.max_queue = max_queue
        self.read_limit = read_limit
        self.write_limit = write_limit
        self.legacy_recv = legacy_recv
        self.extensions: list[Any] = []
        self._host = host
        self._port = port
        self._secure = secure
        self.peer_handshake = PeerHandshake(self.loop)
        self._engine: Engine | None = None
        self._closing: CloseTimer | None = None  # once closing has begun
        self.connection_lost_waiter: asyncio.Future[None] = self.loop.create_future()

    # -- properties

    @property
    def state(self) -> State:
        """The state of the connection."""
        if not self._closed and not self._is_upgraded:
            return State.CONNECTING
        return super().state

    @property
    def open(self) -> bool:
        """Whether the connection is open, neither opening nor closing."""
        return self.state is State.OPEN

    @property
    def closed(self) -> bool:
        """Whether the connection is closed, and not just closing."""
        return self.state is State.CLOSED

    @property
    def local_address(self) -> Any:
        """The address of this side, in the form of `socket.socket.getsockname`; None before."""
        return None if self.transport is None else self.transport.get_extra_info("sockname")

    @property
    def remote_address(self) -> Any:
        """The address of the other side, as of `socket.socket.getpeername`; None before."""
        return None if self.transport is None else self.transport.get_extra_info("peername")

    @property
    def host(self) -> str | None:
        """The host that was given to connect to or to listen on; deprecated."""
        _deprecated(f"use {self._addresses}[0] instead of host")
        return self._host

    @property
    def port(self) -> int | None:
        """The port that was given to connect to or to listen on; deprecated."""
        _deprecated(f"use {self._addresses}[1] instead of port")
        return self._port

    @property
    def secure(self) -> bool | None:
        """Whether the connection uses TLS; deprecated."""
        _deprecated("don't use secure")
        return self._secure

    @property
    def _addresses(self) -> str:
        return "remote_address" if self.is_client else "local_address"

    @property
    def close_rcvd(self) -> Close | None:
        """The CLOSE that was received, or None."""
        return self.connection_closed_exc().rcvd

    @property
    def close_sent(self) -> Close | None:
        """The CLOSE that was sent, or None."""
        return self.connection_closed_exc().sent

    @property
    def close_rcvd_then_sent(self) -> bool | None:
        """If there are both, whether the peer's was first."""
        return self.connection_closed_exc().rcvd_then_sent

    def connection_closed_exc(self) -> ConnectionClosed:
        """Return the exception for calls on a connection that has ended."""
        return self.close_exc

    async def ensure_open(self) -> None:
        """Return if messages can be sent.

        Raises:
            ConnectionClosed: if the connection is closed; if it is closing, this waits for the end.
            InvalidState: if it is not open yet.
        """
        if not self._transport.is_open:
            await self._raise_closed()

    async def _raise_closed(self) -> NoReturn:
        if self.state is State.CONNECTING:
            raise InvalidState("the WebSocket connection is not established yet")
        await super()._raise_closed()

    # -- in

    async def _recv_or_none(self) -> Data | None:
        try:
            return await type(self).recv(self)
        except ConnectionClosed:
            return None

    def on_incomplete_message(self) -> None:
        """Ignore that a CLOSE came within a fragmented message; it is answered like any other."""

    def concurrency_error(self, name: str) -> ConcurrencyError:
        """Return the exception for a concurrent call of `recv`."""
        return ConcurrencyError(
            "cannot call recv while another coroutine is already waiting for the next message"
        )

    # -- out

    async def send(  # type: ignore[override]
        self, message: DataLike | Iterable[DataLike] | AsyncIterable[DataLike]
    ) -> None:
        """Send a message, and wait while too much is waiting to be sent.

        Args:
            message: a `str` for a text message, bytes-like for a binary one, or an iterable or
                asynchronous iterable of either: the fragments of one message, each sent as it
                comes.

        Raises:
            ConnectionClosed: if the connection is closed.
            TypeError: if the message is of another type.
        """
        await super().send(message)

    async def _send_fragments(
        self, message: Iterable[DataLike] | AsyncIterable[DataLike], text: bool | None
    ) -> None:
        await self._wait_for_fragments()
        fragments = iterate(message, "data must be str, bytes-like, or iterable")
        try:
            first = await anext(fragments)
        except StopAsyncIteration:
            return
        if not isinstance(first, DataLike):
            raise _type_error(first)
        await self._wait_for_fragments()  # another one may have begun during the first part
        await self._send_all(fragments_of(first, fragments, text, _type_error, copies_views=False))

    def _fail_fragments(self) -> None:
        self.fail_connection(CloseCode.INTERNAL_ERROR)

    # -- the end

    async def close(  # type: ignore[override]
        self, code: CloseCode | int = CloseCode.NORMAL_CLOSURE, reason: str = ""
    ) -> None:
        """Close the connection, and wait until it is gone. Closing it again only waits.

        Args:
            code: the close code.
            reason: the close reason, at most 123 bytes of UTF-8.

        Raises:
            ProtocolError: if the code must not be sent, or the reason is too long.
        """
        if self.state is State.CONNECTING:
            self.fail_connection()
        else:
            self._start_closing(code, reason)
        await self.wait_closed()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone."""
        if self.transport is None:
            await asyncio.shield(self.connection_lost_waiter)
        else:
            await super().wait_closed()

    def fail_connection(
        self, code: CloseCode | int = CloseCode.ABNORMAL_CLOSURE, reason: str = ""
    ) -> None:
        """Fail the connection, without waiting for the closing handshake.

        Args:
            code: the close code to send, if the connection is open; none is sent for 1006.
            reason: the close reason.
        """
        if self.transport is None or self._closed:
            return
        if self.state is State.CONNECTING:
            self._transport.fail(0)  # an answer that was sent can still be read
        elif code == CloseCode.ABNORMAL_CLOSURE:
            self._transport.disconnect()
        else:
            self._transport.fail(code, reason or None)
        self._closing_timer().after_failure()

    def _start_close_timer(self) -> None:
        """Start the timer of closing; if the peer has answered, of the remaining steps."""
        if self._closed:
            return
        if self.is_client and self._transport.close_handshake.recv is None:
            self._closing_timer().after_close_of_a_client()
        else:
            self._closing_timer().after_close()

    def _closing_timer(self) -> CloseTimer:
        if self._closing is None:
            self._closing = CloseTimer(self)
        return self._closing

    # -- callbacks of asyncio, some of them through the engine

    def connection_open(self) -> None:
        """Complete the opening handshake.

        Raises:
            ConnectionResetError: if the connection was lost or given up meanwhile.
        """
        if self._closed or self._closing is not None or self._transport.is_disconnected:
            raise ConnectionResetError("the connection was lost during the opening handshake")
        engine = self.as_core()
        if not engine.can_compress():
            # Extensions are in a class of their own, so that connections without them do not pay
            # for them.
            self.__class__ = with_mixin(type(self))
            self.extend(self.max_size, extensions=self.extensions)  # type: ignore[attr-defined]
        self._is_upgraded = True
        engine.open(
            core_request(self.path, self.request_headers), core_response(self.response_headers)
        )

    def as_core(self) -> Engine:
        """Return the engine that stands for this protocol on sockets of wscore."""
        self._check_initialized()
        if self._engine is None:
            self._engine = Engine(self)
        return self._engine

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Attach the transport of a new TCP connection.

        Args:
            transport: one of wscore, or any `asyncio.Transport`.
        """
        self.transport = transport
        engine = self.as_core()
        engine.attach(transport)
        self._transport = engine.transport

    def pause_writing(self) -> None:
        """Make senders wait, and inform the engine if the call does not come from it."""
        super().pause_writing()
        if self._engine is not None and not self._transport.is_writing_paused:
            self._engine.pause_writing()

    def resume_writing(self) -> None:
        """Resume senders, in the same way."""
        super().resume_writing()
        if self._engine is not None and self._transport.is_writing_paused:
            self._engine.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Parse received bytes; on sockets of wscore the engine receives them itself."""
        self.as_core().feed(data)

    def eof_received(self) -> bool:
        """Handle the end of the stream that the peer sends."""
        return self.as_core().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Handle the end of the TCP connection.

        Args:
            exc: why, or None.
        """
        self._closed = True
        if self._closing is not None:
            self._closing.stop()
        self.as_core().detach(exc)
        self._closing = self._engine = None  # they refer to this object: break the cycle
        if not self.connection_lost_waiter.done():
            self.connection_lost_waiter.set_result(None)


def broadcast(
    websockets: Iterable[WebSocketCommonProtocol],
    message: DataLike,
    raise_exceptions: bool = False,
) -> None:
    """Send a message to many connections, waiting for none of them.

    Args:
        websockets: where to; those that are not open are passed over.
        message: a `str` for a text message, bytes-like for a binary one.
        raise_exceptions: whether connections in the middle of a fragmented message, which are
            passed over too, are reported by an exception; otherwise they are logged.

    Raises:
        TypeError: if the message is of another type.
        ExceptionGroup: of a `RuntimeError` for each connection in the middle of a message.
    """
    if not isinstance(message, DataLike):
        raise _type_error(message)
    connected = [websocket for websocket in websockets if websocket.transport is not None]
    send_to_all(connected, message, raise_exceptions=raise_exceptions)


def _type_error(fragment: object, is_first: bool = True) -> TypeError:
    """Return the exception for a message or fragment of a wrong type."""
    if isinstance(fragment, DataLike) and not is_first:
        return TypeError("data contains inconsistent types")
    return TypeError("data must be str or bytes-like")


def _deprecated(text: str) -> None:
    warnings.warn(text, DeprecationWarning, stacklevel=3)
