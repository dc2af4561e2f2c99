"""The route to a server: the caller's sockets, socket factories, and contradictions."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.own_proxies import answering, tunnelling
from tests.support.own_proxies import serving as listening
from tests.wscore.pairs import Setting, serving
from tests.wscore.raw_peer import BOUND, free_port
from tests.wscore.recorder import Recorder
from wscore import WSParsedURL, ws_connect
from wsproxy import ProxyRefusedError

PLAIN = Setting("server", None)


@contextlib.asynccontextmanager
async def connected(url: str, **options: Any) -> AsyncIterator[Any]:
    """Yield the underlying transport of an open connection."""
    transport, _ = await ws_connect(Recorder, url, **options)
    try:
        yield transport.underlying_transport
    finally:
        transport.disconnect()
        async with asyncio.timeout(BOUND):
            await transport.wait_disconnected()


def later(factory: Callable[[WSParsedURL], object]) -> Callable[[WSParsedURL], object]:
    """Return the factory as a coroutine function."""

    async def asynchronous(url: WSParsedURL) -> object:
        await asyncio.sleep(0)
        return factory(url)

    return asynchronous


@pytest.mark.parametrize("wrap", [lambda factory: factory, later], ids=["function", "coroutine"])
@pytest.mark.parametrize("is_connected", [True, False])
async def test_socket_factory(both: Setting, wrap: Any, is_connected: bool) -> None:
    made: list[tuple[WSParsedURL, socket.socket]] = []

    def factory(url: WSParsedURL) -> socket.socket:
        sock = socket.socket()
        if is_connected:
            sock.connect((url.host, url.port))
        made.append((url, sock))
        return sock

    async with serving(both, lambda _: Recorder()) as port:
        url = both.url(port, "/there")
        async with connected(url, socket_factory=wrap(factory), **both.client_options) as transport:
            ((seen, sock),) = made
            assert (seen.url, seen.host, seen.port) == (url, "127.0.0.1", port)
            assert transport.get_extra_info("sockname") == sock.getsockname()


@pytest.mark.parametrize("wrap", [lambda factory: factory, later], ids=["function", "coroutine"])
async def test_socket_factory_that_makes_none(wrap: Any) -> None:
    async with (
        serving(PLAIN, lambda _: Recorder()) as port,
        connected(PLAIN.url(port), socket_factory=wrap(lambda _: None)) as transport,
    ):
        assert transport.get_extra_info("peername") == ("127.0.0.1", port)


async def test_socket_factory_that_fails() -> None:
    def failing(_: WSParsedURL) -> socket.socket:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ws_connect(Recorder, "ws://127.0.0.1:1/", socket_factory=failing)
    with pytest.raises(TypeError, match="socket_factory"):
        await ws_connect(Recorder, "ws://127.0.0.1:1/", socket_factory=lambda _: 3)  # type: ignore[arg-type,return-value]
    with pytest.raises(ConnectionRefusedError):
        await ws_connect(Recorder, PLAIN.url(free_port()), socket_factory=lambda _: socket.socket())


async def test_no_socket_is_as_good_as_none_named() -> None:
    async with serving(PLAIN, lambda _: Recorder()) as port:
        async with connected(PLAIN.url(port), sock=None):
            pass
        async with (
            listening(tunnelling(port)) as proxy,
            connected("ws://h.invalid/", sock=None, proxy=f"http://127.0.0.1:{proxy}") as transport,
        ):
            assert transport.get_extra_info("peername") == ("127.0.0.1", proxy)


async def test_a_socket_and_a_host_contradict_each_other() -> None:
    async with serving(PLAIN, lambda _: Recorder()) as port:
        sock = socket.create_connection(("127.0.0.1", port))
        with pytest.raises(ValueError, match="cannot be combined with sock"):
            await ws_connect(Recorder, "ws://h.invalid/", sock=sock, host="127.0.0.1", port=port)
        assert sock.fileno() == -1


async def test_a_proxy_and_a_socket_contradict_each_other(tmp_path: Path) -> None:
    proxy = "http://127.0.0.1:1"
    with socket.socket() as sock, pytest.raises(ValueError, match="with sock or unix_path"):
        await ws_connect(Recorder, "ws://h.invalid/", sock=sock, proxy=proxy)
    with pytest.raises(ValueError, match="with sock or unix_path"):
        await ws_connect(Recorder, "ws://h.invalid/", unix_path=tmp_path / "no", proxy=proxy)


@pytest.mark.parametrize(
    "two", [("sock", "unix_path"), ("sock", "socket_factory"), ("unix_path", "socket_factory")]
)
async def test_two_sockets_contradict_each_other(tmp_path: Path, two: tuple[str, str]) -> None:
    with socket.socket() as sock:
        ways = {"sock": sock, "unix_path": tmp_path / "no", "socket_factory": lambda _: None}
        with pytest.raises(ValueError, match=" and ".join(two)):
            await ws_connect(Recorder, "ws://h.invalid/", **{name: ways[name] for name in two})


@pytest.mark.parametrize("proxy", ["env", True])
async def test_a_socket_needs_no_configured_proxy(
    monkeypatch: pytest.MonkeyPatch, proxy: Any
) -> None:
    monkeypatch.setenv("ws_proxy", "http://127.0.0.1:1")
    async with serving(PLAIN, lambda _: Recorder()) as port:
        sock = socket.create_connection(("127.0.0.1", port))
        async with connected("ws://h.invalid/", sock=sock, proxy=proxy):
            pass


@pytest.mark.parametrize("is_connected", [True, False])
async def test_a_socket_factory_makes_the_socket_to_the_first_proxy(is_connected: bool) -> None:
    seen: list[WSParsedURL] = []
    names: list[object] = []

    def factory(url: WSParsedURL) -> socket.socket:
        seen.append(url)
        sock = socket.socket()
        sock.bind(("127.0.0.1", 0))
        if is_connected:
            sock.connect((url.host, url.port))
        names.append(sock.getsockname())
        return sock

    async with (
        serving(PLAIN, lambda _: Recorder()) as port,
        listening(tunnelling(port)) as second,
        listening(tunnelling(second)) as first,
    ):
        chain = [f"http://us%40er:pw@127.0.0.1:{first}", "http://second.invalid"]
        async with connected("ws://h.invalid/", proxy=chain, socket_factory=factory) as transport:
            assert [transport.get_extra_info("sockname")] == names
    (url,) = seen
    assert (url.url, url.scheme, url.is_secure) == (chain[0], "http", False)
    assert (url.host, url.port, url.user_info) == ("127.0.0.1", first, ("us@er", "pw"))
    assert (url.netloc, url.path) == (f"us%40er:pw@127.0.0.1:{first}", "")
    assert "pw" not in repr(url)


async def test_a_socket_factory_leaves_the_proxy_to_the_ordinary_way() -> None:
    async with serving(PLAIN, lambda _: Recorder()) as port, listening(tunnelling(port)) as proxy:
        url = f"http://127.0.0.1:{proxy}"
        async with connected("ws://h.invalid/", proxy=url, socket_factory=lambda _: None):
            pass


async def test_a_socket_factory_that_cannot_reach_the_proxy() -> None:
    with pytest.raises(TypeError, match="socket_factory"):
        await ws_connect(
            Recorder,
            "ws://h.invalid/",
            proxy="http://proxy.invalid",
            socket_factory=lambda _: 3,  # type: ignore[arg-type,return-value]
        )


async def test_asyncios_arguments_are_for_the_proxy_or_for_the_tunnels_end() -> None:
    heads: list[bytes] = []
    peers: list[tuple[str, int]] = []
    refuse = answering(b"HTTP/1.1 403 no\r\n\r\n")

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername"))
        heads.append(await reader.readuntil(b"\r\n"))
        await refuse(reader, writer)

    port_of_client = free_port()
    async with listening(proxy) as port:
        with pytest.raises(ProxyRefusedError):
            await ws_connect(
                Recorder,
                "ws://h.invalid/",
                proxy=f"http://localhost:{port}",
                host="elsewhere.invalid",
                port=77,
                family=socket.AF_INET,
                local_addr=("127.0.0.1", port_of_client),
            )
    assert heads == [b"CONNECT elsewhere.invalid:77 HTTP/1.1\r\n"]
    assert peers == [("127.0.0.1", port_of_client)]
