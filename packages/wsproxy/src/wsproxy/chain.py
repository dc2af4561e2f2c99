"""Connect through one or several proxies, step by step, to the target.

After each step, the next byte of the stream belongs to the following step. On any failure the
stream is aborted: there is one connection at any time, owned by the loop in `_attempt()`.
"""

import socket
import ssl
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from .authorization import Authorization
from .dial import dial
from .errors import ProxyConnectionError, ProxyError, ProxyUnsupportedError
from .http_connect import ask_for_tunnel, refusal
from .resolve import most_reachable, resolve
from .socket_bridge import lent_socket
from .socks_connect import ask_socks, check_socks
from .start_tls import start_tls
from .stream import SocketStream
from .target import Target, parse_target
from .transport_stream import TransportStream
from .url import ProxyURL

__all__ = ["Connect", "Hop", "Route"]

Leg = SocketStream | TransportStream

# Returns a socket that is connected to a host and port.
Connect = Callable[[str, int], Awaitable[socket.socket]]


@dataclass(slots=True, repr=False)
class Hop:
    """One proxy of a route, and the data for it. Not shown by `repr()`: headers may be secret.

    Attributes:
        proxy: its URL.
        headers: validated headers of the CONNECT request, without those of `authorization`.
        authorization: the credentials; None if they are in `headers`.
        tls: the context for an `https://` proxy, else None.
        server_hostname: the name that its certificate must match.
        tls_timeout: seconds for the TLS handshake with it; None for no separate limit.
    """

    proxy: ProxyURL
    headers: tuple[tuple[str, str], ...] = ()
    authorization: Authorization | None = None
    tls: ssl.SSLContext | None = None
    server_hostname: str = ""
    tls_timeout: float | None = None


@dataclass(slots=True, repr=False)
class Route:
    """The proxies on the way to a target, the nearest first.

    Attributes:
        hops: at least one.
        target: the address that the last proxy connects to.
        rdns: whether the last proxy resolves the target's name; None for its protocol's default.
        connect_first: connects to the first proxy; None for `dial()`.
        current: the proxy that is currently waited for, for the error after a timeout.
    """

    hops: Sequence[Hop]
    target: Target
    rdns: bool | None
    connect_first: Connect | None = None
    current: ProxyURL = field(init=False)

    def __post_init__(self) -> None:
        self.current = self.hops[0].proxy

    async def connect(self) -> Leg:
        """Return a stream whose peer is the target.

        Raises:
            ProxyError: one of its subclasses, for the proxy that failed.
        """
        while True:
            leg = await self._attempt()
            if leg is not None:
                return leg

    async def _attempt(self) -> Leg | None:
        """Connect through all proxies once; None if one requires another form of credentials.

        The next attempt uses a new connection, so that the rest of the refusal need not be read.
        """
        goals = [parse_target(hop.proxy.host, hop.proxy.port) for hop in self.hops[1:]]
        goals = [*goals, self.target]
        leg: Leg | None = None
        try:
            for position, (hop, goal) in enumerate(zip(self.hops, goals, strict=True)):
                self.current = hop.proxy
                rdns = self.rdns if position == len(goals) - 1 else None
                goal = await _resolved(hop.proxy, goal, rdns)
                if "%" in goal.host:
                    raise _no_scope(hop.proxy, goal)
                if hop.proxy.is_socks:
                    check_socks(hop.proxy, goal)
                leg = await _connected(hop.proxy, self.connect_first) if leg is None else leg
                if hop.tls is not None:
                    leg = await _encrypted(leg, hop, hop.tls)
                if not await _passed(leg, hop, goal):
                    leg.abort()
                    return None
        except BaseException:
            if leg is not None:
                leg.abort()
            raise
        return leg


async def _resolved(proxy: ProxyURL, goal: Target, rdns: bool | None) -> Target:
    """Return the goal in the form to send to the proxy: a name, or an address."""
    if goal.ip_version is not None or (proxy.resolves_names if rdns is None else rdns):
        return goal
    family = socket.AF_INET if proxy.scheme.startswith("socks4") else socket.AF_UNSPEC
    try:
        addresses = await resolve(goal, family)
    except OSError as exc:
        raise _failure(proxy, f"cannot resolve {goal.host}", exc) from exc
    return parse_target(most_reachable(addresses)[4][0], goal.port)


async def _connected(proxy: ProxyURL, connect: Connect | None) -> SocketStream:
    try:
        if connect is None:
            sock = await dial(parse_target(proxy.host, proxy.port))
        else:
            sock = await connect(proxy.host, proxy.port)
    except OSError as exc:
        raise _failure(proxy, f"cannot connect to proxy {proxy}", exc) from exc
    sock.setblocking(False)
    return SocketStream(sock)


async def _encrypted(leg: Leg, hop: Hop, context: ssl.SSLContext) -> TransportStream:
    try:
        return await start_tls(leg, context, hop.server_hostname, hop.tls_timeout)
    except OSError as exc:
        raise _failure(hop.proxy, f"TLS handshake with proxy {hop.proxy} failed", exc) from exc


async def _passed(leg: Leg, hop: Hop, goal: Target) -> bool:
    """Request a tunnel from the proxy at the end of the leg; False if another attempt may work."""
    if hop.proxy.is_socks:
        if isinstance(leg, SocketStream):
            await ask_socks(leg.socket, hop.proxy, goal)
        else:
            async with lent_socket(leg) as sock:
                await ask_socks(sock, hop.proxy, goal)
        return True
    headers = hop.headers
    if hop.authorization is not None:
        credentials = hop.authorization.value(goal)
        if credentials is not None:
            headers += (("Proxy-Authorization", credentials),)
    reply = await ask_for_tunnel(leg, hop.proxy, goal, headers)
    if reply.is_open:
        return True
    if hop.authorization is not None and hop.authorization.learn(reply):
        return False
    raise refusal(hop.proxy, reply)


def _no_scope(proxy: ProxyURL, goal: Target) -> ProxyUnsupportedError:
    return ProxyUnsupportedError(
        f"the IPv6 address {goal.host} has a scope, which is only valid on this machine",
        proxy_host=proxy.host,
        proxy_port=proxy.port,
    )


def _failure(proxy: ProxyURL, message: str, exc: OSError) -> ProxyError:
    failure = ProxyConnectionError(
        f"{message}: {exc}", proxy_host=proxy.host, proxy_port=proxy.port
    )
    failure.errno = exc.errno
    return failure
