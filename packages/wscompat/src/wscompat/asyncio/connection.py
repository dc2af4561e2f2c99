"""One connection, of either side: `recv`, `send`, `close`, `ping`.

The queue of messages, the frames and the state are wscore's; this file gives them the names, the
arguments and the exceptions of websockets. It must add as little as possible to `recv` and `send`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import uuid
import weakref
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Iterable
from types import TracebackType
from typing import Any, NoReturn, Self

import wscore
from wscore.messages.message_connection import WSMessageConnection

from ..exceptions import (
    ConcurrencyError,
    ConnectionClosed,
    ConnectionClosedOK,
    ProtocolError,
    TooManyFragments,
)
from ..fragments import Fragment, contiguous, fragments_of, iterate
from ..frames import Close, CloseCode
from ..http11 import Request, Response
from ..limits import MAX_FRAGMENTS, MaxQueue, MaxSize, WriteLimit, as_pair
from ..parser_errors import parser_exception
from ..protocol import State
from ..typing import BytesLike, DataLike, LoggerLike, Subprotocol
from .broadcast import broadcast
from .closed_exception import closed_exception, ended_well
from .pings import Keepalive, Pings
from .protocol_view import ProtocolView

__all__ = ["Connection", "broadcast", "check_close"]

TEXT = wscore.WSMsgType.TEXT
BINARY = wscore.WSMsgType.BINARY

_FULL_QUEUE_TIMEOUT = 1.0  # seconds that closing waits for room in a full queue
_MAX_CONTROL_SIZE = 125  # bytes (RFC 6455, 5.5)


class Connection(WSMessageConnection):
    """The base of client and server connections.

    `recv`, `recv_streaming`, ``async for`` and `send` are those of
    `wscore.messages.message_connection.WSMessageConnection`. When the connection is closed they
    raise `ConnectionClosed`, except that the loop just ends if it was closed well; when another
    task is receiving the first three raise `ConcurrencyError`.

    Args:
        ping_interval: seconds between keepalive pings; None for none.
        ping_timeout: seconds to wait for the answer of one; None for no limit.
        close_timeout: seconds for the closing handshake and the end of the TCP connection; None
            for no limit.
        max_queue: received frames at which reading pauses, or a pair of marks, high and low. It
            also pauses at 1 MiB of them.
        write_limit: bytes waiting to be sent at which `send` waits, or such a pair.
        logger: where to log.
    """

    max_joined = MAX_FRAGMENTS
    is_extended = False  # whether frames pass through extensions that are not wscore's

    # Class attributes: most connections never set them, which saves memory.
    _keepalive: Keepalive | None = None
    _close_timer: asyncio.TimerHandle | None = None
    _closed = False
    _has_failed = False  # and further data of the peer is ignored
    _max_size: MaxSize = None  # of received messages, for the exception for larger ones
    _close_cause: BaseException | None = None

    def __init__(
        self,
        *,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        max_queue: MaxQueue = 16,
        write_limit: WriteLimit = 2**15,
        logger: LoggerLike,
    ) -> None:
        super().__init__(*as_pair(max_queue))
        self._given_logger = logger
        self.ping_interval = ping_interval
        self.ping_timeout = ping_timeout
        self.close_timeout = close_timeout
        self._write_limit = as_pair(write_limit)
        self._loop = asyncio.get_running_loop()

    def _check_initialized(self) -> None:
        """Refuse an object of a class whose ``__init__`` does not call that of its base.

        Raises:
            RuntimeError: if it is one.
        """
        if "_loop" not in vars(self):
            raise RuntimeError(
                f"{type(self).__qualname__}.__init__ does not call super().__init__ with the "
                "arguments it is given"
            )

    @functools.cached_property
    def _pings(self) -> Pings:
        """The pings that have not been answered; made with the first of them."""
        return Pings(self._loop)

    # -- properties

    @functools.cached_property
    def logger(self) -> LoggerLike:
        """Where this connection logs: its records have it as their attribute ``websocket``."""
        return logging.LoggerAdapter(self._given_logger, {"websocket": weakref.proxy(self)})

    @property
    def protocol(self) -> Any:
        """The negotiated parameters and the state, under the names of `Protocol`."""
        return ProtocolView(self)

    @functools.cached_property
    def id(self) -> uuid.UUID:
        """A random identifier of this connection, for logs."""
        return uuid.uuid4()

    @property
    def transport(self) -> asyncio.Transport:  # type: ignore[override]
        """The transport of asyncio below, for its extra information; nothing may be sent by it."""
        transport: asyncio.Transport = self._transport.underlying_transport
        return transport

    @functools.cached_property
    def request(self) -> Request:
        """The request of the opening handshake."""
        return Request._from_core(self._transport.request)

    @functools.cached_property
    def response(self) -> Response:
        """The response of the opening handshake."""
        return Response._from_core(self._transport.response)

    @property
    def subprotocol(self) -> Subprotocol | None:
        """The subprotocol that was agreed on, or None."""
        value: str | None = self._transport.response.headers.get("Sec-WebSocket-Protocol")
        # It may come as a list with empty items (RFC 9110, 5.6.1.2).
        return None if value is None else Subprotocol(value.strip(" \t,"))

    @property
    def local_address(self) -> Any:
        """The address of this side, in the form of `socket.socket.getsockname`."""
        return self.transport.get_extra_info("sockname")

    @property
    def remote_address(self) -> Any:
        """The address of the other side, in the form of `socket.socket.getpeername`."""
        return self.transport.get_extra_info("peername")

    @property
    def latency(self) -> float:
        """Seconds that the latest answered ping took, keepalive pings included; 0 before any."""
        return self._pings.latency

    @property
    def state(self) -> State:
        """The state of the connection."""
        if self._closed:
            return State.CLOSED
        if super().transport is None:
            return State.CONNECTING
        return State.OPEN if self._transport.is_open else State.CLOSING

    @property
    def close_code(self) -> int | None:
        """The close code received, 1006 if there was none; None before the end."""
        if not self._closed:
            return None
        rcvd = self.close_exc.rcvd
        return CloseCode.ABNORMAL_CLOSURE if rcvd is None else rcvd.code

    @property
    def close_reason(self) -> str | None:
        """The close reason received, empty if there was none; None before the end."""
        if not self._closed:
            return None
        rcvd = self.close_exc.rcvd
        return "" if rcvd is None else rcvd.reason

    @property
    def close_exc(self) -> ConnectionClosed:
        """The exception for calls on the connection after its end."""
        exc = closed_exception(self._transport.close_handshake)
        cause = self._close_cause or self._transport.lost_exception
        if cause is None and self._closed and exc.rcvd is None and not self._has_failed:
            cause = EOFError("unexpected end of stream")
        exc.__cause__ = cause
        return exc

    # -- out

    async def _send_later(
        self, message: DataLike | Iterable[DataLike] | AsyncIterable[DataLike], text: bool | None
    ) -> None:
        if not isinstance(message, DataLike):
            await self._send_fragments(message, text)
            return
        await self._wait_for_fragments()
        if isinstance(message, str):
            self._transport.send_message(BINARY if text is False else TEXT, message)
        else:
            self._transport.send_message(TEXT if text else BINARY, contiguous(message))
        if self._drained is not None:
            await self._drain()

    async def _send_fragments(
        self, message: Iterable[DataLike] | AsyncIterable[DataLike], text: bool | None
    ) -> None:
        fragments = iterate(message, "data must be str, bytes, iterable, or async iterable")
        try:
            first = await anext(fragments)
        except StopAsyncIteration:
            return
        await self._wait_for_fragments()
        what = "async iterable" if isinstance(message, AsyncIterable) else "iterable"

        def type_error(_: object, is_first: bool) -> TypeError:
            wanted = "bytes or str" if is_first else "uniform types"
            return TypeError(f"{what} must contain {wanted}")

        await self._send_all(fragments_of(first, fragments, text, type_error, copies_views=True))

    async def _send_all(self, fragments: AsyncGenerator[Fragment]) -> None:
        """Send the frames of a message; fail the connection if it cannot be completed."""
        self._fragments_sent = self._loop.create_future()
        try:
            async with contextlib.aclosing(fragments):
                async for opcode, data, fin in fragments:
                    if not self._transport.is_open:
                        await self._raise_closed()
                    self._transport.send_message(opcode, data, fin=fin)
                    if self._drained is not None:
                        await self._drain()
        except BaseException:  # neither this message nor another can be completed
            self._fail_fragments()
            raise
        finally:
            self._fragments_sent.set_result(None)
            self._fragments_sent = None

    def _fail_fragments(self) -> None:
        if self._transport.is_open:
            self._fail(CloseCode.INTERNAL_ERROR, "error in fragmented message")

    async def _wait_for_fragments(self) -> None:
        """Wait until no message is being sent in fragments, so that another one may begin."""
        while self._fragments_sent is not None:
            await asyncio.shield(self._fragments_sent)
        if not self._transport.is_open:
            await self._raise_closed()

    async def ping(self, data: DataLike | None = None) -> Awaitable[float]:
        """Send a ping, and wait while too much is waiting to be sent.

        Args:
            data: the payload, at most 125 bytes; random if None.

        Returns:
            A future that need not be waited for: the seconds until the answer came. If the
            connection ends before it raises `ConnectionClosed`.

        Raises:
            ConnectionClosed: if the connection is closed.
            ConcurrencyError: if a ping with the same payload has not been answered.
            ProtocolError: if the payload is too long.
        """
        payload = self._pings.random_payload() if data is None else _as_bytes(data)
        if not self._transport.is_open:
            await self._raise_closed()
        _check_control_size(payload)
        waiter = self._pings.add(payload)
        self._transport.send_ping(payload)
        if self._drained is not None:
            await self._drain()
        return waiter

    async def pong(self, data: DataLike = b"") -> None:
        """Send an unsolicited pong, and wait while too much is waiting to be sent.

        Args:
            data: the payload, at most 125 bytes.

        Raises:
            ConnectionClosed: if the connection is closed.
            ProtocolError: if the payload is too long.
        """
        payload = _as_bytes(data)
        if not self._transport.is_open:
            await self._raise_closed()
        _check_control_size(payload)
        self._transport.send_pong(payload)
        if self._drained is not None:
            await self._drain()

    async def _drain(self) -> None:
        """Wait until the write buffer has room."""
        while self._drained is not None:
            await asyncio.shield(self._drained)
        if self._closed:
            raise self.close_exc

    # -- the end

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close(CloseCode.NORMAL_CLOSURE if exc_type is None else CloseCode.INTERNAL_ERROR)

    async def close(
        self, code: CloseCode | int | None = CloseCode.NORMAL_CLOSURE, reason: str = ""
    ) -> None:
        """Close the connection, and wait until it is gone. Closing it again only waits.

        A task that receives meanwhile gets all that the peer sends before its CLOSE. If the queue
        of messages stays full because no task receives, later messages are discarded.

        Args:
            code: the close code; None for a CLOSE without one.
            reason: the close reason, at most 123 bytes of UTF-8.

        Raises:
            ProtocolError: if the code must not be sent, the reason is too long, or has no code.
        """
        if self._fragments_sent is not None and self._transport.is_open:
            self._fail(CloseCode.INTERNAL_ERROR, "close during fragmented message")
        else:
            self._start_closing(code, reason)
        await self.wait_closed()

    async def wait_closed(self) -> None:
        """Wait until the connection is gone.

        Raises:
            RuntimeError: if it is not, and this is another thread than the one that runs its loop.
        """
        if not self._closed and asyncio.get_running_loop() is not self._loop:
            raise RuntimeError(
                "a connection is used only in the thread that runs its event loop; from another "
                "one use asyncio.run_coroutine_threadsafe"
            )
        with contextlib.suppress(Exception):  # recv() reports why this side has ended it
            await self._transport.wait_disconnected()

    def _start_closing(self, code: CloseCode | int | None, reason: str) -> None:
        if not self._transport.is_open:
            return
        check_close(code, reason)
        self._transport.send_close(
            wscore.WSCloseCode.NO_INFO if code is None else code, reason or None
        )
        self._discard_if_full()
        self._start_close_timer()

    def _discard_if_full(self) -> None:
        """Discard messages if the queue stays full, so that the peer's CLOSE can be read."""
        timeout = self.close_timeout
        self.discard(
            _FULL_QUEUE_TIMEOUT if timeout is None else min(_FULL_QUEUE_TIMEOUT, timeout / 2)
        )

    def _fail(self, code: CloseCode, reason: str) -> None:
        """Fail the connection, with a CLOSE that says why."""
        self._has_failed = True
        self._transport.fail(code, reason)

    def _start_close_timer(self) -> None:
        if self._close_timer is None and self.close_timeout is not None and not self._closed:
            self._close_timer = self._loop.call_later(self.close_timeout, self._close_timed_out)

    def _close_timed_out(self) -> None:
        if self._close_cause is None:
            self._close_cause = TimeoutError("timed out while closing connection")
        self._transport.disconnect(graceful=False)

    async def _raise_closed(self) -> NoReturn:
        """Wait for the end of the closing, so that all is known of it, and raise."""
        self._discard_if_full()  # the task that calls this does not receive meanwhile
        await self.wait_closed()
        raise self.close_exc

    def _is_lost(self) -> bool:
        """Return whether the connection is lost without a CLOSE of either side."""
        if self._transport.close_handshake is not None:
            return False
        return self._closed or bool(self.transport.is_closing())

    def _is_ending(self) -> bool:
        """Return whether the peer has sent a CLOSE, or ended the connection, read or not."""
        return not self._transport.is_open or self._transport.peer_has_ended

    def _sending_transport(self, transport: wscore.WSTransport) -> wscore.WSTransport:
        """Return the transport that this connection sends with."""
        return transport

    # -- callbacks of wscore

    def on_ws_connected(self, transport: wscore.WSTransport) -> None:
        """Start the connection, which is open."""
        super().on_ws_connected(transport)
        self._transport = self._sending_transport(transport)
        transport.underlying_transport.set_write_buffer_limits(*self._write_limit)
        if self.ping_interval is not None:
            self._keepalive = Keepalive(
                self, transport, self._loop, self.ping_interval, self.ping_timeout
            )

    def send_keepalive_ping(self) -> asyncio.Future[float]:
        """Send a ping with a random payload, and return the future of its answer."""
        payload = self._pings.random_payload()
        waiter = self._pings.add(payload)
        self._transport.send_ping(payload)
        return waiter

    def keepalive_timed_out(self) -> None:
        """Fail the connection, since a ping was not answered in time."""
        self._fail(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")

    def on_pong(self, payload: bytes) -> None:
        """Handle a pong."""
        if "_pings" in vars(self):
            self._pings.answered(payload)

    def on_close(self) -> None:
        """Handle a CLOSE that was received and answered."""
        below = self._transport.underlying_transport
        is_about_to_end = self._transport.is_disconnected and not self._transport.is_secure
        if not is_about_to_end or below.get_write_buffer_size():
            self._start_close_timer()

    def on_incomplete_message(self) -> None:
        """Handle a CLOSE that was received within a fragmented message."""
        self._close_cause = exc = ProtocolError("incomplete fragmented message")
        self._transport.send_close(CloseCode.PROTOCOL_ERROR, str(exc))

    def closed_error(self) -> ConnectionClosed:
        """Return the exception that `recv` raises when there will be no further message."""
        return self.close_exc

    def concurrency_error(self, name: str) -> ConcurrencyError:
        """Return the exception for a concurrent call of `recv` or `recv_streaming`."""
        return ConcurrencyError(
            f"cannot call {name} while another coroutine is already running recv or recv_streaming"
        )

    def decode_error(self, exc: UnicodeDecodeError) -> ConnectionClosed:
        """End the connection and return the exception for a message that is not UTF-8."""
        self._close_cause = exc
        self._fail(CloseCode.INVALID_DATA, f"{exc.reason} at position {exc.start}")
        return self.close_exc

    def fragments_error(self, limit: int) -> ConnectionClosed:
        """End the connection and return the exception for a message of too many fragments."""
        self._close_cause = TooManyFragments(limit)
        self._fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
        return self.close_exc

    def fault_reason(self, code: int, text: str, name: str | None) -> str:
        """Return the close reason for an error of the peer, and keep the error as the cause."""
        if self._close_cause is None:
            message, fragment = as_pair(self._max_size)
            is_fragment = name == "FRAME_TOO_BIG" and fragment is not None
            max_size = fragment if is_fragment else message
            self._close_cause = exc = parser_exception(code, text, name, max_size)
            text = exc.reason if isinstance(exc, UnicodeDecodeError) else str(exc)
        return text

    def closed_well(self) -> bool:
        """Return whether iteration over the messages ends without an exception."""
        return ended_well(self._transport.close_handshake)

    def ends_iteration(self, exc: Exception) -> bool:
        """Return whether iteration ends if an overridden `recv` has raised this."""
        return isinstance(exc, ConnectionClosedOK)

    def pause_writing(self) -> None:
        """Make senders wait, since the write buffer is full."""
        if self._drained is None:
            self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        """Resume senders, since the write buffer has room."""
        if self._drained is not None:
            self._drained.set_result(None)
            self._drained = None

    def on_ws_disconnected(self, transport: wscore.WSTransport) -> None:
        """Release what belongs to the connection, which has ended."""
        self._closed = True
        if self._close_timer is not None:
            self._close_timer.cancel()
        if self._keepalive is not None:
            self._keepalive.stop()
            self._keepalive = None  # it refers to the connection: break the cycle
        self.resume_writing()
        if "_pings" in vars(self):
            self._pings.fail(self.close_exc)
        super().on_ws_disconnected(transport)


@functools.lru_cache(maxsize=16)  # most connections are closed for the same few reasons
def check_close(code: CloseCode | int | None, reason: str) -> None:
    """Raise `ProtocolError` if a CLOSE cannot have this code and reason."""
    if code is not None:
        _check_control_size(Close(code, reason).serialize())
    elif reason:
        raise ProtocolError("cannot send a reason without a code")


def _as_bytes(data: DataLike) -> bytes:
    if isinstance(data, str):
        return data.encode()
    if isinstance(data, BytesLike):
        return bytes(data)
    raise TypeError("data must be str or bytes-like")


def _check_control_size(payload: bytes) -> None:
    if len(payload) > _MAX_CONTROL_SIZE:
        raise ProtocolError("control frame too long")
