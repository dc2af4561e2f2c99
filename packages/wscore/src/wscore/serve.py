"""The server: accepting connections, and answering requests that do not ask for an upgrade."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

from .connection.auto_ping import auto_ping_maker
from .connection.listener import WSListener
from .connection.message_base import WSMessageBase, check_unused
from .connection.protocol import (
    DISCONNECT_TIMEOUT,
    MAX_FRAGMENTS,
    MAX_FRAME_SIZE,
    ProtocolOptions,
    WSProtocolCore,
)
from .connection.seconds import check_timeouts
from .connection.slow_calls import call_timed, name_task
from .enums import WSAutoPingStrategy
from .errors import is_ordinary
from .handshake.deflate import WSDeflate, check_deflate
from .handshake.fields import reserved_bits
from .handshake.http import (
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    last_answer,
)
from .handshake.server import RefusedRequestError, ServerHandshake
from .logs import Logger, resolve_logger
from .opening.endpoints import Server, start_server
from .opening.listener_factory import check_factory
from .opening.unix import UnixPath

__all__ = ["ws_create_server"]

Answer = WSListener | WSUpgradeResponseWithListener | None
ListenerFactory = Callable[[WSUpgradeRequest], Answer | Awaitable[Answer]]

LOOK_INTERVAL = 0.1  # the longest timer in seconds: renewed only while a handshake is pending


async def ws_create_server(
    ws_listener_factory: ListenerFactory,
    host: str | Sequence[str] | None = None,
    port: int | None = None,
    *,
    disconnect_on_exception: bool = True,
    websocket_handshake_timeout: float | None = 5,
    logger_name: str | Logger | None = None,
    enable_auto_ping: bool = False,
    auto_ping_idle_timeout: float = 20,
    auto_ping_reply_timeout: float = 20,
    auto_ping_strategy: WSAutoPingStrategy = WSAutoPingStrategy.PING_WHEN_IDLE,
    enable_auto_pong: bool = True,
    max_frame_size: int | None = MAX_FRAME_SIZE,
    max_message_size: int | None = None,
    max_fragments: int | None = MAX_FRAGMENTS,
    deflate: WSDeflate | None = None,
    read_buffer_init_size: int | None = None,
    unix_path: UnixPath | None = None,
    cleanup_socket: bool | None = None,
    busy_poll_us: int = 0,
    disconnect_timeout: float | None = DISCONNECT_TIMEOUT,
    use_aiofastnet: bool | None = None,
    disconnect_on_error: bool | None = None,
    **kwargs: Any,
) -> Server:
    """Start a WebSocket server.

    Args:
        ws_listener_factory: called with each `WSUpgradeRequest` that is well-formed and within the
            limits, regardless of its method, version, ``Host``, upgrade and body (which is not
            read). It returns one of: the listener for the connection, used only if the request is
            a valid upgrade (otherwise the client gets the status that says why not); a
            `WSUpgradeResponseWithListener` to choose the response, which need not be an upgrade
            (it is then sent with ``Connection: close``, and without its body in response to a
            HEAD); or None, for 404 if the request is a GET. If it raises, the client gets 500. It
            may return an awaitable of one of these, and thus be a coroutine function: up to 64 KiB
            of data that the client sends meanwhile are buffered, and the awaitable is cancelled if
            the connection is lost or the handshake times out. If the server is closed before the
            request arrives, or during the awaitable, the listener is not used: the client gets 503.
        host: address, addresses, or None for all interfaces.
        port: TCP port; 0 or None for any free one.
        disconnect_on_exception: whether an exception in `WSListener.on_ws_frame` closes the
            connection.
        websocket_handshake_timeout: seconds from accepting a connection to the end of its opening
            handshake, including TLS and the listener factory. Then it is closed, even if it is
            active. None for no limit except that of TLS (``ssl_handshake_timeout``, 60 seconds by
            default).
        logger_name: the last part of a logger's name under ``wscore``, or a logger or adapter.
        enable_auto_ping: whether to ping idle clients, and close if they do not reply.
        auto_ping_idle_timeout: seconds without data, or between pings, before a ping is sent.
        auto_ping_reply_timeout: seconds to wait for the reply; then the connection is closed with
            code 1011.
        auto_ping_strategy: whether received data postpones the next ping.
        enable_auto_pong: whether to answer a PING at once, without passing it to the listener.
        max_frame_size: bytes of payload; a larger frame closes the connection with code 1009. None
            for no limit.
        max_message_size: bytes of payload in all frames of a message, with the same effect.
        max_fragments: frames in a message, including empty ones, with the same effect.
        deflate: the permessage-deflate to accept, the compression of messages, if the listener is
            a `WSMessageReader` or `WSMessageListener`. None for no compression.
        read_buffer_init_size: accepted for compatibility with picows, without effect: the
            connections of a loop share one receive buffer.
        unix_path: path of a unix socket to listen on, instead of host and port; an existing socket
            is replaced. With a leading NUL it is an abstract address, as Linux has.
        cleanup_socket: whether the path of a unix socket is removed when the server is closed, if
            it is still this server's: True, even if ``sock`` is given; False; or None, only if
            `unix_path` is.
        busy_poll_us: microseconds to poll a connection for more data after a read. If the next
            message arrives within that time it saves an iteration of the loop; polling takes a
            whole core, and delays everything else in the loop. 0 for none.
        disconnect_timeout: seconds that closing may take, from `WSTransport.disconnect` or a
            failure on, while the client accepts none of the data sent; then the connection is
            aborted. None for no limit.
        use_aiofastnet: accepted for compatibility with picows, without effect: connections run on
            wscore's own transports.
        disconnect_on_error: the older name of `disconnect_on_exception`.
        **kwargs: passed on to `asyncio.loop.create_server`, including ``ssl``.

    Returns:
        The server, listening. After `close` it accepts no more connections, and `wait_closed`
        waits until its connections have ended; `close_clients` and `abort_clients` end them.

    Raises:
        OSError: if the address cannot be bound.
        TypeError: if `ssl` is not a context, a timeout is not a number, `deflate` is not a
            `WSDeflate`, or the factory cannot be called.
        ValueError: if a timeout is negative or NaN, one of auto ping, if enabled, is not positive,
            a limit is less than 1, several of host and port, `unix_path` and ``sock`` are given, or
            `ssl` is a context for clients.
    """
    check_factory(ws_listener_factory)
    check_deflate(deflate)
    loop = asyncio.get_running_loop()
    logger = resolve_logger(logger_name, "server")
    if disconnect_on_error is not None:
        disconnect_on_exception = disconnect_on_error
    check_timeouts(
        websocket_handshake_timeout=websocket_handshake_timeout,
        disconnect_timeout=disconnect_timeout,
    )
    make_auto_ping = auto_ping_maker(
        enable_auto_ping, auto_ping_strategy, auto_ping_idle_timeout, auto_ping_reply_timeout
    )

    options = ProtocolOptions(
        loop,
        logger,
        disconnect_on_exception=disconnect_on_exception,
        enable_auto_pong=enable_auto_pong,
        max_frame_size=max_frame_size,
        max_message_size=max_message_size,
        max_fragments=max_fragments,
        make_auto_ping=make_auto_ping,
        deflate=deflate,
        busy_poll_us=busy_poll_us,
        disconnect_timeout=disconnect_timeout,
    )
    serving = Serving(ws_listener_factory, Deadlines(loop, websocket_handshake_timeout))
    serving.server = await start_server(
        partial(WSServerProtocol, options, serving),
        host,
        port,
        opening_timeout=websocket_handshake_timeout,
        unix_path=unix_path,
        cleanup_socket=cleanup_socket,
        **kwargs,
    )
    return serving.server


class Serving:
    """State shared by the connections of one server.

    Args:
        listener_factory: decides about requests.
        deadlines: the time limits of the handshakes.
    """

    def __init__(self, listener_factory: ListenerFactory, deadlines: Deadlines) -> None:
        self.listener_factory = listener_factory
        self.deadlines = deadlines
        self.server: asyncio.Server | None = None

    def is_over(self) -> bool:
        """Return whether the server has been closed."""
        return self.server is not None and not self.server.is_serving()


class Deadlines:
    """The time limits of a server's handshakes, with one timer for all of them.

    A pending timer makes each iteration of asyncio's loop a third more expensive. So the timer is
    short, and is not renewed when no handshake is pending.

    Args:
        loop: the running loop.
        seconds: for each handshake; None for no limit.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float | None) -> None:
        self._loop = loop
        self._seconds = seconds
        self._pending: dict[WSProtocolCore, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def due(self) -> float:
        """Return the deadline of a connection that is accepted now."""
        return math.inf if self._seconds is None else self._loop.time() + self._seconds

    def add(self, protocol: WSProtocolCore, due: float) -> None:
        """Close a connection at its deadline.

        Args:
            protocol: its protocol, which has a transport.
            due: the deadline, from the method of this name.
        """
        if due == math.inf:
            return
        self._pending[protocol] = due
        if self._timer is None:
            self._set_timer(due)

    def remove(self, protocol: WSProtocolCore) -> None:
        """Remove a connection whose handshake has ended, or never began."""
        self._pending.pop(protocol, None)

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time()
        late = [protocol for protocol, due in self._pending.items() if due <= now]
        for protocol in late:
            self.remove(protocol)
            protocol.transport.disconnect(graceful=False)
        if self._pending and self._timer is None:
            self._set_timer(min(self._pending.values()))

    def _set_timer(self, due: float) -> None:
        self._timer = self._loop.call_at(min(due, self._loop.time() + LOOK_INTERVAL), self._expire)


class WSServerProtocol(WSProtocolCore, asyncio.BufferedProtocol):
    """The server's protocol: checks the request, and sends the response.

    Args:
        options: shared by all connections, as on clients.
        serving: shared by all connections, only on servers.
    """

    __slots__ = ("_decision", "_due", "_handshake", "_serving")

    def __init__(self, options: ProtocolOptions, serving: Serving) -> None:
        WSProtocolCore.__init__(self, options)
        self._serving = serving
        self._due = serving.deadlines.due()  # not in `start`: the TLS handshake counts as well
        self._handshake = ServerHandshake()
        self._decision: asyncio.Task[None] | None = None  # while an awaitable factory decides

    def is_client_side(self) -> bool:
        return False

    def start(self) -> None:
        self._serving.deadlines.add(self, self._due)

    def handshake_received(self, data: bytes) -> int:
        request = None
        try:
            result = self._handshake.feed(data)
            if result is None:
                return len(data)
            request, consumed = result
            server_closed = self._serving.is_over()
            request.transport = self.transport
            chosen = call_timed(self.loop, self._serving.listener_factory, request)
        except RefusedRequestError as exc:
            self._refuse(exc)
            return len(data)
        except BaseException as exc:
            self._factory_failed(request)
            if not is_ordinary(exc):
                raise
            return len(data)
        if isinstance(chosen, WSListener) or not inspect.isawaitable(chosen):
            self._answer(request, chosen, server_closed)
        else:
            self.hold_input()
            decision = self._decide(request, chosen)
            if self.is_timed:
                name_task(decision, chosen)
            self._decision = self.loop.create_task(decision)
        return consumed

    def handshake_lost(self, exc: Exception | None) -> None:
        self._serving.deadlines.remove(self)
        if self._decision is not None:
            self._decision.cancel()

    async def _decide(self, request: WSUpgradeRequest, awaitable: Awaitable[Answer]) -> None:
        """Answer once the listener factory has decided; the deadline remains."""
        try:
            try:
                chosen = await awaitable
            except Exception:
                self._factory_failed(request)
            else:
                if not self.transport.is_disconnected:
                    self._answer(request, chosen, self._serving.is_over())
        except asyncio.CancelledError:
            self.transport.disconnect(graceful=False)
            raise
        finally:
            self._decision = None
        self.resume_input()

    def _answer(self, request: WSUpgradeRequest, chosen: Answer, server_closed: bool) -> None:
        """Send the response for the listener factory's choice."""
        request.transport = None
        agreed = None
        try:
            response, listener = self._route(request, chosen)
            if listener is not None and server_closed:
                raise RefusedRequestError(HTTPStatus.SERVICE_UNAVAILABLE, "the server is closing")
            if listener is not None:
                self._handshake.check(request)
                deflate = self.deflate if isinstance(listener, WSMessageBase) else None
                agreed = self._handshake.accept(request, response, deflate)
                answer = response.to_bytes()
                bits = reserved_bits(response, agreed)
            else:
                answer = last_answer(request, response)
        except RefusedRequestError as exc:
            self._refuse(exc, request)
            return
        except Exception:  # the factory's response may contain anything
            self.logger.exception("the listener factory's response cannot be sent")
            self._refuse(_failed(), request)
            return
        self._serving.deadlines.remove(self)
        if listener is None:
            self.refused(answer)
            return
        self.transport.underlying_transport.write(answer)
        self.upgraded(listener, request, response, bits, agreed)

    def _refuse(self, exc: RefusedRequestError, request: WSUpgradeRequest | None = None) -> None:
        self.logger.info("request refused with status %d: %s", exc.status, exc)
        self._serving.deadlines.remove(self)
        self.refused(last_answer(request, exc.response()))

    def _factory_failed(self, request: WSUpgradeRequest | None) -> None:
        self.logger.exception("exception in the listener factory")
        self._refuse(_failed(), request)

    def _route(
        self, request: WSUpgradeRequest, chosen: Answer
    ) -> tuple[WSUpgradeResponse, WSListener | None]:
        """Return the response and the listener for the listener factory's choice."""
        if chosen is None:
            self._handshake.check(request)
            raise RefusedRequestError(
                HTTPStatus.NOT_FOUND, f"nothing is served at {request.path!r}"
            )
        if isinstance(chosen, WSUpgradeResponseWithListener):
            response, listener = chosen.response, chosen.listener
        else:
            response, listener = WSUpgradeResponse.create_101_response(), chosen
        if listener is not None and not isinstance(listener, WSListener):
            self.logger.error("the listener factory returned %r, not a WSListener", listener)
            raise _failed()
        if listener is not None:
            check_unused(listener)
        return response, listener


def _failed() -> RefusedRequestError:
    return RefusedRequestError(
        HTTPStatus.INTERNAL_SERVER_ERROR, "the server failed to handle this request"
    )
