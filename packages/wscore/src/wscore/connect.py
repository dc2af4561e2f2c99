"""The client's side: opening a connection.

`ws_connect` owns everything that it opens until it returns: whatever goes wrong, cancellation
included, it leaves no socket and no task.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
import ssl as ssl_module
from collections.abc import Callable
from typing import Any

from .errors import WSError
from .handshake import ClientHandshake
from .http import WSHeadersLike, WSUpgradeRequest, WSUpgradeResponse
from .listener import WSListener
from .logs import Logger, resolve_logger
from .protocol import MAX_FRAGMENTS, MAX_FRAME_SIZE, WSProtocolCore
from .streams import open_stream
from .transport import WSTransport
from .url import WSParsedURL, parse_url

__all__ = ["ws_connect"]

ListenerFactory = (
    Callable[[], WSListener] | Callable[[WSUpgradeRequest, WSUpgradeResponse], WSListener]
)


async def ws_connect(
    ws_listener_factory: ListenerFactory,
    url: str,
    *,
    ssl_context: ssl_module.SSLContext | None = None,
    disconnect_on_exception: bool = True,
    websocket_handshake_timeout: float | None = 5,
    logger_name: str | Logger | None = None,
    enable_auto_pong: bool = True,
    max_frame_size: int | None = MAX_FRAME_SIZE,
    max_message_size: int | None = None,
    max_fragments: int | None = MAX_FRAGMENTS,
    extra_headers: WSHeadersLike | None = None,
    proxy: str | None = None,
    read_buffer_init_size: int | None = None,
    **kwargs: Any,
) -> tuple[WSTransport, WSListener]:
    """Open a WebSocket connection.

    Args:
        ws_listener_factory: makes the listener once the server has agreed; it takes no arguments,
            or the request and the response of the handshake.
        url: ``ws://`` or ``wss://``; credentials in it are sent as basic authentication.
        ssl_context: for ``wss://``; a default one, which verifies the server, if None.
        disconnect_on_exception: whether an exception in `WSListener.on_ws_frame` closes the
            connection.
        websocket_handshake_timeout: seconds from the TCP (or TLS) connection to the server's
            answer; None for no limit.
        logger_name: the last part of a logger's name under ``wscore``, or a logger or adapter.
        enable_auto_pong: whether a PING is answered at once, without showing it to the listener.
        max_frame_size: bytes of payload; a larger frame closes the connection with code 1009. None
            for no limit.
        max_message_size: bytes of payload in all frames of a message, likewise.
        max_fragments: frames in a message, empty ones too, likewise.
        extra_headers: further header fields of the request; ``Host`` replaces the generated one.
        proxy: URL of an HTTP or SOCKS proxy to go through; needs the package ``wsproxy-asyncio``.
        read_buffer_init_size: accepted for programs written for picows, and without effect: the
            connections of a loop share one receive buffer.
        **kwargs: passed on to `asyncio.loop.create_connection`.

    Returns:
        The transport, and the listener that the factory made.

    Raises:
        WSInvalidURL: if the URL is not a WebSocket URL.
        WSHandshakeError: if the server's answer is not a valid acceptance; a subclass says why.
        TimeoutError: if there was no answer in time.
        OSError: if the connection cannot be made (`ssl.SSLError` among them).
    """
    parsed_url = parse_url(url)
    loop = asyncio.get_running_loop()
    logger = resolve_logger(logger_name, "client")

    def make_protocol() -> WSClientProtocol:
        return WSClientProtocol(
            loop,
            logger,
            ClientHandshake(parsed_url, extra_headers),
            ws_listener_factory,
            disconnect_on_exception=disconnect_on_exception,
            enable_auto_pong=enable_auto_pong,
            max_frame_size=max_frame_size,
            max_message_size=max_message_size,
            max_fragments=max_fragments,
        )

    if parsed_url.is_secure:
        kwargs["ssl"] = ssl_context or kwargs.get("ssl") or ssl_module.create_default_context()
        if not kwargs.get("server_hostname"):
            kwargs["server_hostname"] = parsed_url.host
    if proxy is not None:
        kwargs["sock"] = await _open_tunnel(proxy, parsed_url)
    elif kwargs.get("sock") is None:
        kwargs.setdefault("host", parsed_url.host)
        kwargs.setdefault("port", parsed_url.port)
    protocol = await open_stream(make_protocol, **kwargs)
    await protocol.wait_upgraded(websocket_handshake_timeout)
    return protocol.transport, protocol.listener


class WSClientProtocol(WSProtocolCore, asyncio.BufferedProtocol):
    """The client's part of the protocol: it sends the request and judges the response."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        logger: Logger,
        handshake: ClientHandshake,
        listener_factory: ListenerFactory,
        **options: Any,
    ) -> None:
        super().__init__(loop, logger, **options)
        self._handshake = handshake
        self._listener_factory = listener_factory
        self._upgraded = loop.create_future()

    async def wait_upgraded(self, timeout: float | None) -> None:
        """Wait until the handshake is complete.

        Args:
            timeout: seconds; None for no limit.

        Raises:
            TimeoutError: if that took too long; the connection is gone then, as after any other
                exception.
            WSHandshakeError: if the handshake failed.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._upgraded
        except BaseException as exc:
            self.transport.disconnect(graceful=False)
            await self.transport.wait_disconnected()
            if isinstance(exc, TimeoutError):
                raise TimeoutError(
                    f"no answer to the opening handshake within {timeout} seconds"
                ) from None
            raise

    def is_client_side(self) -> bool:
        return True

    def start(self) -> None:
        self.transport.underlying_transport.write(self._handshake.request.to_bytes())

    def handshake_received(self, data: bytes) -> int:
        if self._upgraded.done():  # failed; the connection is about to go
            return len(data)
        try:
            result = self._handshake.feed(data)
            if result is None:
                return len(data)
            response, consumed = result
            request = self._handshake.request
            listener = _make_listener(self._listener_factory, request, response)
        except Exception as exc:
            self._upgraded.set_exception(exc)
            return len(data)
        extensions = "Sec-WebSocket-Extensions" in response.headers
        self.upgraded(listener, request, response, 7 if extensions else 0)
        self._upgraded.set_result(None)
        return consumed

    def handshake_lost(self, exc: Exception | None) -> None:
        if self._upgraded.done():
            return
        try:
            if exc is not None:
                raise exc
            self._handshake.end()
        except Exception as error:
            self._upgraded.set_exception(error)


def _make_listener(
    factory: Callable[..., WSListener], request: WSUpgradeRequest, response: WSUpgradeResponse
) -> WSListener:
    """Call the factory with as many arguments as it takes: none, or request and response."""
    try:
        inspect.signature(factory).bind()
    except TypeError:
        listener = factory(request, response)
    except ValueError:  # it does not tell its signature
        listener = factory()
    else:
        listener = factory()
    if not isinstance(listener, WSListener):
        raise TypeError(f"the listener factory must return a WSListener, not {listener!r}")
    return listener


async def _open_tunnel(proxy: str, url: WSParsedURL) -> socket.socket:
    try:
        import wsproxy
    except ImportError as exc:
        raise WSError(
            "proxy= needs the package wsproxy-asyncio: pip install 'wscore-asyncio[proxy]'"
        ) from exc
    return await wsproxy.open_tunnel(proxy, url.host, url.port)
