"""Connections through proxies: which proxies to use, and which arguments to pass to wsproxy.

wsproxy is an extra: it is imported only when a proxy may be used. No socket may be left behind if
anything fails before there is a protocol.
"""

from __future__ import annotations

import socket
import ssl as ssl_module
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal, TypeVar

from ..connection.protocol import WSProtocolCore
from ..errors import WSError
from ..handshake.url import WSParsedURL
from .endpoints import open_stream
from .tcp import CONNECTING_ARGUMENTS, connect_socket

__all__ = ["Proxy", "ProxySettings", "choose_proxy", "open_proxied_stream"]

P = TypeVar("P", bound=WSProtocolCore)

# One proxy's URL, those of a chain, or the proxy of the environment: True or "env".
Proxy = str | Sequence[str] | Literal[True]

# Arguments of `asyncio.loop.create_connection` for TLS with the server.
_TO_SERVER = {"ssl_handshake_timeout", "ssl_shutdown_timeout"}

# Options for TLS with the proxy itself.
_FOR_TLS = {"proxy_server_hostname", "proxy_ssl", "proxy_ssl_handshake_timeout"}


@dataclass(frozen=True, slots=True, repr=False)
class ProxySettings:
    """Settings for the connection to any proxy.

    Attributes:
        ssl_context: for proxies with TLS; None for the default one.
        options: further arguments of `wsproxy.open_tunnel_transport`.
        make_socket: makes the socket to the first proxy from its URL, or returns None.
    """

    ssl_context: ssl_module.SSLContext | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    make_socket: Callable[[WSParsedURL], Awaitable[socket.socket | None]] | None = None


def choose_proxy(
    proxy: Proxy | None, url: WSParsedURL, *, has_socket: bool
) -> str | Sequence[str] | None:
    """Decide on the proxies for a URL.

    Args:
        proxy: as given to `ws_connect`.
        url: the URL to connect to.
        has_socket: whether `sock` or `unix_path` is given; then a configured proxy is ignored.

    Returns:
        A URL, those of a chain, or None for no proxy.

    Raises:
        ValueError: if both a proxy and a socket are given.
        WSError: if wsproxy is needed but not installed.
    """
    if proxy is None:
        return None
    if proxy is True or proxy == "env":
        if has_socket:
            return None
        configured: str | None = _wsproxy().proxy_from_environment(url.scheme, url.host, url.port)
        return configured
    if has_socket:
        raise ValueError(
            "proxy cannot be combined with sock or unix_path; use socket_factory to connect to it"
        )
    return proxy


async def open_proxied_stream(
    make_protocol: Callable[[], P],
    proxies: str | Sequence[str],
    settings: ProxySettings,
    *,
    host: str,
    port: int,
    ssl: ssl_module.SSLContext | bool | None = None,
    server_hostname: str | None = None,
    opening_timeout: float | None = None,
    **kwargs: Any,
) -> P:
    """Connect a protocol through proxies.

    Args:
        make_protocol: called once the tunnel is open.
        proxies: URL of the proxy, or those of a chain, the nearest first.
        settings: for the connection to them.
        host: the destination of the tunnel.
        port: its port.
        ssl: a context for TLS with the host, inside the tunnel, or None.
        server_hostname: the name in the host's certificate.
        opening_timeout: seconds for that TLS handshake, as for `open_stream`; through a proxy with
            TLS the timeout of the tunnel applies instead.
        **kwargs: the further arguments of `asyncio.loop.create_connection`: those of connecting
            apply to the first proxy, those of TLS to the host.

    Returns:
        The protocol.

    Raises:
        WSError: if wsproxy is not installed.
        OSError: if the tunnel (`wsproxy.ProxyError`) or TLS inside it fails.
        TypeError: if there are unexpected keyword arguments.
        ValueError: if an argument is malformed.
    """
    wsproxy = _wsproxy()
    connecting = {name: kwargs.pop(name) for name in CONNECTING_ARGUMENTS & kwargs.keys()}
    if unknown := sorted(kwargs.keys() - (_TO_SERVER if ssl else set())):
        raise TypeError(f"unexpected keyword arguments: {', '.join(unknown)}")
    options = {"proxy_ssl": settings.ssl_context, **settings.options}
    if connecting or settings.make_socket is not None:
        options["connect"] = _Connect(proxies, settings, connecting)
    if ssl:
        kwargs["server_hostname"] = server_hostname
    if wsproxy.gives_socket(proxies):
        for name in _FOR_TLS & options.keys():
            del options[name]
        sock = await wsproxy.open_tunnel(proxies, host, port, **options)
        return await open_stream(
            make_protocol, ssl=ssl, sock=sock, opening_timeout=opening_timeout, **kwargs
        )
    kwargs.pop("ssl_shutdown_timeout", None)  # TLS of wsproxy does not wait for close_notify
    protocol: P
    _, protocol = await wsproxy.open_tunnel_transport(
        make_protocol, proxies, host, port, ssl=ssl, **options, **kwargs
    )
    return protocol


@dataclass(frozen=True, slots=True, repr=False)
class _Connect:
    """Connects to the first proxy, with the socket factory or with asyncio's arguments."""

    proxies: str | Sequence[str]
    settings: ProxySettings
    arguments: Mapping[str, Any]

    async def __call__(self, host: str, port: int) -> socket.socket:
        sock = None
        if self.settings.make_socket is not None:
            sock = await self.settings.make_socket(_parsed(self.proxies))
        return await connect_socket(host, port, **self.arguments) if sock is None else sock


def _parsed(proxies: str | Sequence[str]) -> WSParsedURL:
    """Parse the first proxy's URL for the socket factory."""
    url = proxies if isinstance(proxies, str) else proxies[0]
    parts = _wsproxy().parse_proxy_url(url)
    return WSParsedURL(
        url=url,
        scheme=parts.scheme,
        is_secure=parts.scheme == "https",
        netloc=urllib.parse.urlsplit(url).netloc,
        host=parts.host,
        port=parts.port,
        path="",
        query="",
        username=parts.username,
        password=parts.password,
    )


def _wsproxy() -> ModuleType:
    try:
        import wsproxy
    except ImportError as exc:
        raise WSError(
            "proxy requires the package wsproxy-asyncio: pip install 'wscore-asyncio[proxy]'"
        ) from exc
    return wsproxy
