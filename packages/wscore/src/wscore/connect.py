"""The client: opening a connection.

`ws_connect` owns everything that it opens until it returns: no failure, nor cancellation, may
leave a socket or a task behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl as ssl_module
from collections.abc import Mapping
from time import monotonic
from typing import Any, cast
from urllib.parse import urljoin

from multidict import CIMultiDict

from .connection.auto_ping import auto_ping_maker
from .connection.listener import WSListener
from .connection.message_base import WSMessageBase
from .connection.protocol import (
    DISCONNECT_TIMEOUT,
    MAX_FRAGMENTS,
    MAX_FRAME_SIZE,
    ProtocolOptions,
    WSProtocolCore,
)
from .connection.seconds import check_timeouts
from .connection.slow_calls import report_if_slow
from .connection.transport import WSTransport
from .enums import WSAutoPingStrategy
from .errors import WSHandshakeError, WSInvalidStatusError, WSInvalidURL, is_ordinary
from .handshake.client import ClientHandshake
from .handshake.deflate import WSDeflate, check_deflate
from .handshake.fields import reserved_bits
from .handshake.http import WSHeadersLike, WSUpgradeRequest, WSUpgradeResponse
from .handshake.url import WSParsedURL, parse_url
from .logs import Logger, resolve_logger
from .opening.listener_factory import L, ListenerFactory, check_factory, make_listener
from .opening.proxy import Proxy
from .opening.route import Route, SocketFactory
from .opening.unix import UnixPath

__all__ = ["ws_connect"]

REDIRECTS = {301, 302, 303, 307, 308}
CLOCK_TICK = 0.002  # seconds; timers of some loops count milliseconds
PRIVATE_FIELDS = ("Authorization", "Cookie")  # not sent to another origin after a redirect


async def ws_connect(
    ws_listener_factory: ListenerFactory[L],
    url: str,
    *,
    ssl_context: ssl_module.SSLContext | None = None,
    disconnect_on_exception: bool = True,
    websocket_handshake_timeout: float | None = 5,
    logger_name: str | Logger | None = None,
    enable_auto_ping: bool = False,
    auto_ping_idle_timeout: float = 10,
    auto_ping_reply_timeout: float = 10,
    auto_ping_strategy: WSAutoPingStrategy = WSAutoPingStrategy.PING_WHEN_IDLE,
    enable_auto_pong: bool = True,
    max_frame_size: int | None = MAX_FRAME_SIZE,
    max_message_size: int | None = None,
    max_fragments: int | None = MAX_FRAGMENTS,
    deflate: WSDeflate | None = None,
    extra_headers: WSHeadersLike | None = None,
    max_redirects: int = 5,
    proxy: Proxy | None = None,
    proxy_ssl_context: ssl_module.SSLContext | None = None,
    proxy_options: Mapping[str, Any] | None = None,
    read_buffer_init_size: int | None = None,
    socket_factory: SocketFactory | None = None,
    unix_path: UnixPath | None = None,
    busy_poll_us: int = 0,
    disconnect_timeout: float | None = DISCONNECT_TIMEOUT,
    use_aiofastnet: bool | None = None,
    disconnect_on_error: bool | None = None,
    **kwargs: Any,
) -> tuple[WSTransport, L]:
    """Open a WebSocket connection.

    Args:
        ws_listener_factory: creates the listener once the server has accepted the upgrade; it takes
            the request and the response of the handshake, or no arguments.
        url: ``ws://`` or ``wss://``; credentials in it are sent as basic authentication.
        ssl_context: for ``wss://``; a default one, which verifies the server, if None. For a
            ``ws://`` URL it is only used if the server redirects to a ``wss://`` one.
        disconnect_on_exception: whether an exception in `WSListener.on_ws_frame` closes the
            connection.
        websocket_handshake_timeout: seconds from the TCP connection, or the tunnel, to the end of
            the server's response, including TLS; all redirects share them. None for no limit except
            that of TLS (``ssl_handshake_timeout``, 60 seconds by default).
        logger_name: the last part of a logger's name under ``wscore``, or a logger or adapter.
        enable_auto_ping: whether to ping an idle server, and close if it does not reply.
        auto_ping_idle_timeout: seconds without data, or between pings, before a ping is sent.
        auto_ping_reply_timeout: seconds to wait for the reply; then the connection is closed with
            code 1011.
        auto_ping_strategy: whether received data postpones the next ping.
        enable_auto_pong: whether to answer a PING at once, without passing it to the listener.
        max_frame_size: bytes of payload; a larger frame closes the connection with code 1009. None
            for no limit.
        max_message_size: bytes of payload in all frames of a message, with the same effect.
        max_fragments: frames in a message, including empty ones, with the same effect.
        deflate: the permessage-deflate to offer, the compression of messages. The listener must
            then be a `WSMessageReader` or `WSMessageListener`. None for no compression.
        extra_headers: further header fields of the request; ``Host`` replaces the generated one.
        max_redirects: how many redirects are followed; none is followed from ``wss`` to ``ws``, and
            ``Authorization`` and ``Cookie`` are not sent to another origin.
        proxy: URL of an HTTP or SOCKS proxy, several for a chain, the nearest first, or True or
            ``"env"`` for the one that the environment or the system configures for the URL, if any
            (looked up again for a redirect). It requires the package ``wsproxy-asyncio``.
        proxy_ssl_context: for ``https://`` proxies; a default one, which verifies the proxy, if
            None.
        proxy_options: further arguments of `wsproxy.open_tunnel_transport`, such as ``auth``,
            ``headers``, ``rdns``, and ``timeout``: seconds to open the tunnel, including name
            resolution, 30 by default.
        read_buffer_init_size: accepted for compatibility with picows, without effect: the
            connections of a loop share one receive buffer.
        socket_factory: a function or coroutine function that takes the parsed URL and returns a
            socket to use, connected or not, or None to connect as usual. With a proxy, the URL and
            the socket are those of the (first) proxy.
        unix_path: path of a unix socket to connect to; the URL then only determines the request,
            and no redirect to another origin is followed.
        busy_poll_us: microseconds to poll a connection for more data after a read. If the next
            message arrives within that time it saves an iteration of the loop; polling takes a
            whole core, and delays everything else in the loop. 0 for none.
        disconnect_timeout: seconds that closing may take, from `WSTransport.disconnect` or a
            failure on, while the server accepts none of the data sent; then the connection is
            aborted. None for no limit.
        use_aiofastnet: accepted for compatibility with picows, without effect: connections run on
            wscore's own transports.
        disconnect_on_error: the older name of `disconnect_on_exception`.
        **kwargs: passed on to `asyncio.loop.create_connection`. With a proxy, ``host`` and ``port``
            are the destination of the tunnel, and other TCP arguments apply to the first proxy.

    Returns:
        The transport, and the listener that the factory created.

    Raises:
        WSInvalidURL: if the URL, or that of a redirect to follow, is not a WebSocket URL.
        WSHandshakeError: if the server did not accept the upgrade; the subclasses say why.
        TypeError: if the factory cannot be called or does not return a listener (with `deflate`,
            one for messages), or if a context, a timeout or `deflate` is of another type.
        TimeoutError: if the handshake did not complete in time.
        ValueError: if a header field cannot be sent, a timeout is negative or NaN, one of auto
            ping, if enabled, is not positive, a limit is less than 1, a proxy is combined with a
            socket, or several of ``sock``, `unix_path` and `socket_factory` are given; if a context
            is one for servers, or ``ssl`` is given with a ``ws://`` URL.
        OSError: if the connection fails, including `ssl.SSLError` and `wsproxy.ProxyError`.
    """
    check_factory(ws_listener_factory)
    check_deflate(deflate)
    loop = asyncio.get_running_loop()
    logger = resolve_logger(logger_name, "client")
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
    route = Route(
        ssl_context=ssl_context,
        proxy=proxy,
        proxy_ssl_context=proxy_ssl_context,
        proxy_options=proxy_options,
        socket_factory=socket_factory,
        unix_path=unix_path,
        arguments=kwargs,
    )
    parsed_url = parse_url(url)
    headers: CIMultiDict[str] = CIMultiDict(extra_headers or {})
    deadline = Deadline(loop, websocket_handshake_timeout)
    for redirects_left in range(max(max_redirects, 0), -1, -1):
        handshake = ClientHandshake(parsed_url, headers, deflate)

        def make_protocol(handshake: ClientHandshake = handshake) -> WSClientProtocol:
            deadline.start()
            return WSClientProtocol(options, handshake, ws_listener_factory)

        try:
            protocol = await route.open(make_protocol, parsed_url, opening_timeout=deadline.left)
        except ConnectionAbortedError as exc:
            if deadline.is_over():  # within the TLS handshake
                raise deadline.error() from exc
            raise
        try:
            await protocol.wait_upgraded(deadline)
        except WSInvalidStatusError as exc:
            deadline.stop()
            if redirects_left == 0:
                raise
            target = _redirect_target(parsed_url, exc.response)
            if target is None:
                raise
            logger.info("%r redirects to %r", parsed_url, target)
            if _origin(target) != _origin(parsed_url):
                if unix_path is not None:
                    raise
                for name in PRIVATE_FIELDS:
                    headers.popall(name, None)
                headers.popall("Host", None)
            parsed_url = target
        else:
            return protocol.transport, cast("L", protocol.listener)  # the factory's
    raise AssertionError("the last iteration returns or raises")


class Deadline:
    """The time limit for the opening handshakes of one call, including those after redirects.

    Args:
        loop: the running loop.
        seconds: for all of them; None for no limit.

    Attributes:
        left: the remaining seconds; None for no limit.
        due: the loop's time at which they end; None while the clock is stopped.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float | None) -> None:
        self._loop = loop
        self._seconds = seconds
        self.left = seconds
        self.due: float | None = None

    def start(self) -> None:
        """Start the clock: a connection has been made."""
        if self.left is not None:
            self.due = self._loop.time() + self.left

    def stop(self) -> None:
        """Stop the clock: a response has been received."""
        if self.due is not None:
            self.left = max(0.0, self.due - self._loop.time())
            self.due = None

    def is_over(self) -> bool:
        """Return whether the time is up, with the precision of timers."""
        return self.due is not None and self._loop.time() > self.due - CLOCK_TICK

    def error(self) -> TimeoutError:
        """Return the exception for that."""
        return TimeoutError(f"no response to the opening handshake within {self._seconds} seconds")


class WSClientProtocol(WSProtocolCore, asyncio.BufferedProtocol):
    """The client's protocol: sends the request, and checks the response."""

    def __init__(
        self,
        options: ProtocolOptions,
        handshake: ClientHandshake,
        listener_factory: ListenerFactory[Any],
    ) -> None:
        super().__init__(options)
        self._handshake = handshake
        self._listener_factory = listener_factory
        self._upgraded = self.loop.create_future()

    async def wait_upgraded(self, deadline: Deadline) -> None:
        """Wait until the handshake is complete; close the connection on an exception.

        Args:
            deadline: the time limit.

        Raises:
            TimeoutError: if it was not complete by then.
            WSHandshakeError: if the handshake failed.
        """
        timer = None
        if deadline.due is not None:
            timer = self.loop.call_at(deadline.due, self._timed_out, deadline)
        try:
            await self._upgraded
        except BaseException:
            self.transport.disconnect(graceful=False)
            with contextlib.suppress(Exception):  # the caller gets the first exception
                await self.transport.wait_disconnected()
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def is_client_side(self) -> bool:
        return True

    def start(self) -> None:
        self.transport.underlying_transport.write(self._handshake.request_bytes)

    def handshake_received(self, data: bytes) -> int:
        if self._upgraded.done():  # it has failed, and the connection is being closed
            return len(data)
        try:
            result = self._handshake.feed(data)
            if result is None:
                return len(data)
            response, consumed = result
            request = self._handshake.request
            listener = self._ask_factory(request, response)
            if self.deflate is not None and not isinstance(listener, WSMessageBase):
                raise TypeError(
                    "deflate requires a WSMessageReader or a WSMessageListener: frames are not "
                    "inflated"
                )
        except BaseException as exc:
            if not is_ordinary(exc):
                self.transport.disconnect(graceful=False)
                raise
            self._give_up(exc)
            return len(data)
        agreed = self._handshake.agreed
        try:
            self.upgraded(listener, request, response, reserved_bits(response, agreed), agreed)
        finally:
            self._upgraded.set_result(None)
        return consumed

    def _ask_factory(self, request: WSUpgradeRequest, response: WSUpgradeResponse) -> WSListener:
        if not self.is_timed:
            return make_listener(self._listener_factory, request, response)
        began = monotonic()
        try:
            return make_listener(self._listener_factory, request, response)
        finally:
            report_if_slow(self.loop, self._listener_factory, began)

    def handshake_lost(self, exc: Exception | None) -> None:
        if self._upgraded.done():
            return
        try:
            if exc is not None:
                raise exc
            self._handshake.end()
        except Exception as error:
            self._give_up(error)

    def _timed_out(self, deadline: Deadline) -> None:
        if not self._upgraded.done():
            self._give_up(deadline.error())

    def _give_up(self, exc: BaseException) -> None:
        if isinstance(exc, WSHandshakeError):
            exc.request = self._handshake.request
        if isinstance(exc, StopIteration):  # no future takes it, and no coroutine raises it
            cause, exc = exc, RuntimeError("the listener factory raised StopIteration")
            exc.__cause__ = cause
        self._upgraded.set_exception(exc)
        self._upgraded.exception()  # mark it as retrieved: the waiting task may be cancelled


def _redirect_target(url: WSParsedURL, response: WSUpgradeResponse | None) -> WSParsedURL | None:
    """Return the URL of a redirect to follow; None if there is none, or it is forbidden."""
    if response is None or response.status not in REDIRECTS:
        return None
    location = response.headers.get("Location")
    if location is None:
        return None
    http = {"http": "ws", "https": "wss"}
    scheme, separator, rest = location.partition("://")
    if separator and scheme.lower() in http:
        location = f"{http[scheme.lower()]}://{rest}"
    try:
        target = parse_url(urljoin(url.url, location))
    except ValueError as exc:
        raise WSInvalidURL(location, str(exc)) from exc
    return None if url.is_secure and not target.is_secure else target


def _origin(url: WSParsedURL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port
