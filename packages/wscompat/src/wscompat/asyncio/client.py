"""The client's side: `connect`.

wscore opens the connection; this file gives it the arguments and the exceptions of websockets.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Generator, Sequence
from types import TracebackType
from typing import Any

import wscore

from ..datastructures import Headers, HeadersLike
from ..exceptions import InvalidURI
from ..headers import validate_subprotocols
from ..http11 import USER_AGENT
from ..typing import LoggerLike, Origin, Subprotocol
from .connection import Connection
from .handshake_errors import from_core
from .limits import MaxQueue, MaxSize, WriteLimit, core_sizes

__all__ = ["ClientConnection", "connect"]


class ClientConnection(Connection):
    """The client's end of a connection; made by `connect`."""


class connect:  # noqa: N801
    """Connect to a WebSocket server.

    Awaited, it gives a `ClientConnection`; as an asynchronous context manager it also closes it.

    Args:
        uri: ``ws://`` or ``wss://``; user name and password in it are sent as basic authentication.
        origin: value of ``Origin``.
        subprotocols: names of subprotocols, the preferred one first.
        compression: None; there is no compression.
        additional_headers: further header fields of the request.
        user_agent_header: value of ``User-Agent``; None for none.
        proxy: URL of an HTTP or SOCKS proxy; None for none.
        open_timeout: seconds for all of it, from resolving the name to the server's answer; None
            for no limit.
        ping_interval: seconds between keepalive pings; None for none.
        ping_timeout: seconds to wait for the answer of one, after which the connection is closed
            with code 1011; None for no limit.
        close_timeout: seconds for the closing handshake and the end of the TCP connection; None
            for no limit.
        max_size: bytes of a received message, or a pair of limits for message and fragment; None
            for no limit.
        max_queue: received frames at which reading pauses, or a pair: the mark at which it
            pauses, and the one at which it goes on. None for no limit.
        write_limit: bytes waiting to be sent at which `Connection.send` waits, or such a pair.
        logger: where to log; the logger ``wscompat.client`` if None.
        create_connection: the class of the connection, derived from `ClientConnection`.
        **kwargs: passed on to `asyncio.loop.create_connection`: ``ssl``, ``sock``,
            ``server_hostname``, or ``host`` and ``port`` to connect to another place than the
            URI names.

    Raises:
        InvalidURI: if the URI is not a WebSocket URI.
        InvalidHandshake: if the server's answer is no valid acceptance; a subclass says why.
        OSError: if there is no connection (`ssl.SSLError` among them).
        TimeoutError: if there was no answer in time.
    """

    def __init__(
        self,
        uri: str,
        *,
        origin: Origin | str | None = None,
        subprotocols: Sequence[Subprotocol | str] | None = None,
        compression: None = None,
        additional_headers: HeadersLike | None = None,
        user_agent_header: str | None = USER_AGENT,
        proxy: str | None = None,
        open_timeout: float | None = 10,
        ping_interval: float | None = 20,
        ping_timeout: float | None = 20,
        close_timeout: float | None = 10,
        max_size: MaxSize = 2**20,
        max_queue: MaxQueue = 16,
        write_limit: WriteLimit = 2**15,
        logger: LoggerLike | None = None,
        create_connection: type[ClientConnection] | None = None,
        **kwargs: Any,
    ) -> None:
        if compression is not None:
            raise ValueError(f"unsupported compression: {compression}")
        self.uri = uri
        self.logger = logger or logging.getLogger("wscompat.client")
        self._open_timeout = open_timeout
        self._connection_class = create_connection or ClientConnection
        self._connection_options = {
            "ping_interval": ping_interval,
            "ping_timeout": ping_timeout,
            "close_timeout": close_timeout,
            "max_queue": max_queue,
            "write_limit": write_limit,
            "logger": self.logger,
        }
        self._subprotocols_offered = subprotocols is not None
        headers = Headers(additional_headers or ())
        if origin is not None:
            headers["Origin"] = origin
        if subprotocols is not None:
            validate_subprotocols(subprotocols)
            headers["Sec-WebSocket-Protocol"] = ", ".join(subprotocols)
        if user_agent_header is not None and "User-Agent" not in headers:
            headers["User-Agent"] = user_agent_header
        self._core_options = {
            "extra_headers": list(headers.raw_items()),
            "proxy": proxy,
            **core_sizes(max_size),
            "websocket_handshake_timeout": None,
            "logger_name": self.logger,
            **kwargs,
        }

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

    async def _connect(self) -> ClientConnection:
        try:
            async with asyncio.timeout(self._open_timeout):
                return await self._open()
        except TimeoutError as exc:
            raise TimeoutError("timed out during opening handshake") from exc

    async def _open(self) -> ClientConnection:
        self._check_ssl()
        try:
            _, connection = await wscore.ws_connect(
                self._make_connection, self.uri, **self._core_options
            )
        except wscore.WSInvalidURL as exc:
            raise InvalidURI(self.uri, exc.reason) from exc
        except wscore.WSHandshakeError as exc:
            raise from_core(exc, subprotocols_offered=self._subprotocols_offered) from exc
        assert isinstance(connection, ClientConnection)
        return connection

    def _make_connection(self) -> ClientConnection:
        return self._connection_class(**self._connection_options)  # type: ignore[arg-type]

    def _check_ssl(self) -> None:
        scheme = self.uri.partition("://")[0].lower()
        ssl_given = "ssl" in self._core_options
        ssl = self._core_options.get("ssl")
        if scheme == "ws" and ssl is not None:
            raise ValueError("ssl argument is incompatible with a ws:// URI")
        if scheme == "wss" and ssl_given and ssl is None:
            raise ValueError("ssl=None is incompatible with a wss:// URI")
