"""A client's route to a server: directly, on the caller's socket, or through a proxy.

No socket may be left behind if anything fails before there is a protocol.
"""

from __future__ import annotations

import asyncio
import inspect
import socket
import ssl as ssl_module
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..connection.protocol import WSProtocolCore
from ..handshake.url import WSParsedURL
from .endpoints import open_stream
from .proxy import Proxy, ProxySettings, choose_proxy, open_proxied_stream
from .tls_side import check_context
from .unix import UnixPath, connected_socket

__all__ = ["Route", "SocketFactory"]

P = TypeVar("P", bound=WSProtocolCore)

SocketFactory = Callable[[WSParsedURL], socket.socket | Awaitable[socket.socket | None] | None]


@dataclass(frozen=True, slots=True, repr=False)
class Route:
    """The arguments of `ws_connect` that say how to connect, for any URL.

    Attributes:
        ssl_context: for ``wss://`` only; a default one if None.
        proxy: a proxy's URL, those of a chain, True or ``"env"`` for the configured one, or None.
        proxy_ssl_context: for ``https://`` proxies; a default one if None.
        proxy_options: further arguments of `wsproxy.open_tunnel_transport`.
        socket_factory: makes the socket to the server or the first proxy, or returns None.
        unix_path: path of the unix socket to connect to, or None.
        arguments: further arguments of `asyncio.loop.create_connection`.

    Raises:
        TypeError: if a context is not an `ssl.SSLContext`.
        ValueError: if a context is one for servers.
    """

    ssl_context: ssl_module.SSLContext | None = None
    proxy: Proxy | None = None
    proxy_ssl_context: ssl_module.SSLContext | None = None
    proxy_options: Mapping[str, Any] | None = None
    socket_factory: SocketFactory | None = None
    unix_path: UnixPath | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_context("ssl_context", self.ssl_context, "client")
        check_context("proxy_ssl_context", self.proxy_ssl_context, "client")
        given = self.arguments.get("ssl")
        if not isinstance(given, bool):
            check_context("ssl", given, "client")

    async def open(
        self,
        make_protocol: Callable[[], P],
        url: WSParsedURL,
        *,
        opening_timeout: float | None = None,
    ) -> P:
        """Connect a protocol.

        Args:
            make_protocol: called once the socket, or the tunnel, is connected.
            url: the URL to connect to.
            opening_timeout: seconds for the TLS handshake with the server, unless
                ``ssl_handshake_timeout`` is less; None for no such limit.

        Returns:
            The protocol.

        Raises:
            OSError: if the connection cannot be made.
            ValueError: if the arguments contradict each other.
            WSError: if wsproxy is needed but not installed.
        """
        arguments = dict(self.arguments)
        if url.is_secure:
            context = self.ssl_context or arguments.get("ssl")
            arguments["ssl"] = context or ssl_module.create_default_context()
            arguments["server_hostname"] = arguments.get("server_hostname") or url.host
        elif arguments.get("ssl"):
            raise ValueError("ssl cannot be combined with a ws:// URL")
        proxies = choose_proxy(self.proxy, url, has_socket=self._has_socket())
        if proxies is None and (sock := await self._own_socket(url)) is not None:
            arguments["sock"] = sock
        if arguments.get("sock") is None:
            arguments.pop("sock", None)
            arguments = {"host": url.host, "port": url.port, **arguments}
        if url.is_secure:
            arguments["opening_timeout"] = opening_timeout
        if proxies is None:
            return await open_stream(make_protocol, **arguments)
        return await open_proxied_stream(make_protocol, proxies, self._settings(), **arguments)

    def _has_socket(self) -> bool:
        """Return whether `sock` or `unix_path` is given, so that no proxy is needed."""
        ways = {
            "sock": self.arguments.get("sock"),
            "unix_path": self.unix_path,
            "socket_factory": self.socket_factory,
        }
        given = [name for name, value in ways.items() if value is not None]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} cannot be combined")
        return bool(given) and given != ["socket_factory"]

    def _settings(self) -> ProxySettings:
        return ProxySettings(
            self.proxy_ssl_context,
            self.proxy_options or {},
            None if self.socket_factory is None else self._own_socket,
        )

    async def _own_socket(self, url: WSParsedURL) -> socket.socket | None:
        """Return the socket from `unix_path` or the socket factory; None to connect as usual."""
        if self.unix_path is not None:
            return await connected_socket(self.unix_path)
        if self.socket_factory is None:
            return None
        made = self.socket_factory(url)
        sock = await made if inspect.isawaitable(made) else made
        if sock is None:
            return None
        if not isinstance(sock, socket.socket):
            raise TypeError(f"socket_factory must return a socket or None, not {sock!r}")
        sock.setblocking(False)
        try:
            sock.getpeername()
        except OSError:
            try:
                await asyncio.get_running_loop().sock_connect(sock, (url.host, url.port))
            except BaseException:
                sock.close()
                raise
        return sock
