"""The client's side: `connect`.

wscore opens the sockets; this file follows redirects and connects again. `client_protocol` has the
protocol of one connection.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import urllib.parse
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from types import TracebackType
from typing import Any

from wscore.opening.endpoints import open_stream
from wscore.opening.unix import UnixPath, connected_socket

from ..asyncio.compression import Compression, client_factories
from ..client import backoff
from ..datastructures import Headers, HeadersLike
from ..exceptions import SecurityError
from ..headers import validate_subprotocols
from ..http11 import USER_AGENT
from ..loop_arguments import check_arguments
from ..reconnection import connect_persistently
from ..timeouts import check_timeouts
from ..typing import LoggerLike, Origin, Subprotocol
from ..uri import cached_uri, check_characters, parse_uri
from .client_protocol import WebSocketClientProtocol
from .deprecated_options import deprecated_options
from .engine import Engine
from .exceptions import RedirectHandshake

__all__ = ["Connect", "WebSocketClientProtocol", "connect", "unix_connect"]

_LOGGER = logging.getLogger("websockets.client")
_ONLY_FOR_ONE_ORIGIN = {"authorization", "cookie", "host"}


class Connect:
    """Connect to a WebSocket server; its usual name is `connect`.

    Awaited, it gives a `WebSocketClientProtocol`; as an asynchronous context manager it also closes
    it. As an asynchronous iterator it gives one connection after the other, for ever: each is
    closed at the end of its round of the loop, and an attempt that fails is repeated after a while.

    Args:
        uri: ``ws://`` or ``wss://``; user name and password in it are sent as basic authentication.
        create_protocol: makes the protocol of the connection: a class derived from
            `WebSocketClientProtocol`, or a function with its arguments.
        logger: where to log; the logger ``websockets.client`` if None.
        compression: ``"deflate"``, a `wscore.WSDeflate` (which websockets does not have), or None
            for none.
        origin: value of ``Origin``.
        extensions: factories of extensions.
        subprotocols: names of subprotocols, the preferred one first.
        extra_headers: further header fields of the request.
        user_agent_header: value of ``User-Agent``; None for none.
        open_timeout: seconds for all of it; None for no limit.
        ping_interval: see `WebSocketCommonProtocol`.
        ping_timeout: see `WebSocketCommonProtocol`.
        close_timeout: see `WebSocketCommonProtocol`.
        max_size: see `WebSocketCommonProtocol`.
        max_queue: see `WebSocketCommonProtocol`.
        read_limit: see `WebSocketCommonProtocol`.
        write_limit: see `WebSocketCommonProtocol`.
        **kwargs: passed on to `asyncio.loop.create_connection`: ``ssl``, ``sock``,
            ``server_hostname``, or ``host`` and ``port`` to connect to another place than the URI
            names.

    Raises:
        InvalidURI: if the URI is not a WebSocket URI.
        InvalidHandshake: if the response is no valid acceptance; a subclass gives the reason.
        OSError: if there is no connection.
        TimeoutError: if there was no answer in time.
    """

    MAX_REDIRECTS_ALLOWED = 10
    BACKOFF_INITIAL = 5.0
    BACKOFF_MIN = 3.1
    BACKOFF_MAX = 90.0
    BACKOFF_FACTOR = 1.618

    def __init__(
        self,
        uri: str,
        *,
        create_protocol: Callable[..., WebSocketClientProtocol] | None = None,
        logger: LoggerLike | None = None,
        compression: Compression = "deflate",
        origin: Origin | str | None = None,
        extensions: Sequence[Any] | None = None,
        subprotocols: Sequence[Subprotocol] | None = None,
        extra_headers: HeadersLike | None = None,
        user_agent_header: str | None = USER_AGENT,
        open_timeout: float | None = 10,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = None,
        max_size: int | None = 2**20,
        max_queue: int | None = 2**5,
        read_limit: int = 2**16,
        write_limit: int = 2**16,
        **kwargs: Any,
    ) -> None:
        former = deprecated_options(kwargs, create_protocol, close_timeout)
        check_timeouts(
            open_timeout=open_timeout,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=former.close_timeout,
        )
        extensions = client_factories(compression, extensions)
        if subprotocols is not None:
            validate_subprotocols(subprotocols)
        self._parsed = cached_uri(uri)
        check_characters(uri)
        if not self._parsed.secure and kwargs.get("ssl") is not None:
            raise ValueError("connect() was given ssl, and a ws:// URI: TLS needs wss://")
        self._uri = uri
        self.logger = logger or _LOGGER
        self.open_timeout = open_timeout
        self._extra_headers = None if extra_headers is None else Headers(extra_headers)
        self._is_unix = bool(kwargs.pop("unix", False))
        self._options = kwargs
        self._create_protocol = functools.partial(
            former.create_protocol or WebSocketClientProtocol,
            logger=self.logger,
            origin=origin,
            extensions=extensions,
            subprotocols=subprotocols,
            user_agent_header=user_agent_header,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=former.close_timeout,
            max_size=max_size,
            max_queue=max_queue,
            read_limit=read_limit,
            write_limit=write_limit,
            legacy_recv=former.legacy_recv,
        )

    # -- the three ways to use it

    def __await__(self) -> Generator[Any, None, WebSocketClientProtocol]:
        return self._connect().__await__()

    async def __aenter__(self) -> WebSocketClientProtocol:
        self.protocol = await self
        return self.protocol

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.protocol.close()

    async def __aiter__(self) -> AsyncIterator[WebSocketClientProtocol]:
        make_delays = functools.partial(
            backoff, self.BACKOFF_INITIAL, self.BACKOFF_MIN, self.BACKOFF_MAX, self.BACKOFF_FACTOR
        )
        while True:
            protocol = await connect_persistently(self, make_delays, self.logger)
            try:
                yield protocol
            finally:
                await protocol.close()

    # -- one connection

    async def _connect(self) -> WebSocketClientProtocol:
        async with asyncio.timeout(self.open_timeout):
            for _ in range(self.MAX_REDIRECTS_ALLOWED):
                protocol = await self._open_stream()
                try:
                    await protocol.handshake(
                        self._parsed,
                        origin=protocol.origin,
                        available_extensions=protocol.available_extensions,
                        available_subprotocols=protocol.available_subprotocols,
                        extra_headers=protocol.extra_headers,
                    )
                except RedirectHandshake as exc:
                    await _abandon(protocol)
                    self.handle_redirect(exc.uri)
                except BaseException:
                    await _abandon(protocol)
                    raise
                else:
                    return protocol
            raise SecurityError("too many redirects")

    async def _open_stream(self) -> WebSocketClientProtocol:
        """Connect a protocol; there is no handshake yet."""
        uri = self._parsed
        if self._is_unix:
            options = check_arguments("create_unix_connection", self._options)
            if (path := options.pop("path", None)) is not None:
                options["sock"] = await connected_socket(path)
        else:
            options = check_arguments("create_connection", self._options)
        if options.get("sock") is None:
            options.setdefault("host", uri.host)
            options.setdefault("port", uri.port)
        if uri.secure:
            if options.get("ssl") is None:
                options["ssl"] = True
            options.setdefault("server_hostname", uri.host)
        protocol = self._create_protocol(
            host=options.get("host", uri.host),
            port=options.get("port", uri.port),
            secure=uri.secure,
            extra_headers=self._extra_headers,
        )

        def make_core() -> Engine:
            return protocol.as_core()

        await open_stream(make_core, **options)
        return protocol

    def handle_redirect(self, uri: str) -> None:
        """Go elsewhere with the next attempt.

        Args:
            uri: where the server sends the client; perhaps relative.

        Raises:
            SecurityError: if it leads from ``wss`` to ``ws``, or to another origin while a
                socket or a path is given.
            InvalidURI: if it is not a WebSocket URI.
        """
        old, target = self._parsed, urllib.parse.urljoin(self._uri, uri)
        new = parse_uri(target)
        check_characters(target)
        if old.secure and not new.secure:
            raise SecurityError("redirect from WSS to WS")
        if (old.secure, old.host, old.port) != (new.secure, new.host, new.port):
            if self._options.keys() & {"sock", "path"}:
                raise SecurityError(f"redirect to another origin with a given socket: {target}")
            self._options.pop("host", None)
            self._options.pop("port", None)
            self._options.pop("server_hostname", None)
            if self._extra_headers is not None:
                self._extra_headers = Headers(
                    [
                        (name, value)
                        for name, value in self._extra_headers.raw_items()
                        if name.lower() not in _ONLY_FOR_ONE_ORIGIN
                    ]
                )
        self._uri, self._parsed = target, new


connect = Connect


def unix_connect(
    path: UnixPath | None = None, uri: str = "ws://localhost/", **kwargs: Any
) -> Connect:
    """Connect to a WebSocket server on a Unix socket.

    Args:
        path: the socket's path; None if ``sock`` is given.
        uri: the URI to request.
        **kwargs: as for `connect`; other arguments are passed on to
            `asyncio.loop.create_unix_connection`.
    """
    return Connect(uri, unix=True, path=path, **kwargs)


async def _abandon(protocol: WebSocketClientProtocol) -> None:
    """End a connection that did not open, or whose opening was given up."""
    protocol.transport.abort()
    await asyncio.shield(protocol.connection_lost_waiter)
