"""The doors of the package: a tunnel as a socket, or as a transport with a protocol on it.

Whatever fails, cancellation included, no socket and no task may be left behind.
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

# Seconds for everything: names, connection, negotiation.
DEFAULT_TIMEOUT = 30.0

DEFAULT_USER_AGENT = f"wsproxy/{__version__}"

# One proxy's URL, or those of a chain, the nearest first.
Proxies = str | Sequence[str]

P = TypeVar("P", bound=asyncio.BaseProtocol)


def gives_socket(proxy: Proxies) -> bool:
    """Return whether a tunnel through the proxy is a plain socket, as `open_tunnel()` returns it.

    It is, unless TLS is spoken with a proxy on the way: then the tunnel's bytes are inside TLS,
    and only `open_tunnel_transport()` can give them.

    Raises:
        ProxyURLError: a URL is malformed.
        ProxyUnsupportedError: a scheme is none that wsproxy knows.
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
    """Connect to a proxy and have it connect on to a host and port.

    No byte of the tunnel has been read, so protocols in which the server speaks first work, too.

    Args:
        proxy: URL of an `http`, `socks4`, `socks4a`, `socks5` or `socks5h` proxy, such as
            `socks5://user:password@host:1080`, or several for a chain, the nearest first.
            Credentials are percent-encoded: basic or digest authentication for HTTP, user name
            and password for SOCKS5, a user id for SOCKS4.
        host: where the tunnel leads: a name, or an IPv4 or IPv6 address.
        port: its port.
        rdns: True lets the (last) proxy resolve the host's name, False resolves it here first,
            to one address, of IPv4 if there is one. None leaves it to the proxy, except for
            `socks4`, whose protocol has no names. True turns `socks4` into `socks4a`.
        timeout: seconds for all of it; None to wait for as long as it takes.
        headers: more fields for CONNECT requests. A `Proxy-Authorization` among them takes the
            place of the URL's credentials; it is refused with a chain. Not used with SOCKS.
        user_agent: the `User-Agent` of CONNECT requests; None leaves it out.
        auth: how credentials are given to HTTP proxies. `basic` sends them at once. `digest`
            waits for a challenge, so that the password itself is never sent. `any` is `basic`,
            and `digest` if the proxy insists on it.
        connect: a coroutine function that is given the (first) proxy's host and port and returns
            a socket that is connected to it, for a local address of one's own or the like; None
            to connect as RFC 8305 describes. It may be called again for another attempt. What it
            raises, unless an `OSError`, is not changed.

    Returns:
        A connected, non-blocking stream socket, which now belongs to the caller.

    Raises:
        ProxyURLError: a proxy's URL is malformed.
        ProxyUnsupportedError: its scheme, credentials or protocol cannot do what is asked. Also
            for `https` proxies, for which there is `open_tunnel_transport()`.
        ProxyConnectionError: the proxy cannot be reached, or a name does not resolve here.
        ProxyAuthenticationError: the proxy wants (other) credentials.
        ProxyRefusedError: the proxy refuses; `code` and `reason` tell why.
        ProxyReplyError: the proxy's answer is malformed, too long or cut short.
        ProxyTimeoutError: the deadline has passed.
        ValueError: `host`, `port`, `headers` or `auth` are malformed.
    """
    chain = _chain(proxy)
    for way in chain:
        if way.scheme == "https":
            raise ProxyUnsupportedError(
                "a tunnel through an https:// proxy is inside TLS and has no socket to give: "
                "use open_tunnel_transport()",
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
    """Open a tunnel and put a protocol on it, as `loop.create_connection()` does.

    It works for every kind of proxy, `https` included, and for any protocol of asyncio's two kinds.

    Args:
        protocol_factory: called without arguments once the tunnel stands.
        proxy: as for `open_tunnel()`, and `https` in addition: TLS to the proxy, and inside of it
            what is sent through the tunnel.
        host: as for `open_tunnel()`.
        port: as for `open_tunnel()`.
        ssl: a context to speak TLS with the target, inside the tunnel; True for the default one.
        server_hostname: the name the target's certificate has to bear; `host` if None.
        rdns: as for `open_tunnel()`.
        timeout: as for `open_tunnel()`; TLS with the proxy and the target counts as well.
        headers: as for `open_tunnel()`.
        user_agent: as for `open_tunnel()`.
        auth: as for `open_tunnel()`.
        connect: as for `open_tunnel()`.
        ssl_handshake_timeout: seconds for the handshake of TLS with the target, within `timeout`.
        proxy_ssl: a context to speak TLS with `https` proxies; the default one if None.
        proxy_server_hostname: the name the certificate of the (only) `https` proxy has to bear;
            its host if None.
        proxy_ssl_handshake_timeout: seconds for the handshake of TLS with each `https` proxy,
            within `timeout`.

    Returns:
        The transport and the protocol, whose `connection_made()` has been called.

    Raises:
        ProxyError: as `open_tunnel()`. TLS that fails with the proxy is a `ProxyConnectionError`.
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
    """Read the URLs. Raises `ProxyURLError` or `ProxyUnsupportedError` for the first bad one."""
    urls = [proxy] if isinstance(proxy, str) else list(proxy)
    if not urls:
        raise ValueError("a chain of proxies needs one proxy at least")
    return [parse_proxy_url(url) for url in urls]


def _hops(
    chain: list[ProxyURL], headers: Headers | None, user_agent: str | None, auth: Auth
) -> list[Hop]:
    """Return what each proxy is to be told; fields the caller gave take the place of our own."""
    if auth not in ("any", "basic", "digest"):
        raise ValueError(f"auth is {auth!r}; it has to be 'any', 'basic' or 'digest'")
    fields = check_headers(headers)
    given = {name.lower() for name, _ in fields}
    authorized = "proxy-authorization" in given
    if authorized and len(chain) > 1:
        raise ValueError("Proxy-Authorization in headers would go to every proxy of the chain")
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
    """Prepare the hops that are reached over TLS."""
    encrypted = [hop for hop in hops if hop.proxy.scheme == "https"]
    if server_hostname is not None and len(encrypted) != 1:
        raise ValueError("proxy_server_hostname needs exactly one https:// proxy")
    if encrypted and context is None:
        context = create_default_context()
    for hop in encrypted:
        hop.tls = context
        hop.server_hostname = server_hostname or hop.proxy.host
        hop.tls_timeout = timeout


@asynccontextmanager
async def _deadline(timeout: float | None, route: Route) -> AsyncIterator[None]:
    """Bound what happens inside, and say it in our own words if it takes too long."""
    try:
        async with asyncio.timeout(timeout) as limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        proxy = route.current
        raise ProxyTimeoutError(
            f"no tunnel through proxy {proxy} within {timeout:g} s",
            proxy_host=proxy.host,
            proxy_port=proxy.port,
        ) from error
