"""Connections through proxies: which are chosen, the requests to them, and TLS with them.

`test_proxy_faults.py` is about proxies that fail, `test_proxy_matrix.py` goes through widely used
proxies.
"""

import asyncio
import importlib
import os
import ssl
from pathlib import Path
from typing import Any

import pytest

from tests.support.own_proxies import serving as listening
from tests.support.own_proxies import (
    silent,
    tunnelling,
)
from tests.support.tls import Tls
from tests.wscore import wire
from tests.wscore.pairs import Setting, serving
from tests.wscore.programs import run
from tests.wscore.proxied import leave, tunnel
from tests.wscore.raw_peer import RawPeer, accepting
from tests.wscore.recorder import Recorder
from wscore import WSFrame, WSInvalidStatusError, WSTransport, ws_connect
from wscore.handshake.url import parse_url
from wscore.opening.proxy import choose_proxy
from wsproxy import (
    ProxyConnectionError,
    ProxyRefusedError,
)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


def echo(transport: WSTransport, frame: WSFrame) -> None:
    transport.send(frame.msg_type, frame.get_payload_as_memoryview())


# Which proxies


@pytest.mark.parametrize("proxy", ["env", True])
@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://h/", "http://w"),
        ("wss://h/", "http://s"),
        ("ws://direct/", None),
        ("ws://x.direct:99/", None),
    ],
)
def test_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, proxy: Any, url: str, expected: str | None
) -> None:
    for name, value in {"ws": "http://w", "https": "http://s", "no": "direct"}.items():
        monkeypatch.setenv(f"{name}_proxy", value)
    assert choose_proxy(proxy, parse_url(url), has_socket=False) == expected


def test_the_proxy_for_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    url = parse_url("wss://h/")
    assert choose_proxy("env", url, has_socket=False) is None
    monkeypatch.setenv("ALL_PROXY", "socks5://a")
    assert choose_proxy("env", url, has_socket=False) == "socks5://a"
    assert choose_proxy(None, url, has_socket=False) is None


@pytest.mark.parametrize("proxy", ["http://p", ["http://p", "socks5://q"]])
def test_proxies_that_are_named(monkeypatch: pytest.MonkeyPatch, proxy: Any) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://a")
    monkeypatch.setenv("NO_PROXY", "h")
    assert choose_proxy(proxy, parse_url("ws://h/"), has_socket=False) == proxy


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_redirect_goes_through_the_proxy_again(
    both: Setting, tls: Tls, scheme: str
) -> None:
    heads: list[bytes] = []

    async def script(peer: RawPeer) -> None:
        heads.append(await peer.read_head())
        if len(heads) == 1:
            location = "wss://localhost/there" if both.tls else "ws://localhost/there"
            await peer.send(
                b"HTTP/1.1 302 X\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % location.encode()
            )
        else:
            await peer.send(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")

    async with (
        accepting(script, both.tls and both.tls.server) as target,
        tunnel(scheme, tls, target) as proxy,
    ):
        with pytest.raises(WSInvalidStatusError):
            await ws_connect(
                Recorder,
                both.url(1, "/here"),
                proxy=proxy,
                proxy_ssl_context=tls.client,
                **both.client_options,
            )
    assert [head.split()[1] for head in heads] == [b"/here", b"/there"]


async def test_a_redirect_asks_the_environment_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(Setting("server", None), lambda _: Recorder()) as direct:

        async def script(peer: RawPeer) -> None:
            await peer.read_head()
            await peer.send(
                b"HTTP/1.1 302 X\r\nLocation: ws://127.0.0.1:%d/\r\nContent-Length: 0\r\n\r\n"
                % direct
            )

        async with accepting(script) as target, listening(tunnelling(target)) as proxy:
            monkeypatch.setenv("ws_proxy", f"http://127.0.0.1:{proxy}")
            monkeypatch.setenv("no_proxy", "127.0.0.1")
            transport, _ = await ws_connect(Recorder, "ws://h.invalid/", proxy="env")
            peer = transport.underlying_transport.get_extra_info("peername")
            assert peer == ("127.0.0.1", direct)
            await leave(transport)


# Requests to proxies


async def test_options_for_the_proxy() -> None:
    heads: list[str] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(b"HTTP/1.1 403 X\r\n\r\n")

    options = {"headers": {"X-A": "b"}, "user_agent": None, "rdns": False}
    async with listening(proxy) as port:
        with pytest.raises(ProxyRefusedError):
            await ws_connect(
                Recorder,
                "ws://127.0.0.1:1/",
                proxy=f"http://127.0.0.1:{port}",
                proxy_ssl_context=ssl.create_default_context(),
                proxy_options={**options, "proxy_server_hostname": "x"},
            )
    (head,) = heads
    assert head == "CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: 127.0.0.1:1\r\nX-A: b\r\n\r\n"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
@pytest.mark.parametrize("scheme", ["http", "socks4", "socks5"])
async def test_who_resolves_as_with_picows(scheme: str, host: str) -> None:
    """Both send the same; but picows puts IPv6 addresses into SOCKS4, which has no room."""
    answers = {
        "http": [b"HTTP/1.1 403 X\r\n\r\n"],
        "socks4": [b"\0\x5b" + b"\0" * 6],
        "socks5": [b"\5\0", b"\5\5\0\1" + b"\0" * 6],
    }
    requests: dict[str, list[bytes]] = {"picows": [], "wscore": []}
    for name, requested in requests.items():

        async def proxy(
            reader: asyncio.StreamReader,
            writer: asyncio.StreamWriter,
            requested: list[bytes] = requested,
        ) -> None:
            for answer in answers[scheme]:
                requested.append(await reader.read(1000))
                writer.write(answer)
            await reader.read()

        library: Any = importlib.import_module(name)
        options = {"proxy_options": {"user_agent": None}} if name == "wscore" else {}
        async with listening(proxy) as port:
            with pytest.raises(Exception, match=r"refused|rejected|IPv6|SOCKS4"):
                await library.ws_connect(
                    library.WSListener,
                    f"ws://{host}:77/",
                    proxy=f"{scheme}://127.0.0.1:{port}",
                    **options,
                )
    if (scheme, host) != ("socks4", "[::1]"):
        assert requests["wscore"] == requests["picows"]


async def test_an_option_that_there_is_not() -> None:
    for scheme in ("http", "https"):
        with pytest.raises(TypeError, match="colour"):
            await ws_connect(
                Recorder, "ws://h/", proxy=f"{scheme}://p", proxy_options={"colour": "red"}
            )


async def test_an_argument_that_there_is_not(both: Setting) -> None:
    asked = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.read(1))

    names = ["colour"] if both.tls else ["colour", "ssl_handshake_timeout"]
    async with listening(proxy) as port:
        for name in names:
            with pytest.raises(TypeError, match=name):
                await ws_connect(
                    Recorder,
                    both.url(1),
                    proxy=f"http://127.0.0.1:{port}",
                    **{name: 1},
                    **both.client_options,
                )
    assert asked == []


# TLS with the proxy


async def test_the_proxys_certificate_is_checked(both: Setting, tls: Tls) -> None:
    async with tunnel("https", tls, 1) as proxy:
        for options in (
            {},
            {
                "proxy_ssl_context": tls.client,
                "proxy_options": {"proxy_server_hostname": "elsewhere.invalid"},
            },
        ):
            with pytest.raises(ProxyConnectionError) as caught:
                await ws_connect(
                    Recorder, both.url(1), proxy=proxy, **options, **both.client_options
                )
            assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_servers_certificate_is_checked(tls: Tls, scheme: str) -> None:
    listener = Recorder()
    async with (
        serving(Setting("server", tls), lambda _: listener) as target,
        tunnel(scheme, tls, target) as proxy,
    ):
        for url, options in (
            ("wss://localhost/", {}),
            ("wss://elsewhere.invalid/", {"ssl_context": tls.client}),
            (
                "wss://localhost/",
                {"ssl_context": tls.client, "server_hostname": "elsewhere.invalid"},
            ),
        ):
            with pytest.raises(ssl.SSLCertVerificationError):
                await ws_connect(
                    Recorder, url, proxy=proxy, proxy_ssl_context=tls.client, **options
                )
    assert listener.events == []


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_asyncios_arguments_about_tls(tls: Tls, scheme: str) -> None:
    options: dict[str, Any] = {
        "proxy_ssl_context": tls.client,
        "ssl_context": tls.client,
        "server_hostname": "localhost",
        "ssl_handshake_timeout": 5.0,
        "ssl_shutdown_timeout": 5.0,
    }
    async with (
        serving(Setting("server", tls), lambda _: Recorder()) as target,
        tunnel(scheme, tls, target) as proxy,
    ):
        transport, _ = await ws_connect(Recorder, "wss://h.invalid/", proxy=proxy, **options)
        await leave(transport)
    options["ssl_handshake_timeout"] = 0.05
    async with listening(silent) as target, tunnel(scheme, tls, target) as proxy:
        with pytest.raises(ConnectionAbortedError):
            await ws_connect(Recorder, "wss://h.invalid/", proxy=proxy, **options)


# Large transfers, and closing


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_much_data_both_ways(both: Setting, tls: Tls, scheme: str) -> None:
    at_client = Recorder()
    payload = os.urandom(1 << 20)
    async with (
        serving(both, lambda _: Recorder(echo)) as target,
        tunnel(scheme, tls, target) as proxy,
    ):
        transport, _ = await ws_connect(
            lambda: at_client,
            both.url(1),
            proxy=proxy,
            proxy_ssl_context=tls.client,
            **both.client_options,
        )
        assert transport.is_secure == (both.tls is not None or scheme == "https")
        for _ in range(8):
            transport.send(wire.BINARY, payload)
        await at_client.until("frame", 8)
        assert at_client.seen == [(wire.BINARY, payload)] * 8
        await leave(transport)


# Without wsproxy

WITHOUT_WSPROXY = """
import asyncio, sys
import wscore
assert "wsproxy" not in sys.modules
sys.modules["wsproxy"] = None  # what is None there cannot be imported
from wscore import WSError, WSListener, ws_connect
for proxy in ("socks5://127.0.0.1:1", "env"):
    try:
        asyncio.run(ws_connect(WSListener, "ws://127.0.0.1:1/", proxy=proxy))
    except WSError as exc:
        print(exc)
try:
    asyncio.run(ws_connect(WSListener, "ws://127.0.0.1:1/"))
except ConnectionRefusedError:
    print("refused")
"""


async def test_wsproxy_is_imported_when_it_is_needed(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(WITHOUT_WSPROXY)
    *lines, last = await run(program)
    assert last == "refused"
    for line in lines:
        assert "wsproxy-asyncio" in line
        assert "pip install" in line
    assert len(lines) == 2
