"""The server's side: accepting connections, and answering requests that are not for an upgrade."""

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

LOOK_INTERVAL = 0.1  # seconds after which a timer is given up if nobody waits any more


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
            limits, whatever its method, version or ``Host``, and whether it asks for an upgrade or
            has a body (which is not read). It returns the listener for the connection, which is of
            use only if the request is one for an upgrade: otherwise the client gets the status
            that says why not; or a `WSUpgradeResponseWithListener` to choose the response itself,
            which need not be an upgrade (it is sent with ``Connection: close``, and to a HEAD
            without its body); or None, for 404 if the request is a GET. If it raises, the client
            gets 500. It may return an awaitable of one of these, that is, be a coroutine function:
            what the client sends meanwhile is kept for later, up to 64 KiB, and it is cancelled if
            the connection or the time for the handshake ends. If the server was closed before the
            request came, or while the awaitable was waited for, a listener is of no use: the
            client gets 503.
        host: address, addresses, or None for all interfaces.
        port: TCP port; 0 or None for any free one.
        disconnect_on_exception: whether an exception in `WSListener.on_ws_frame` closes the
            connection.
        websocket_handshake_timeout: seconds from the moment that a connection is accepted to the
            end of its opening handshake, TLS and the listener factory's time included. When they
            are over it is closed, whatever has come. None for no limit but that of TLS
            (``ssl_handshake_timeout``, 60 seconds unless it is given).
        logger_name: the last part of a logger's name under ``wscore``, or a logger or adapter.
        enable_auto_ping: whether silent peers are pinged, and given up when they do not answer.
        auto_ping_idle_timeout: seconds without data, or between pings, before a ping is sent.
        auto_ping_reply_timeout: seconds within which it must be answered; else the connection is
            closed with code 1011.
        auto_ping_strategy: whether received data puts off the next ping.
        enable_auto_pong: whether a PING is answered at once, without showing it to the listener.
        max_frame_size: bytes of payload; a larger frame closes the connection with code 1009. None
            for no limit.
        max_message_size: bytes of payload in all frames of a message, likewise.
        max_fragments: frames in a message, empty ones too, likewise.
        deflate: what to accept of permessage-deflate, the compression of messages, where the
            listener is a `WSMessageReader` or `WSMessageListener`. None for no compression.
        read_buffer_init_size: accepted for programs written for picows, and without effect: the
            connections of a loop share one receive buffer.
        unix_path: path of a unix socket to listen on, instead of host and port; a socket that was
            left there is replaced. With a NUL at its start it is an abstract one, as Linux has.
        cleanup_socket: whether the path of a unix socket is removed when the server is closed, if
            it is still this server's: True, also of one that is given by ``sock``; False; or None,
            only of one that `unix_path` has made.
        busy_poll_us: microseconds for which a connection that was read is watched for more
            before the loop goes on. It saves the trip through the loop if the next message comes
            within that time; it costs a whole core while it waits, and delays everything else that
            the loop has to do. 0 for none.
        disconnect_timeout: seconds that the end of the connection may take, from
            `WSTransport.disconnect` or a failure on, while the client takes nothing of what was
            sent; then it is aborted. None for no limit.
        use_aiofastnet: accepted for programs written for picows, and without effect: connections
            run on wscore's own transports.
        disconnect_on_error: the older name of `disconnect_on_exception`.
        **kwargs: passed on to `asyncio.loop.create_server`, ``ssl`` among them.

    Returns:
        The server, listening. Closed by `close`, it accepts no more, and `wait_closed` waits until
        its connections are gone, which `close_clients` and `abort_clients` see to if they shall not
        end by themselves.

    Raises:
        OSError: if the address cannot be bound.
        TypeError: if `ssl` is not a context, a timeout not a number, `deflate` not a `WSDeflate`,
            or the factory cannot be called.
        ValueError: if a timeout is negative or NaN, one of auto ping, if enabled, not positive, a
            limit is less than 1, there is more than one place to listen at, or `ssl` is a context
            for clients.
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
    """What the connections of one server share.

    Args:
        listener_factory: who decides about requests.
        deadlines: until when the requests must be complete.
    """

    def __init__(self, listener_factory: ListenerFactory, deadlines: Deadlines) -> None:
        self.listener_factory = listener_factory
        self.deadlines = deadlines
        self.server: asyncio.Server | None = None

    def is_over(self) -> bool:
        """Whether the server was closed."""
        return self.server is not None and not self.server.is_serving()


class Deadlines:
    """Until when the handshakes of a server must be complete, with one timer for all of them.

    A timer that is set makes each iteration of asyncio's loop more expensive by a third. So the
    timer is looked at often, and is not set again when nobody is waiting.

    Args:
        loop: the running loop.
        seconds: that each may take; None for no limit.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float | None) -> None:
        self._loop = loop
        self._seconds = seconds
        self._pending: dict[WSProtocolCore, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def due(self) -> float:
        """When the time of a connection is over that is accepted now."""
        return math.inf if self._seconds is None else self._loop.time() + self._seconds

    def add(self, protocol: WSProtocolCore, due: float) -> None:
        """Close a connection when its time is over.

        Args:
            protocol: its protocol, which has a transport.
            due: what the method of this name returned.
        """
        if due == math.inf:
            return
        self._pending[protocol] = due
        if self._timer is None:
            self._set_timer(due)

    def remove(self, protocol: WSProtocolCore) -> None:
        """The handshake is over, or it never began."""
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
    """The server's part of the protocol: it judges the request and sends the response.

    Args:
        options: what it has in common with others.
        serving: the same, for what only servers have.
    """

    __slots__ = ("_decision", "_due", "_handshake", "_serving")

    def __init__(self, options: ProtocolOptions, serving: Serving) -> None:
        WSProtocolCore.__init__(self, options)
        self._serving = serving
        self._due = serving.deadlines.due()  # with TLS some of the time is over at `start`
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
        """Answer when the listener factory has made up its mind. The deadline goes on."""
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
        """Send the response that the listener factory's choice leads to."""
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
        except Exception:  # the listener factory may have put anything into the response
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
        """The response and the listener that the listener factory's choice stands for."""
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
