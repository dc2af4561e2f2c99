"""The choice of a proxy, the requests to it, and its failures, compared with websockets.

Most tests send both libraries through the same misbehaving proxy, and compare what they do.
`test_proxy_matrix.py` goes through the proxies that people run.
"""

import asyncio
import errno
import itertools
import os
import socket
from typing import Any

import pytest
import websockets.proxy
import websockets.uri

from tests.support.leaks import LoopErrors
from tests.support.own_proxies import answering, dripping, endless, scripted, silent, tunnelling
from tests.support.own_proxies import serving as listening
from tests.support.tls import Tls
from tests.wscompat.faulty_proxy import Answer, attempt, compare, listened_to
from tests.wscompat.libraries import WEBSOCKETS, WSCOMPAT, port_of, serving
from wscompat.asyncio.client import connect
from wscompat.asyncio.proxy_arguments import choose_proxy, proxy_arguments
from wscompat.exceptions import InvalidProxy, InvalidProxyStatus, ProxyError
from wscompat.uri import parse_uri

OURS = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


# Which proxy


@pytest.mark.parametrize("uri", ["ws://h/", "wss://h/"])
@pytest.mark.parametrize(
    "variables",
    [
        {},
        {"http_proxy": "http://p"},
        {"https_proxy": "http://s"},
        {"http_proxy": "http://p", "https_proxy": "http://s"},
        {"socks_proxy": "http://k", "https_proxy": "http://s"},
        {"all_proxy": "http://a"},
        {"ws_proxy": "http://w"},
        {"wss_proxy": "http://w", "socks_proxy": "socks5://k"},
        {"https_proxy": "http://s", "no_proxy": "h"},
        {"https_proxy": "http://s", "no_proxy": "h:80"},
    ],
)
def test_environment(uri: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    expected = websockets.proxy.get_proxy(websockets.uri.parse_uri(uri))
    assert choose_proxy(True, parse_uri(uri)) == expected
    assert choose_proxy(None, parse_uri(uri)) is None
    assert choose_proxy(OURS, parse_uri(uri)) == OURS


async def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(answering(b"HTTP/1.1 403 Forbidden\r\n\r\n")) as port:
        monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{port}")
        with pytest.raises(InvalidProxyStatus, match="proxy rejected connection: HTTP 403"):
            await connect("ws://example.invalid/")


async def test_a_given_socket_goes_through_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def stay(connection: Any) -> None:
        await connection.wait_closed()

    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    async with serving(WSCOMPAT, stay) as server:
        sock = socket.create_connection(server.sockets[0].getsockname())
        async with connect("ws://example.invalid/", sock=sock):
            pass


# The requests to the same proxy, and the results of its responses


SOCKS4_NO = b"\0\x5b" + b"\0" * 6
SOCKS5_NO = b"\5\5\0\1" + b"\0" * 6


@pytest.mark.parametrize("uri", ["ws://localhost:4321/", "ws://127.0.0.1:4321/"])
async def test_who_resolves(uri: str) -> None:
    """The request shows it: it has a name or an address."""
    is_name = "localhost" in uri
    await compare(scripted((9, SOCKS4_NO)), "socks4", uri)
    await compare(scripted((19 if is_name else 9, SOCKS4_NO)), "socks4a", uri)
    await compare(scripted((3, b"\5\0"), (10, SOCKS5_NO)), "socks5", uri)
    await compare(scripted((3, b"\5\0"), (16 if is_name else 10, SOCKS5_NO)), "socks5h", uri)


async def test_a_socks4_user_needs_no_password() -> None:
    received: list[bytes] = []
    async with listened_to(scripted((13, SOCKS4_NO)), received) as port:
        with pytest.raises(ProxyError):
            await connect("ws://127.0.0.1:80/", proxy=f"socks4://user@127.0.0.1:{port}")
    assert received == [b"\4\1\0\x50\x7f\0\0\1user\0"]


async def test_a_name_that_cannot_be_resolved_here() -> None:
    for library in (WEBSOCKETS, WSCOMPAT):
        record = await attempt(library, scripted((3, b"\5\0")), "socks5", "ws://h.invalid/", None)
        assert record.retries


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
async def test_socks_credentials(scheme: str) -> None:
    login = scripted((4, b"\5\2"), (11, b"\1\1"))
    await compare(login, scheme, credentials="us%40er:p%3Aw@")
    await compare(scripted((3, b"\5\xff")), scheme)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"user_agent_header": None},
        {"additional_headers": {"User-Agent": "you"}},
        {"credentials": "us%40er:p%3Aw@"},
        {"credentials": "%C3%A9:@"},
    ],
)
async def test_the_connect_request(options: dict[str, Any]) -> None:
    refuse = answering(b"HTTP/1.1 407 Log in\r\nX: y\r\n\r\n")
    await compare(refuse, "http", **options)
    await compare(refuse, "http", "ws://[::1]:99/", **options)


HTTP = {
    "200 and an end": b"HTTP/1.1 200 OK\r\n\r\n",
    "200 of HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n",
    **{str(code): b"HTTP/1.1 %d X\r\n\r\n" % code for code in (301, 401, 403, 407)},
    **{str(code): b"HTTP/1.1 %d X\r\n\r\n" % code for code in (500, 502, 503, 504)},
    "a refusal with a body": b"HTTP/1.1 403 X\r\nContent-Length: 2\r\n\r\nno",
    "nothing": b"",
    "half a line": b"HTTP/1.1 200",
    "garbage": b"garbage\r\n\r\n",
    "HTTP/2": b"HTTP/2 200 OK\r\n\r\n",
    "a field without a colon": b"HTTP/1.1 403 X\r\nfield\r\n\r\n",
}


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("answer", HTTP.values(), ids=HTTP.keys())
async def test_answers_of_http_proxies(
    answer: bytes, scheme: str, tls: Tls, no_leaks: LoopErrors
) -> None:
    if scheme == "http":
        await compare(answering(answer), scheme)
    else:
        await compare(answering(answer), scheme, tls=tls.server, proxy_ssl=tls.client)
    # websockets lets a proxy that hangs up cause an exception in a callback of the loop.
    if no_leaks and b"\n" not in answer:
        (context,) = no_leaks
        assert isinstance(context["exception"], EOFError)
        no_leaks.clear()


async def test_heads_without_end() -> None:
    """How much of it is read may differ, and so may further data to the proxy."""
    for answer in (
        endless(b"HTTP/1.1 200 OK\r\nA: ", b"x" * 999),
        endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 999),
    ):
        await compare(answer, "http")


SOCKS = {
    "garbage": scripted((3, b"garbage")),
    "nothing": scripted((3, b"")),
    "half an answer": scripted((3, b"\5")),
    "no method": scripted((3, b"\5\xff")),
    "refused": scripted((3, b"\5\0"), (16, SOCKS5_NO)),
    "garbage later": scripted((3, b"\5\0"), (16, b"garbage" * 9)),
    "an end later": scripted((3, b"\5\0"), (16, b"\5\0\0")),
}


@pytest.mark.parametrize("answer", SOCKS.values(), ids=SOCKS.keys())
async def test_answers_of_socks_proxies(answer: Answer) -> None:
    await compare(answer, "socks5h")


@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks5"])
async def test_a_proxy_that_says_nothing(scheme: str) -> None:
    """TLS begins with random bytes, hence no comparison of the data."""
    records = [
        await attempt(library, silent, scheme, "ws://localhost:1/", None, open_timeout=0.1)
        for library in (WEBSOCKETS, WSCOMPAT)
    ]
    assert records[0].raised == records[1].raised
    assert records[0].retries == records[1].retries is True


async def test_a_proxy_that_drips() -> None:
    await compare(dripping(b"HTTP/1.1 200 OK\r\nA: ", b"x"), "http", open_timeout=0.5)


# TLS with the proxy


@pytest.mark.parametrize("name", ["", "localhost", "elsewhere.invalid"])
@pytest.mark.parametrize("trusted", [True, False])
async def test_certificates_of_the_proxy(tls: Tls, name: str, trusted: bool) -> None:
    options: dict[str, Any] = {"proxy_ssl": tls.client} if trusted else {}
    if name:
        options["proxy_server_hostname"] = name
    refuse = answering(b"HTTP/1.1 403 X\r\n\r\n")
    await compare(refuse, "https", tls=tls.server, **options)
    await compare(refuse, "https", tls=tls.server, proxy_ssl_shutdown_timeout=1, **options)


async def test_no_context_for_an_https_proxy(tls: Tls) -> None:
    await compare(silent, "https", tls=tls.server, proxy_ssl=None)


def test_the_time_is_the_callers() -> None:
    """`open_timeout` counts for everything, even if there is none."""
    for proxy in ("http://h", "https://h", "socks5://h"):
        assert proxy_arguments(proxy, None, {})["proxy_options"]["timeout"] is None


async def test_a_context_for_an_http_proxy(tls: Tls) -> None:
    await compare(silent, "http", proxy_ssl=tls.client)
    for name in ("proxy_server_hostname", "proxy_ssl_handshake_timeout"):
        with pytest.raises(ValueError, match=name):
            await connect("ws://h.invalid/", proxy=OURS, **{name: 1})
    with pytest.raises(TypeError, match="proxy_colour"):
        await connect("ws://h.invalid/", proxy=OURS, proxy_colour="red")


async def test_the_time_for_tls_with_the_proxy(tls: Tls) -> None:
    async with listening(silent) as port:
        with pytest.raises(ConnectionAbortedError):
            await connect(
                "ws://h.invalid/",
                proxy=f"https://localhost:{port}",
                proxy_ssl_handshake_timeout=0.05,
            )


# Addresses


@pytest.mark.parametrize(
    "proxy",
    [
        "ftp://127.0.0.1:1",
        "127.0.0.1:80",
        "http://",
        "http://h/path",
        "http://h?query",
        "http://h#fragment",
        "http://user@h",
        "http://@h",
        "",
    ],
)
async def test_invalid_addresses(proxy: str) -> None:
    texts = []
    for library in (WEBSOCKETS, WSCOMPAT):
        with pytest.raises(library.exceptions.InvalidProxy) as caught:
            await library.connect("ws://example.invalid/", proxy=proxy)
        assert caught.value.proxy == proxy
        texts.append(caught.value.msg)
    assert texts[0] == texts[1]


@pytest.mark.parametrize("proxy", ["http://h:port", "socks5://h:99999", "http://[::1", "http:// h"])
async def test_more_invalid_addresses(proxy: str) -> None:
    with pytest.raises(InvalidProxy):
        await connect("ws://example.invalid/", proxy=proxy)


async def test_credentials_are_not_shown() -> None:
    for proxy in ("http://wsuser:secret@", "ftp://wsuser:secret@h", "http://wsuser:secret@h/x"):
        with pytest.raises(InvalidProxy) as caught:
            await connect("ws://example.invalid/", proxy=proxy)
        for shown in (str(caught.value), repr(caught.value), repr(caught.value.__cause__)):
            assert "secret" not in shown
            assert "wsuser" not in shown
        assert caught.value.proxy == proxy


async def test_credentials_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    asyncio.get_running_loop().set_debug(True)
    caplog.set_level(1)
    refuse = answering(b"HTTP/1.1 407 wsuser:s3cret\r\n\r\n")
    for scheme, answer in (("http", refuse), ("socks5h", scripted((4, b"s3cret")))):
        async with listening(answer) as port:
            with pytest.raises(ProxyError) as caught:
                async for _ in connect(
                    "ws://h.invalid/", proxy=f"{scheme}://wsuser:s3cret@127.0.0.1:{port}"
                ):
                    pass
        received = [caplog.text]
        error: BaseException | None = caught.value
        while error is not None:
            received += [repr(error), str(error), repr(vars(error))]
            error = error.__cause__
        assert not [shown for shown in received if "s3cret" in shown or "wsuser" in shown]


@pytest.mark.parametrize("scheme", ["http", "https", "socks4", "socks5"])
@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
async def test_unreachable_proxy(scheme: str, host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    errors = []
    for library in (WEBSOCKETS, WSCOMPAT):
        with pytest.raises(OSError) as caught:
            await library.connect("ws://localhost/", proxy=f"{scheme}://{host}:{port}")
        assert not isinstance(caught.value, ProxyError)
        errors.append(caught.value)
    assert errors[0].errno == errors[1].errno
    if scheme.startswith("http"):
        assert type(errors[0]) is type(errors[1])


async def test_the_proxys_response() -> None:
    async with listening(answering(b"HTTP/1.1 407 Log in\r\nX: y\r\n\r\n")) as port:
        with pytest.raises(InvalidProxyStatus) as caught:
            await connect("ws://example.invalid/", proxy=f"http://127.0.0.1:{port}")
    response = caught.value.response
    assert (response.status_code, response.reason_phrase) == (407, "Log in")
    assert response.headers["x"] == "y"


# The rest of the arguments


async def test_where_the_tunnel_leads_and_where_it_begins() -> None:
    """Websockets takes no host and port with a proxy; the other arguments are for the proxy."""
    received: list[bytes] = []
    async with listened_to(answering(b"HTTP/1.1 403 X\r\n\r\n"), received) as port:
        with pytest.raises(InvalidProxyStatus):
            await connect(
                "ws://h.invalid/",
                proxy=f"http://127.0.0.1:{port}",
                host="elsewhere.invalid",
                port=77,
                local_addr=("127.0.0.1", 0),
                family=socket.AF_INET,
            )
    assert received[0].startswith(b"CONNECT elsewhere.invalid:77 HTTP/1.1\r\n")


async def test_a_local_address_that_there_is_not() -> None:
    async with listening(silent) as port:
        for library in (WEBSOCKETS, WSCOMPAT):
            with pytest.raises(OSError) as caught:
                await library.connect(
                    "ws://h.invalid/",
                    proxy=f"http://127.0.0.1:{port}",
                    local_addr=("192.0.2.1", 0),
                )
            assert caught.value.errno == errno.EADDRNOTAVAIL


async def test_redirects_go_through_the_proxy_again() -> None:
    requests: dict[str, list[bytes]] = {}

    for library in (WEBSOCKETS, WSCOMPAT):
        asked = requests[library.name] = []

        async def server(
            reader: asyncio.StreamReader,
            writer: asyncio.StreamWriter,
            asked: list[bytes] = asked,
        ) -> None:
            asked.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            asked.append((await reader.readuntil(b"\r\n\r\n")).partition(b"\r\n")[0])
            if len(asked) == 2:
                writer.write(b"HTTP/1.1 302 X\r\nLocation: ws://other.invalid/x\r\n")
            else:
                writer.write(b"HTTP/1.1 404 X\r\n")
            writer.write(b"Content-Length: 0\r\n\r\n")

        async with listening(server) as port:
            with pytest.raises(library.exceptions.InvalidStatus):
                await library.connect("ws://first.invalid:1/", proxy=f"http://127.0.0.1:{port}")
    assert requests["wscompat"] == requests["websockets"]
    assert requests["wscompat"][2] == b"CONNECT other.invalid:80 HTTP/1.1"


async def test_the_iterator_tries_the_proxy_again() -> None:
    """An attempt is repeated if the server closes the connection, not if the proxy refuses."""

    async def stay(connection: Any) -> None:
        await connection.wait_closed()

    count = 0
    async with serving(WSCOMPAT, stay) as server:
        target = tunnelling(port_of(server))
        agree_and_leave = answering(b"HTTP/1.1 200 OK\r\n\r\n")
        refuse = answering(b"HTTP/1.1 502 X\r\n\r\n")

        async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal count
            count += 1
            await [agree_and_leave, target, refuse][count - 1](reader, writer)

        connections = 0

        async def connect_for_ever(port: int) -> None:
            nonlocal connections
            async for _ in connect(
                "ws://h.invalid/",
                proxy=f"http://127.0.0.1:{port}",
                reconnect_delays=lambda: itertools.repeat(0.0),  # type: ignore[arg-type,return-value]
            ):
                connections += 1

        async with listening(proxy) as port:
            with pytest.raises(InvalidProxyStatus):
                await connect_for_ever(port)
    assert (count, connections) == (3, 1)


async def test_cancelled_at_every_step(tls: Tls) -> None:
    async def stay(connection: Any) -> None:
        await connection.wait_closed()

    async with (
        serving(WSCOMPAT, stay, ssl=tls.server) as server,
        listening(tunnelling(port_of(server)), tls=tls.server) as port,
    ):
        for turns in range(0, 10_000, 3):
            task = asyncio.ensure_future(
                connect(
                    "wss://localhost/",
                    ssl=tls.client,
                    proxy=f"https://localhost:{port}",
                    proxy_ssl=tls.client,
                ).__aenter__()
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            try:
                connection = await task
            except asyncio.CancelledError:
                continue
            await connection.close()
            break
        else:
            pytest.fail("the connection was never opened")


@pytest.mark.parametrize("credentials", ["user:", ":secret"])
async def test_socks5_with_half_of_the_credentials(credentials: str) -> None:
    """The model offers none then, and goes on without."""
    with pytest.raises(WSCOMPAT.exceptions.ProxyError, match="none of them may be empty"):
        await WSCOMPAT.connect("ws://127.0.0.1:2/", proxy=f"socks5://{credentials}@127.0.0.1:1")
