"""The entry points of the package: a tunnel as a socket, or as a transport with a protocol.

After any failure, including cancellation, no socket and no task may be left behind.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from ssl import SSLContext, create_default_context
from typing import TypeVar

from .authorization import Auth, Authorization
from .chain import Connect, Hop, Route
from .connect_request import Headers, check_headers
from .errors import ProxyTimeoutError, ProxyUnsupportedError
from .start_tls import start_tls
from .stream import SocketStream
from .target import parse_target
from .url import ProxyURL, parse_proxy_url
from .version import __version__

__all__ = [
    "DEFAULT_TIMEOUT",
    "DEFAULT_USER_AGENT",
    "Proxies",
    "gives_socket",
    "open_tunnel",
    "open_tunnel_transport",
]

# Seconds for everything: name resolution, connection, negotiation.
DEFAULT_TIMEOUT = 30.0

DEFAULT_USER_AGENT = f"wsproxy/{__version__}"

# One proxy's URL, or those of a chain, the nearest first.
Proxies = str | Sequence[str]

P = TypeVar("P", bound=asyncio.BaseProtocol)


def gives_socket(proxy: Proxies) -> bool:
    """Return whether a tunnel through the proxy is a plain socket, as `open_tunnel()` returns it.

    It is not if TLS is used with a proxy: then the tunnel is inside TLS, and only
    `open_tunnel_transport()` can open it.

    Raises:
        ProxyURLError: a URL is malformed.
        ProxyUnsupportedError: wsproxy does not support a URL's scheme.
    """
    return all(way.scheme != "https" for way in _chain(proxy))


async def open_tunnel(
    proxy: Proxies,
    host: str,
    port: int,
    *,
    rdns: bool | None = None,
    timeout: float | None = DEFAULT_TIMEOUT,
    headers: Headers | None = None,
    user_agent: str | None = DEFAULT_USER_AGENT,
    auth: Auth = "any",
    connect: Connect | None = None,
) -> socket.socket:
    """Connect to a host and port through a proxy.

    No tunnelled data is read, so protocols in which the server speaks first work, too.

    Args:
        proxy: URL of an `http`, `socks4`, `socks4a`, `socks5` or `socks5h` proxy, such as
            `socks5://user:password@host:1080`, or several for a chain, the nearest first.
            Credentials are percent-encoded: basic or digest authentication for HTTP, user name
            and password for SOCKS5, a user id for SOCKS4.
        host: the target: a name, or an IPv4 or IPv6 address.
        port: its port.
        rdns: True: the (last) proxy resolves the host's name. False: the client resolves it, to
            one address, an IPv4 address if there is one. None: the proxy does, except for
            `socks4`, whose protocol has no names. True turns `socks4` into `socks4a`.
        timeout: seconds for everything; None for no limit.
        headers: additional headers for CONNECT requests. A `Proxy-Authorization` among them
            replaces the URL's credentials; it cannot be used with a chain. Not used with SOCKS.
        user_agent: the `User-Agent` of CONNECT requests; None omits it.
        auth: how to authenticate with HTTP proxies. `basic` sends the credentials with the first
            request. `digest` waits for a challenge, so that the password itself is never sent.
            `any` is `basic`, and `digest` if the proxy requires it.
        connect: a coroutine function that takes the (first) proxy's host and port and returns a
            socket that is connected to it, for example with a specific local address; None to
            connect as described in RFC 8305. It may be called again for another attempt. Its
            exceptions, except `OSError`, are not converted.

    Returns:
        A connected, non-blocking stream socket, which the caller owns.

    Raises:
        ProxyURLError: a proxy's URL is malformed.
        ProxyUnsupportedError: the proxy's scheme or protocol does not support the request or the
            credentials. Also for `https` proxies, which need `open_tunnel_transport()`.
        ProxyConnectionError: the proxy cannot be reached, or the client cannot resolve a name.
        ProxyAuthenticationError: the proxy requires (other) credentials.
        ProxyRefusedError: the proxy refuses; `code` and `reason` give the reason.
        ProxyReplyError: the proxy's reply is malformed, too long or incomplete.
        ProxyTimeoutError: the deadline has passed.
        ValueError: `host`, `port`, `headers` or `auth` is invalid.
    """
    chain = _chain(proxy)
    for way in chain:
        if way.scheme == "https":
            raise ProxyUnsupportedError(
                "open_tunnel() cannot be used with an https:// proxy, because the tunnel is "
                "inside TLS: use open_tunnel_transport()",
                proxy_host=way.host,
                proxy_port=way.port,
            )
    hops = _hops(chain, headers, user_agent, auth)
    route = Route(hops, parse_target(host, port), rdns, connect)
    async with _deadline(timeout, route):
        leg = await route.connect()
    return leg.socket


async def open_tunnel_transport(
    protocol_factory: Callable[[], P],
    proxy: Proxies,
    host: str,
    port: int,
    *,
    ssl: SSLContext | bool | None = None,
    server_hostname: str | None = None,
    rdns: bool | None = None,
    timeout: float | None = DEFAULT_TIMEOUT,
    headers: Headers | None = None,
    user_agent: str | None = DEFAULT_USER_AGENT,
    auth: Auth = "any",
    connect: Connect | None = None,
    ssl_handshake_timeout: float | None = None,
    proxy_ssl: SSLContext | None = None,
    proxy_server_hostname: str | None = None,
    proxy_ssl_handshake_timeout: float | None = None,
) -> tuple[asyncio.Transport, P]:
    """Open a tunnel and connect a protocol to it, like `loop.create_connection()`.

    It works for every kind of proxy, including `https`, and for both kinds of asyncio protocols.

    Args:
        protocol_factory: called without arguments once the tunnel is open.
        proxy: as for `open_tunnel()`, and also `https`: TLS with the proxy, and the tunnel inside
            of it.
        host: as for `open_tunnel()`.
        port: as for `open_tunnel()`.
        ssl: a context for TLS with the target, inside the tunnel; True for the default one.
        server_hostname: the name that the target's certificate must match; `host` if None.
        rdns: as for `open_tunnel()`.
        timeout: as for `open_tunnel()`; includes TLS with the proxy and the target.
        headers: as for `open_tunnel()`.
        user_agent: as for `open_tunnel()`.
        auth: as for `open_tunnel()`.
        connect: as for `open_tunnel()`.
        ssl_handshake_timeout: seconds for the TLS handshake with the target, within `timeout`.
        proxy_ssl: a context for TLS with `https` proxies; the default one if None.
        proxy_server_hostname: the name that the certificate of the (only) `https` proxy must
            match; its host if None.
        proxy_ssl_handshake_timeout: seconds for the TLS handshake with each `https` proxy, within
            `timeout`.

    Returns:
        The transport and the protocol, whose `connection_made()` has been called.

    Raises:
        ProxyError: as `open_tunnel()`; `ProxyConnectionError` if TLS with the proxy fails.
        OSError: TLS with the target failed (`ssl.SSLError`) or took too long
            (`ConnectionAbortedError`).
        ValueError: as `open_tunnel()`, or `server_hostname` without `ssl`.
    """
    target = parse_target(host, port)
    if server_hostname is not None and not ssl:
        raise ValueError("server_hostname is only meaningful with ssl")
    context = create_default_context() if ssl is True else ssl or None
    hops = _hops(_chain(proxy), headers, user_agent, auth)
    _add_tls(hops, proxy_ssl, proxy_server_hostname, proxy_ssl_handshake_timeout)
    route = Route(hops, target, rdns, connect)
    async with _deadline(timeout, route):
        leg = await route.connect()
        try:
            if context is not None:
                leg = await start_tls(
                    leg, context, server_hostname or target.host, ssl_handshake_timeout
                )
            if isinstance(leg, SocketStream):
                return await asyncio.get_running_loop().create_connection(
                    protocol_factory, sock=leg.socket
                )
            protocol = protocol_factory()
            leg.hand_over(protocol)
        except BaseException:
            leg.abort()
            raise
    return leg.transport, protocol


def _chain(proxy: Proxies) -> list[ProxyURL]:
    """Parse the URLs; raise `ProxyURLError` or `ProxyUnsupportedError` for the first bad one."""
    urls = [proxy] if isinstance(proxy, str) else list(proxy)
    if not urls:
        raise ValueError("a chain of proxies must have at least one proxy")
    return [parse_proxy_url(url) for url in urls]


def _hops(
    chain: list[ProxyURL], headers: Headers | None, user_agent: str | None, auth: Auth
) -> list[Hop]:
    """Return the data for each proxy; the caller's headers replace our own."""
    if auth not in ("any", "basic", "digest"):
        raise ValueError(f"auth must be 'any', 'basic' or 'digest', not {auth!r}")
    fields = check_headers(headers)
    given = {name.lower() for name, _ in fields}
    authorized = "proxy-authorization" in given
    if authorized and len(chain) > 1:
        raise ValueError(
            "Proxy-Authorization in headers cannot be combined with a chain: it would be sent to "
            "every proxy of the chain"
        )
    if user_agent is not None and "user-agent" not in given:
        fields += check_headers({"User-Agent": user_agent})
    return [
        Hop(
            way,
            fields,
            None if authorized or way.is_socks else Authorization(way, auth),
        )
        for way in chain
    ]


def _add_tls(
    hops: list[Hop],
    context: SSLContext | None,
    server_hostname: str | None,
    timeout: float | None,
) -> None:
    """Configure the hops that are connected to over TLS."""
    encrypted = [hop for hop in hops if hop.proxy.scheme == "https"]
    if server_hostname is not None and len(encrypted) != 1:
        raise ValueError("proxy_server_hostname requires exactly one https:// proxy")
    if encrypted and context is None:
        context = create_default_context()
    for hop in encrypted:
        hop.tls = context
        hop.server_hostname = server_hostname or hop.proxy.host
        hop.tls_timeout = timeout


@asynccontextmanager
async def _deadline(timeout: float | None, route: Route) -> AsyncIterator[None]:
    """Limit the time for the block, and convert a timeout to `ProxyTimeoutError`."""
    try:
        async with asyncio.timeout(timeout) as limit:
            yield
    except TimeoutError as exc:
        if not limit.expired():
            raise
        proxy = route.current
        raise ProxyTimeoutError(
            f"no tunnel through proxy {proxy} within {timeout:g} s",
            proxy_host=proxy.host,
            proxy_port=proxy.port,
        ) from exc
