"""Chains of proxies: who is asked for what, who resolves, who is asked again, who failed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.own_proxies import Handler, carry, echo, serving
from tests.support.real_proxies import free_port
from tests.support.tls import Tls
from wsproxy import (
    ProxyAuthenticationError,
    ProxyConnectionError,
    ProxyRefusedError,
    ProxyReplyError,
    parse_proxy_url,
)
from wsproxy.authorization import Auth, Authorization
from wsproxy.chain import Hop, Route
from wsproxy.stream import SocketStream
from wsproxy.target import parse_target
from wsproxy.transport_stream import TransportStream

Asked = list[str]


def http_proxy(asked: Asked) -> Handler:
    """Return an HTTP proxy that writes down what it is asked for, and does it on this machine."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        authority = head.split()[1]
        asked.append(f"http {authority}")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await carry(reader, writer, int(authority.rpartition(":")[2]))

    return handler


def socks_proxy(asked: Asked) -> Handler:
    """Return a SOCKS5 proxy that does the same."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(b"\x05\x00")
        kind = (await reader.readexactly(4))[3]
        if kind == 3:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        else:
            host = ".".join(map(str, await reader.readexactly(4)))
        port = int.from_bytes(await reader.readexactly(2), "big")
        asked.append(f"socks {host}:{port}")
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        await carry(reader, writer, port)

    return handler


class Ports:
    """Where the servers of a test listen."""

    target = http = socks = https = 0


@pytest_asyncio.fixture
async def asked() -> Asked:
    return []


@pytest_asyncio.fixture
async def ports(asked: Asked, tls: Tls) -> AsyncIterator[Ports]:
    found = Ports()
    async with (
        serving(echo) as found.target,
        serving(http_proxy(asked)) as found.http,
        serving(socks_proxy(asked)) as found.socks,
        serving(http_proxy(asked), tls=tls.server) as found.https,
    ):
        yield found


def hops(ports: Ports, names: str, tls: Tls) -> list[Hop]:
    """Return hops for names such as `http socks`."""
    made = []
    for name in names.split():
        scheme = {"socks": "socks5"}.get(name, name)
        proxy = parse_proxy_url(f"{scheme}://localhost:{getattr(ports, name)}")
        hop = Hop(proxy)
        if name == "https":
            hop.tls, hop.server_hostname = tls.client, "localhost"
        made.append(hop)
    return made


@pytest.mark.parametrize(
    "names",
    [
        "http",
        "socks",
        "https",
        "http http",
        "socks socks",
        "http socks",
        "socks http",
        "https http",
        "http https",
        "https https",
        "https socks",
        "https socks https socks",
        "http https socks http",
    ],
)
async def test_chains(ports: Ports, asked: Asked, names: str, tls: Tls) -> None:
    chain = hops(ports, names, tls)
    async with asyncio.timeout(20):
        leg = await Route(chain, parse_target("target.example", ports.target), None).connect()
        received = b""
        while len(received) < 6:
            received += await leg.receive(100)
        assert received == b"hello\n"
        await leg.send(b"x" * 1000)
        received = b""
        while len(received) < 1000:
            received += await leg.receive(1000)
        leg.abort()
    kind = TransportStream if "https" in names else SocketStream
    assert isinstance(leg, kind)
    # Each is asked for the next one, and the last one for the target, by name.
    goals = [f"localhost:{hop.proxy.port}" for hop in chain[1:]]
    goals.append(f"target.example:{ports.target}")
    says = ["socks" if name == "socks" else "http" for name in names.split()]
    assert asked == [f"{how} {goal}" for how, goal in zip(says, goals, strict=True)]


@pytest.mark.parametrize(("rdns", "host"), [(True, "localhost"), (False, "127.0.0.1")])
async def test_rdns_is_about_the_target_only(
    ports: Ports, asked: Asked, rdns: bool, host: str, tls: Tls
) -> None:
    chain = hops(ports, "socks socks", tls)
    # The target's name has to mean IPv4 here.
    target = parse_target("localhost", ports.target)
    leg = await Route(chain, target, rdns).connect()
    leg.abort()
    assert asked[0] == f"socks localhost:{ports.socks}"
    assert asked[1] in (f"socks {host}:{ports.target}", f"socks ::1:{ports.target}")


async def test_the_proxy_that_fails_is_named(ports: Ports, tls: Tls) -> None:
    chain = hops(ports, "http http", tls)
    chain[1].proxy = parse_proxy_url(f"http://second.example:{ports.target}")
    route = Route(chain, parse_target("target.example", 1), None)
    with pytest.raises(ProxyReplyError) as caught:
        await route.connect()
    assert caught.value.proxy_host == "second.example"
    assert route.current.host == "second.example"


async def test_a_second_proxy_without_tls(ports: Ports, tls: Tls) -> None:
    chain = hops(ports, "https https", tls)
    chain[1].proxy = parse_proxy_url(f"https://localhost:{ports.target}")
    with pytest.raises(ProxyConnectionError, match="TLS handshake with proxy") as caught:
        await Route(chain, parse_target("target.example", 1), None).connect()
    assert caught.value.proxy_port == ports.target


async def test_a_first_proxy_that_is_not_there(tls: Tls) -> None:
    found = Ports()
    found.http = free_port()
    with pytest.raises(ProxyConnectionError):
        await Route(hops(found, "http", tls), parse_target("a", 1), None).connect()


def answers(*replies: bytes, heads: Asked) -> Handler:
    """Return an HTTP proxy that gives the first connection the first reply, and so on."""
    waiting = list(replies)

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(waiting.pop(0) if len(waiting) > 1 else waiting[0])

    return handler


ASKS = (
    b"HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=r\r\n"
    b"Proxy-Authenticate: Digest realm=r, nonce=%s, qop=auth%s\r\n"
    b"Content-Length: 9\r\n\r\nread this"
)
OPEN = b"HTTP/1.1 200 OK\r\n\r\n"


async def connect(port: int, auth: Auth) -> None:
    proxy = parse_proxy_url(f"http://u:p@127.0.0.1:{port}")
    hop = Hop(proxy, (("A", "b"),), Authorization(proxy, auth))
    (await Route([hop], parse_target("target.example", 443), None).connect()).abort()


@pytest.mark.parametrize(
    ("auth", "first"), [("any", "\r\nProxy-Authorization: Basic dTpw\r\n"), ("digest", "")]
)
async def test_digest_on_a_second_connection(auth: Auth, first: str) -> None:
    heads: Asked = []
    async with serving(answers(ASKS % (b"n", b""), OPEN, heads=heads)) as port:
        await connect(port, auth)
    assert len(heads) == 2
    assert first in heads[0]
    assert ("Proxy-Authorization" in heads[0]) == bool(first)
    assert "\r\nA: b\r\nProxy-Authorization: Digest username=" in heads[1]
    assert 'uri="target.example:443"' in heads[1]


async def test_a_wrong_password_is_not_tried_twice() -> None:
    heads: Asked = []
    async with serving(answers(ASKS % (b"n", b""), heads=heads)) as port:
        with pytest.raises(ProxyAuthenticationError):
            await connect(port, "any")
    assert len(heads) == 2


async def test_for_ever_stale_is_given_up() -> None:
    heads: Asked = []
    async with serving(answers(ASKS % (b"n", b", stale=true"), heads=heads)) as port:
        with pytest.raises(ProxyAuthenticationError):
            await connect(port, "any")
    assert len(heads) == 3


async def test_another_refusal_after_the_challenge() -> None:
    heads: Asked = []
    replies = (ASKS % (b"n", b""), b"HTTP/1.1 403 Forbidden\r\n\r\n")
    async with serving(answers(*replies, heads=heads)) as port:
        with pytest.raises(ProxyRefusedError) as caught:
            await connect(port, "digest")
    assert caught.value.code == 403


def test_what_a_hop_is_told_is_not_shown() -> None:
    proxy = parse_proxy_url("http://alice:hunter2@proxy")
    hop = Hop(proxy, (("Proxy-Authorization", "Bearer hunter2"),), Authorization(proxy, "any"))
    route = Route([hop], parse_target("a", 1), None)
    assert "hunter2" not in f"{hop!r} {route!r} {hop.authorization!r}"
