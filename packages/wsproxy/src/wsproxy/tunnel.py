"""The door of the package: opens a tunnel to a host through a proxy.

Whatever fails, cancellation included, no socket and no task may be left behind.
"""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .connect_request import Headers, basic_credentials, check_headers
from .dial import dial
from .errors import ProxyConnectionError, ProxyTimeoutError, ProxyUnsupportedError
from .http_step import ask_for_tunnel, refusal
from .resolve import resolve
from .socks_step import ask_socks, check_socks
from .stream import SocketStream
from .target import Target, parse_target
from .url import ProxyURL, parse_proxy_url
from .version import __version__

__all__ = ["DEFAULT_TIMEOUT", "DEFAULT_USER_AGENT", "open_tunnel"]

# Seconds for everything: the name of the proxy, the connection, the negotiation.
DEFAULT_TIMEOUT = 30.0

DEFAULT_USER_AGENT = f"wsproxy/{__version__}"


async def open_tunnel(
    proxy: str,
    host: str,
    port: int,
    *,
    rdns: bool | None = None,
    timeout: float | None = DEFAULT_TIMEOUT,
    headers: Headers | None = None,
    user_agent: str | None = DEFAULT_USER_AGENT,
) -> socket.socket:
    """Connect to a proxy and have it connect on to a host and port.

    No byte of the tunnel has been read, so protocols in which the server speaks first work, too.

    Args:
        proxy: `http://`, `socks4://`, `socks4a://`, `socks5://` or `socks5h://` URL. Credentials
            in it are percent-encoded: basic authentication for HTTP, user name and password for
            SOCKS5, a user id for SOCKS4.
        host: where the tunnel leads: a name, or an IPv4 or IPv6 address.
        port: its port.
        rdns: True lets the proxy resolve the host's name, False resolves it here first. None
            leaves it to the proxy, except for `socks4://`, whose protocol has no names. True
            turns `socks4` into `socks4a`.
        timeout: seconds for all of it; None to wait for as long as it takes.
        headers: more fields for the CONNECT request. A `Proxy-Authorization` among them takes
            the place of the URL's credentials. Not used with SOCKS.
        user_agent: the CONNECT request's `User-Agent`; None leaves it out.

    Returns:
        A connected, non-blocking stream socket, which now belongs to the caller.

    Raises:
        ProxyURLError: the proxy's URL is malformed.
        ProxyUnsupportedError: its scheme, credentials or protocol cannot do what is asked.
        ProxyConnectionError: the proxy cannot be reached, or a name does not resolve here.
        ProxyAuthenticationError: the proxy wants (other) credentials.
        ProxyRefusedError: the proxy refuses; `code` and `reason` tell why.
        ProxyReplyError: the proxy's answer is malformed, too long or cut short.
        ProxyTimeoutError: the deadline has passed.
        ValueError: `host`, `port` or `headers` are malformed.
    """
    way = parse_proxy_url(proxy)
    if way.scheme == "https":
        raise ProxyUnsupportedError(
            "proxies that are reached over TLS (https://) are not supported",
            proxy_host=way.host,
            proxy_port=way.port,
        )
    target = parse_target(host, port)
    fields = _fields(way, check_headers(headers), user_agent)
    async with _deadline(timeout, way):
        if rdns is False or (rdns is None and not way.resolves_names):
            target = await _resolved(target, way)
        if way.is_socks:
            check_socks(way, target)
        stream = SocketStream(await _dialled(way))
        try:
            if way.is_socks:
                await ask_socks(stream.socket, way, target)
            else:
                reply = await ask_for_tunnel(stream, way, target, fields)
                if not reply.is_open:
                    raise refusal(way, reply)
        except BaseException:
            await stream.abort()
            raise
    return stream.socket


def _fields(
    proxy: ProxyURL, headers: tuple[tuple[str, str], ...], user_agent: str | None
) -> tuple[tuple[str, str], ...]:
    """Return the fields of a CONNECT request; those the caller gave come before our own."""
    given = {name.lower() for name, _ in headers}
    fields = list(headers)
    if user_agent is not None and "user-agent" not in given:
        fields += check_headers({"User-Agent": user_agent})
    if not proxy.is_socks and "proxy-authorization" not in given:
        credentials = basic_credentials(proxy)
        if credentials is not None:
            fields.append(("Proxy-Authorization", credentials))
    return tuple(fields)


@asynccontextmanager
async def _deadline(timeout: float | None, proxy: ProxyURL) -> AsyncIterator[None]:
    """Bound what happens inside, and say it in our own words if it takes too long."""
    try:
        async with asyncio.timeout(timeout) as limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise ProxyTimeoutError(
            f"no tunnel through proxy {proxy} within {timeout:g} s",
            proxy_host=proxy.host,
            proxy_port=proxy.port,
        ) from error


async def _resolved(target: Target, proxy: ProxyURL) -> Target:
    """Return the target with an address in place of its name."""
    if target.ip_version is not None:
        return target
    family = socket.AF_INET if proxy.scheme.startswith("socks4") else socket.AF_UNSPEC
    try:
        addresses = await resolve(target, family)
    except OSError as error:
        raise _unreachable(f"{target.host} cannot be resolved here", proxy, error) from error
    return parse_target(addresses[0][4][0], target.port)


async def _dialled(proxy: ProxyURL) -> socket.socket:
    try:
        return await dial(parse_target(proxy.host, proxy.port))
    except OSError as error:
        raise _unreachable(f"proxy {proxy} cannot be reached", proxy, error) from error


def _unreachable(what: str, proxy: ProxyURL, error: OSError) -> ProxyConnectionError:
    failure = ProxyConnectionError(f"{what}: {error}", proxy_host=proxy.host, proxy_port=proxy.port)
    failure.errno = error.errno
    return failure
