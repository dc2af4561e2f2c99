"""All pairs of a client and a server, over all transports, and how one of them is run.

The demonstration and the tests take their pairs from here and run them through `run_pair`, so
that both judge alike. A fault of one pair is its result, and never ends the others.
"""

import itertools
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

from tests.interop.conversation import Tally, be_closed, converse
from tests.interop.endpoints import HOST, Mismatch, Peer
from tests.interop.servers import RunningServer
from tests.interop.socks5 import dead_proxy

PEERS = ("wscompat", "wscore", "websockets", "picows")

# Who goes through the proxy to whom; a proxy is the client's affair, so one server is enough.
PROXIED = (("wscompat", "websockets"), ("wscore", "websockets"))


class Transport(Enum):
    """What is below the WebSocket connection."""

    PLAIN = "plain"
    TLS = "TLS"
    SOCKS5 = "SOCKS5"
    SOCKS5_TLS = "SOCKS5+TLS"

    @property
    def secure(self) -> bool:
        """Tell whether TLS is part of it."""
        return self in (Transport.TLS, Transport.SOCKS5_TLS)

    @property
    def proxied(self) -> bool:
        """Tell whether it leads through the proxy."""
        return self in (Transport.SOCKS5, Transport.SOCKS5_TLS)


@dataclass(frozen=True)
class Pair:
    """Who talks with whom, and over what."""

    client: str
    server: str
    transport: Transport

    def __str__(self) -> str:
        return f"{self.client} -> {self.server}, {self.transport.value}"


@dataclass
class Result:
    """What came of a pair: what was proved, and the error that ended it, if there was one."""

    pair: Pair
    tally: Tally = field(default_factory=Tally)
    error: str | None = None


@dataclass(frozen=True)
class Route:
    """What a client needs to reach a server besides its port.

    Attributes:
        tls: a context that trusts the servers.
        proxy: the URL of a SOCKS5 proxy; None where no pair needs one.
    """

    tls: ssl.SSLContext
    proxy: str | None = None


def all_pairs(
    clients: Sequence[str] = PEERS,
    servers: Sequence[str] = PEERS,
    transports: Sequence[Transport] = tuple(Transport),
) -> Iterator[Pair]:
    """Return the pairs of these clients, servers and transports, server by server."""
    for server, client, transport in itertools.product(servers, clients, transports):
        if not transport.proxied or (client, server) in PROXIED:
            yield Pair(client, server, transport)


_numbers = itertools.count(1)


async def run_pair(
    pair: Pair, client: Peer, server: RunningServer, route: Route, seconds: float
) -> Result:
    """Let a client hold its conversations with a running server.

    Args:
        pair: what is run.
        client: the peer whose client is used.
        server: the server of the pair.
        route: how to reach it.
        seconds: how long the burst shall last; 0 for none.

    Returns:
        The result; whatever went wrong is told in it.
    """
    result = Result(pair)
    try:
        await _converse(pair, client, server, route, seconds, result.tally)
    except Exception as error:
        result.error = describe(error)
    return result


async def _converse(
    pair: Pair, client: Peer, server: RunningServer, route: Route, seconds: float, tally: Tally
) -> None:
    secure = pair.transport.secure
    port = server.ports.tls if secure else server.ports.plain
    tls = route.tls if secure else None
    proxy = route.proxy if pair.transport.proxied else None

    def fresh_path() -> str:
        return f"/{next(_numbers)}"

    origin = f"{'wss' if secure else 'ws'}://{HOST}:{port}"
    path = fresh_path()
    async with client.connect(origin + path, tls=tls, proxy=proxy) as connection:
        await converse(connection, lambda: server.reports.of(path), seconds, tally)
    path = fresh_path()
    async with client.connect(origin + path, tls=tls, proxy=proxy) as connection:
        await be_closed(connection, lambda: server.reports.of(path), tally)
    if pair.transport.proxied:
        await _cannot_pass_dead_proxy(client, origin + fresh_path(), tls)


async def _cannot_pass_dead_proxy(client: Peer, url: str, tls: ssl.SSLContext | None) -> None:
    """See that the client really uses the proxy it is given: a dead one must stop it."""
    with dead_proxy() as proxy:
        try:
            async with client.connect(url, tls=tls, proxy=proxy):
                pass
        except Exception:  # each library has its own
            return
    raise Mismatch("a proxy that refuses", "a failure to connect", "a connection")


def describe(error: BaseException) -> str:
    """Return one line about an error, with the exchange in which it happened."""
    notes = "; ".join(getattr(error, "__notes__", ()))
    text = str(error) if isinstance(error, Mismatch) else f"{type(error).__name__}: {error}"
    return f"{text} ({notes})" if notes else text
