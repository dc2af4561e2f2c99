"""The client's side: `connect`.

wscore opens the connection; this file gives it the arguments and the exceptions of websockets.
"""

from __future__ import annotations

import asyncio
import logging
import os
import urllib.parse
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from types import TracebackType
from typing import Any, Literal

import wscore

from ..client import backoff, process_exception
from ..datastructures import Headers, HeadersLike
from ..exceptions import InvalidStatus, InvalidURI, SecurityError
from ..extensions.base import ClientExtensionFactory
from ..extensions.negotiation import build_offer
from ..headers import validate_subprotocols
from ..http11 import USER_AGENT
from ..limits import MaxQueue, MaxSize, WriteLimit, check_limits, core_sizes, frame_size_only
from ..loop_arguments import check_arguments
from ..reconnection import connect_persistently
from ..timeouts import check_timeouts, core_timeout
from ..typing import LoggerLike, Origin, Subprotocol
from ..unix import UnixPath
from ..uri import WebSocketURI, cached_uri, parse_uri
from .compression import Compression, client_extensions
from .connection import Connection
from .extension_connection import ExtensionConnection
from .handshake_errors import handshake_exception
from .logging_connection import class_for, is_logged
from .proxy_arguments import PROXY_ARGUMENTS, choose_proxy, from_wsproxy, proxy_arguments

__all__ = ["ClientConnection", "connect", "unix_connect"]

MAX_REDIRECTS = int(os.environ.get("WEBSOCKETS_MAX_REDIRECTS", "10"))
#: Arguments that say where to connect, and their name in an exception.
_FIXED_TARGETS = (
    ({"path"}, "a Unix socket"),
    ({"host", "port"}, "an explicit host or port"),
)
_REDIRECTS = {300, 301, 302, 303, 307, 308}
_LOGGER = logging.getLogger("websockets.client")
_ONLY_FOR_ONE_ORIGIN = ("Authorization", "Cookie", "Host")


class ClientConnection(Connection):
    """The client's end of a connection; made by `connect`."""


class connect:  # noqa: N801
    """Connect to a WebSocket server.

    Awaited, it gives a `ClientConnection`; as an asynchronous context manager it also closes it. As
    an asynchronous iterator it gives one connection after the other, for ever: each is closed at
    the end of its round of the loop, and an attempt that fails is repeated after a while.

    Args:
        uri: ``ws://`` or ``wss://``; user name and password in it are sent as basic authentication.
        origin: value of ``Origin``.
        extensions: the extensions to offer, the preferred one first; their `Extension` objects see
            data frames only.
        subprotocols: names of subprotocols, the preferred one first.
        compression: ``"deflate"`` to offer to compress messages; a `wscore.WSDeflate` to choose
            the engine, its level, windows and more, which websockets does not have; None for no
            compression.
        additional_headers: further header fields of the request.
        user_agent_header: value of ``User-Agent``, also in the request to an HTTP proxy; None
            for none.
        proxy: URL of a proxy (``http``, ``https``, ``socks4``, ``socks4a``, ``socks5``,
            ``socks5h``); True for the one that the environment or the system configures, None for
            none. The server's name is resolved here for ``socks4`` and ``socks5``, otherwise by
            the proxy.
        process_exception: called with the exception of an attempt that the iterator made; returns
            None to try again, or the exception to raise.
        open_timeout: seconds for all of it, from resolving the name to the server's answer; None
            for no limit.
        ping_interval: seconds between keepalive pings; None for none.
        ping_timeout: seconds to wait for the answer of one, after which the connection is closed
            with code 1011; None for no limit.
        close_timeout: seconds for the closing handshake and the end of the TCP connection; None
            for no limit.
        reconnect_delays: makes a generator of the seconds between the attempts of the iterator.
        max_size: bytes of a received message, or a pair of limits for message and fragment; None
            for no limit.
        max_queue: received frames at which reading pauses, or a pair: the mark at which it
            pauses, and the one at which it goes on. It also pauses at 1 MiB of them. None for no
            limit.
        write_limit: bytes waiting to be sent at which `Connection.send` waits, or such a pair.
        logger: where to log; the logger ``websockets.client`` if None.
        create_connection: the class of the connection, derived from `ClientConnection`.
        **kwargs: passed on to `asyncio.loop.create_connection`: ``ssl``, ``sock``,
            ``server_hostname``, or ``host`` and ``port`` to connect to another place than the
            URI names. With a proxy, all but those for that place and for TLS apply to the
            connection to the proxy; ``proxy_ssl``, ``proxy_server_hostname`` and
            ``proxy_ssl_handshake_timeout`` are for TLS with an ``https`` proxy.

    Raises:
        InvalidURI: if the URI is not a WebSocket URI.
        InvalidProxy: if the proxy's URL is not valid.
        InvalidHandshake: if the server's answer, or the proxy's, is no valid acceptance; a subclass
            gives the reason.
        OSError: if there is no connection (`ssl.SSLError` among them).
        TimeoutError: if there was no answer in time.
        TypeError: if a limit is no integer, or a time no number.
        ValueError: if a limit is less than 1 byte.
    """

    def __init__(
        self,
        uri: str,
        *,
        origin: Origin | str | None = None,
        extensions: Sequence[ClientExtensionFactory] | None = None,
        subprotocols: Sequence[Subprotocol | str] | None = None,
        compression: Compression = "deflate",
        additional_headers: HeadersLike | None = None,
        user_agent_header: str | None = USER_AGENT,
        proxy: str | Literal[True] | None = True,
        process_exception: Callable[[Exception], Exception | None] = process_exception,
        open_timeout: float | None = 10,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        reconnect_delays: Callable[[], Generator[float, None, None]] = backoff,
        max_size: MaxSize = 2**20,
        max_queue: MaxQueue = 16,
        write_limit: WriteLimit = 2**15,
        logger: LoggerLike | None = None,
        create_connection: type[ClientConnection] | None = None,
        **kwargs: Any,
    ) -> None:
        self.uri = uri
        self.logger = logger or _LOGGER
        self._first_uri = uri
        self._proxy = proxy
        self._user_agent = user_agent_header
        self._process_exception = process_exception
        self._reconnect_delays = reconnect_delays
        self._open_timeout = open_timeout
        self._connection_class = create_connection or ClientConnection
        check_limits(max_size=max_size, max_queue=max_queue, write_limit=write_limit)
        check_timeouts(
            open_timeout=open_timeout,
            ping_interval=ping_interval,
            ping_timeout=ping_timeout,
            close_timeout=close_timeout,
        )
        self._connection_options = {
            "ping_interval": ping_interval,
            "ping_timeout": ping_timeout,
            "close_timeout": close_timeout,
            "max_queue": max_queue,
            "write_limit": write_limit,
            "logger": self.logger,
        }
        self._extensions = compression, extensions
        self._subprotocols = subprotocols
        deflate, self._factories = client_extensions(compression, extensions)
        self._max_size = max_size
        headers = Headers(additional_headers) if additional_headers else Headers()
        self._connection_class = class_for(
            self._connection_class, self.logger, self._factories is not None
        )
        if self._factories:
            headers["Sec-WebSocket-Extensions"] = build_offer(self._factories)
        if origin is not None:
            headers["Origin"] = origin
        if subprotocols is not None:
            validate_subprotocols(subprotocols)
            headers["Sec-WebSocket-Protocol"] = ", ".join(subprotocols)
        if user_agent_header is not None and "User-Agent" not in headers:
            headers["User-Agent"] = user_agent_header
        self._headers = headers
        self._core_options: dict[str, Any] = {
            **(core_sizes if self._factories is None else frame_size_only)(max_size),
            "deflate": deflate,
            "websocket_handshake_timeout": None,
            "max_redirects": 0,
            "logger_name": self.logger,
            "enable_auto_pong": not is_logged(self.logger),
            "max_fragments": None,  # `recv` limits them
            "disconnect_timeout": core_timeout(close_timeout),
        }
        self._is_unix = bool(kwargs.pop("unix", False))
        self._given = kwargs
        self._checked(uri)

    # -- the three ways to use it

    def __await__(self) -> Generator[Any, None, ClientConnection]:
        return self._connect().__await__()

    async def __aenter__(self) -> ClientConnection:
        self._connection = await self
        return self._connection

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._connection.__aexit__(exc_type, exc_value, traceback)

    async def __aiter__(self) -> AsyncIterator[ClientConnection]:
        while True:
            connection = await connect_persistently(
                self, self._reconnect_delays, self.logger, self._process_exception
            )
            async with connection:
                yield connection

    # -- one connection

    async def _connect(self) -> ClientConnection:
        try:
            async with asyncio.timeout(self._open_timeout):
                return await self._follow()
        except TimeoutError as exc:
            raise TimeoutError("timed out during opening handshake") from exc

    async def _follow(self) -> ClientConnection:
        """Connect, through redirects if there are any."""
        self.uri, headers = self._first_uri, self._headers
        for _ in range(MAX_REDIRECTS):
            try:
                return await self._open(headers)
            except InvalidStatus as exc:
                target = self.process_redirect(exc)
                if target is exc:
                    raise
                if isinstance(target, Exception):
                    raise target from exc
            if _origin(target) != _origin(self.uri):
                headers = _for_another_origin(headers)
            self.uri = target
        raise SecurityError(f"more than {MAX_REDIRECTS} redirects")

    def _checked(self, uri: str) -> WebSocketURI:
        """Parse a URI, and check that it goes with the arguments."""
        parsed = cached_uri(uri)
        if parsed.secure and self._given.get("ssl", ...) is None:
            raise ValueError("ssl=None is incompatible with a wss:// URI")
        if not parsed.secure and self._given.get("ssl") is not None:
            raise ValueError("ssl argument is incompatible with a ws:// URI")
        return parsed

    async def _open(self, headers: Headers) -> ClientConnection:
        uri = self._checked(self.uri)
        proxy = None
        if not self._is_unix and "sock" not in self._given:
            proxy = choose_proxy(self._proxy, uri)
        given = self._arguments(proxy, uri)
        try:
            _, connection = await wscore.ws_connect(
                self._make_connection,
                self.uri,
                extra_headers=headers._to_core(),
                **self._core_options,
                **given,
            )
        except wscore.WSInvalidURL as exc:
            raise InvalidURI(self.uri, exc.reason) from exc
        except wscore.WSHandshakeError as exc:
            error = handshake_exception(exc, uri, self._offered(), self._subprotocols)
            raise error from error.__cause__
        except OSError as exc:
            other = exc if proxy is None else from_wsproxy(proxy, exc)
            if other is exc:
                raise
            raise other from (None if other is exc.__cause__ else exc)
        if isinstance(connection, ExtensionConnection) and connection.negotiation_exc is not None:
            await connection.wait_closed()
            raise connection.negotiation_exc
        assert isinstance(connection, ClientConnection)
        return connection

    def _arguments(self, proxy: str | None, uri: WebSocketURI) -> dict[str, Any]:
        """Return the arguments of wscore that say how to reach the server."""
        if self._is_unix:
            given = check_arguments("create_unix_connection", self._given)
            return {"unix_path": given.pop("path", None), **given}
        if proxy is None:
            return check_arguments("create_connection", self._given)
        given = check_arguments("create_connection", self._given, *PROXY_ARGUMENTS)
        if not uri.secure:
            for name in ("ssl_handshake_timeout", "ssl_shutdown_timeout"):
                given.pop(name, None)
        return proxy_arguments(proxy, self._user_agent, given)

    def _offered(self) -> Sequence[ClientExtensionFactory] | None:
        """Return the extensions that are offered."""
        return client_extensions(*self._extensions, in_python=True)[1] or None

    def _make_connection(self) -> ClientConnection:
        connection = self._connection_class(**self._connection_options)  # type: ignore[arg-type]
        connection._check_initialized()
        connection._max_size = self._max_size
        if isinstance(connection, ExtensionConnection):
            connection.extend(self._max_size, factories=self._factories)
        return connection

    def process_redirect(self, exc: Exception) -> Exception | str:
        """Decide where to go after an answer that is not an acceptance.

        Args:
            exc: the exception of the attempt.

        Returns:
            The URI to go to, or the exception to raise.
        """
        if not (isinstance(exc, InvalidStatus) and exc.response.status_code in _REDIRECTS):
            return exc
        location = exc.response.headers.get("Location")
        if location is None:
            return exc
        try:
            target = urllib.parse.urljoin(self.uri, location)
            uri = parse_uri(target)
        except InvalidURI as error:
            return error
        except ValueError as error:
            return InvalidURI(location, str(error))
        if parse_uri(self.uri).secure and not uri.secure:
            return SecurityError(f"cannot follow redirect to non-secure URI {target}")
        if self._given.get("sock") is not None:
            return ValueError(f"cannot follow redirect to {target} with a preexisting socket")
        if _origin(target) != _origin(self.uri):
            for names, what in _FIXED_TARGETS:
                if self._given.keys() & names:
                    return ValueError(
                        f"cannot follow cross-origin redirect to {target} with {what}"
                    )
        return target


def unix_connect(path: UnixPath | None = None, uri: str | None = None, **kwargs: Any) -> connect:
    """Connect to a WebSocket server on a Unix socket.

    Args:
        path: the socket's path.
        uri: the URI to request; ``ws://localhost/``, or ``wss://localhost/`` with ``ssl``, if None.
        **kwargs: as for `connect`; other arguments are passed on to
            `asyncio.loop.create_unix_connection`.
    """
    if uri is None:
        uri = "ws://localhost/" if kwargs.get("ssl") is None else "wss://localhost/"
    return connect(uri, unix=True, path=path, **kwargs)


def _origin(uri: str) -> tuple[bool, str, int]:
    parsed = cached_uri(uri)
    return parsed.secure, parsed.host, parsed.port


def _for_another_origin(headers: Headers) -> Headers:
    """Return the headers without those that only the first origin may see."""
    fewer = headers.copy()
    for name in _ONLY_FOR_ONE_ORIGIN:
        if name in fewer:
            del fewer[name]
    return fewer
