"""The doors: what is asked of a proxy, misbehaving proxies, deadlines, cancellation, secrets.

That no socket and no task is left is asserted after every test here by the fixture `no_leaks`.
"""

import asyncio
import logging
import socket
import traceback

import pytest

from tests.support.own_proxies import (
    Handler,
    answering,
    dripping,
    echo,
    endless,
    scripted,
    serving,
    silent,
    tunnelling,
)
from tests.support.proxy_fixtures import ENCODED, PASSWORD, USER
from tests.support.real_proxies import free_port
from tests.support.tls import Tls
from tests.wsproxy.checks import BOUND, Greeted, check_greeted
from wsproxy import (
    DEFAULT_USER_AGENT,
    ProxyAuthenticationError,
    ProxyConnectionError,
    ProxyError,
    ProxyRefusedError,
    ProxyReplyError,
    ProxyTimeoutError,
    ProxyUnsupportedError,
    ProxyURLError,
    gives_socket,
    open_tunnel,
    open_tunnel_transport,
)
from wsproxy.tunnel import Proxies

# -- what is asked of the proxy


@pytest.mark.parametrize(
    ("url", "options", "expected"),
    [
        ("http://{}", {}, [f"User-Agent: {DEFAULT_USER_AGENT}"]),
        ("http://{}", {"user_agent": None}, []),
        ("http://{}", {"user_agent": "me"}, ["User-Agent: me"]),
        ("http://u:p@{}", {"user_agent": None}, ["Proxy-Authorization: Basic dTpw"]),
        (
            "http://u:p@{}",
            {"headers": {"proxy-authorization": "Bearer x", "user-agent": "y"}},
            ["proxy-authorization: Bearer x", "user-agent: y"],
        ),
        (
            "http://{}",
            {"headers": [("X-A", "1"), ("X-A", "2")], "user_agent": None},
            ["X-A: 1", "X-A: 2"],
        ),
    ],
)
async def test_the_connect_request(
    url: str, options: dict[str, object], expected: list[str]
) -> None:
    heads: list[bytes] = []

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")

    async with serving(proxy) as port:
        address = url.format(f"127.0.0.1:{port}")
        sock = await open_tunnel(address, "example.com", 443, timeout=BOUND, **options)  # type: ignore[arg-type]
        sock.close()
    first = ["CONNECT example.com:443 HTTP/1.1", "Host: example.com:443"]
    assert heads[0].decode().split("\r\n") == [*first, *expected, "", ""]


@pytest.mark.parametrize(
    ("scheme", "rdns", "request_end"),
    [
        ("socks4", None, b"\x7f\x00\x00\x01\x00"),
        ("socks4", False, b"\x7f\x00\x00\x01\x00"),
        ("socks4", True, b"\x00\x00\x00\x01\x00localhost\x00"),
        ("socks4a", None, b"\x00\x00\x00\x01\x00localhost\x00"),
        ("socks4a", False, b"\x7f\x00\x00\x01\x00"),
    ],
)
async def test_who_resolves_for_socks4(scheme: str, rdns: bool | None, request_end: bytes) -> None:
    request = b"\x04\x01\x01\xbb" + request_end
    async with serving(scripted((len(request), b"\x00\x5a" + b"\x00" * 6))) as port:
        proxy = f"{scheme}://127.0.0.1:{port}"
        (await open_tunnel(proxy, "localhost", 443, rdns=rdns, timeout=BOUND)).close()


# -- a connection of the caller's to the proxy


async def test_a_connection_of_the_callers() -> None:
    """It is asked for at each attempt, for the first proxy only."""
    asked: list[tuple[str, int]] = []
    challenge = b"HTTP/1.1 407 X\r\nProxy-Authenticate: Digest realm=r, nonce=n, qop=auth\r\n\r\n"
    answers = [challenge, b"HTTP/1.1 200 OK\r\n\r\n"]

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answers.pop(0))
        await reader.read()

    async with serving(proxy) as port:

        async def connect(host: str, port_of_proxy: int) -> socket.socket:
            asked.append((host, port_of_proxy))
            return socket.create_connection(("127.0.0.1", port))  # a blocking one

        sock = await open_tunnel("http://u:p@proxy.invalid:99", "h", 1, connect=connect)
        assert sock.gettimeout() == 0
        sock.close()
    assert asked == [("proxy.invalid", 99)] * 2


@pytest.mark.parametrize(
    ("raised", "expected"), [(OSError(9, "no"), ProxyConnectionError), (KeyError("no"), KeyError)]
)
async def test_a_connection_of_the_callers_that_fails(
    raised: Exception, expected: type[Exception]
) -> None:
    async def connect(host: str, port: int) -> socket.socket:
        raise raised

    with pytest.raises(expected) as caught:
        await open_tunnel("http://proxy.invalid", "h", 1, connect=connect)
    assert raised in (caught.value, caught.value.__cause__)


# -- refused before anything is sent


@pytest.mark.parametrize(
    ("proxy", "host", "port", "kind"),
    [
        ("proxy:8080", "h", 1, ProxyError),
        ("http://proxy:http", "h", 1, ProxyURLError),
        ("ftp://proxy", "h", 1, ProxyUnsupportedError),
        ("https://proxy", "h", 1, ProxyUnsupportedError),
        (["http://proxy", "https://proxy"], "h", 1, ProxyUnsupportedError),
        (["http://proxy", "proxy"], "h", 1, ProxyURLError),
        ([], "h", 1, ValueError),
        ("http://a%3Ab:c@proxy", "h", 1, ProxyUnsupportedError),
        ("http://proxy", "a\r\nb", 1, ValueError),
        ("http://proxy", "h", 0, ValueError),
        ("socks5://%C3%A9:x@proxy", "h", 1, ProxyUnsupportedError),
        ("socks4://proxy", "::1", 1, ProxyUnsupportedError),
        ("socks5://proxy", "fe80::1%lo", 1, ProxyUnsupportedError),
        ("http://proxy", "fe80::1%lo", 1, ProxyUnsupportedError),
    ],
)
async def test_refused_at_once(proxy: Proxies, host: str, port: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await open_tunnel(proxy, host, port, timeout=BOUND)


async def test_options_that_make_no_sense() -> None:
    with pytest.raises(ValueError, match="User-Agent"):
        await open_tunnel("http://proxy", "h", 1, user_agent="a\r\nb")
    with pytest.raises(ValueError, match="not 'ntlm'"):
        await open_tunnel("http://proxy", "h", 1, auth="ntlm")  # type: ignore[arg-type]
    chain = ["http://proxy", "http://proxy"]
    with pytest.raises(ValueError, match="every proxy of the chain"):
        await open_tunnel(chain, "h", 1, headers={"proxy-authorization": "Bearer hunter2"})
    with pytest.raises(ValueError, match="only meaningful with ssl"):
        await open_tunnel_transport(Greeted, "http://proxy", "h", 1, server_hostname="h")
    for proxy in ("http://proxy", ["https://proxy", "https://proxy"]):
        with pytest.raises(ValueError, match="exactly one https"):
            await open_tunnel_transport(Greeted, proxy, "h", 1, proxy_server_hostname="h")


@pytest.mark.parametrize(
    ("proxy", "expected"),
    [
        ("http://p", True),
        ("socks5://p", True),
        ("https://p", False),
        (["http://p", "socks4://p"], True),
        (["http://p", "https://p"], False),
        (["https://p", "http://p"], False),
    ],
)
def test_gives_socket(proxy: Proxies, expected: bool) -> None:
    assert gives_socket(proxy) is expected


# -- misbehaviour


@pytest.mark.parametrize("scheme", ["http", "socks4a", "socks5"])
async def test_nobody_listens(scheme: str) -> None:
    port = free_port()
    with pytest.raises(ProxyConnectionError) as caught:
        await open_tunnel(f"{scheme}://127.0.0.1:{port}", "example.com", 443, timeout=BOUND)
    assert (caught.value.proxy_host, caught.value.proxy_port) == ("127.0.0.1", port)
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)
    assert caught.value.errno == caught.value.__cause__.errno


async def test_a_proxy_without_an_address() -> None:
    with pytest.raises(ProxyConnectionError, match=r"nowhere\.invalid"):
        await open_tunnel("http://nowhere.invalid", "example.com", 443, timeout=BOUND)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_proxy_on_ipv6(tls: Tls, scheme: str) -> None:
    server = tls.server if scheme == "https" else None
    async with serving(echo) as target, serving(tunnelling(target), "::1", server) as port:
        transport, protocol = await open_tunnel_transport(
            Greeted, f"{scheme}://[::1]:{port}", "h", 443, proxy_ssl=tls.client, timeout=BOUND
        )
        await check_greeted(transport, protocol)


@pytest.mark.parametrize("proxy", ["socks4://127.0.0.1:1", "socks5://127.0.0.1:1"])
async def test_a_target_without_an_address(proxy: str) -> None:
    with pytest.raises(ProxyConnectionError, match=r"cannot resolve nowhere\.invalid"):
        await open_tunnel(proxy, "nowhere.invalid", 443, rdns=False, timeout=BOUND)


HTTP_ANSWERS: dict[str, tuple[Handler, type[ProxyError], int | None]] = {
    "407": (answering(b"HTTP/1.1 407 Authenticate\r\n\r\n"), ProxyAuthenticationError, 407),
    "502": (answering(b"HTTP/1.1 502 Bad Gateway\r\nA: b\r\n\r\n"), ProxyRefusedError, 502),
    "302": (answering(b"HTTP/1.1 302 Found\r\nLocation: http://a\r\n\r\n"), ProxyRefusedError, 302),
    "garbage": (answering(b"\x00\x01garbage\r\n\r\n"), ProxyReplyError, None),
    "garbage after HTTP": (answering(b"HTTP/1.1 garbage\r\n\r\n"), ProxyReplyError, None),
    "nothing": (answering(), ProxyReplyError, None),
    "half a head": (answering(b"HTTP/1.1 200 OK\r\nA: b"), ProxyReplyError, None),
    "endless head": (endless(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 9999), ProxyReplyError, None),
    "endless line": (endless(b"HTTP/1.1 200 ", b"x" * 65536), ProxyReplyError, None),
    "endless interim": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), ProxyReplyError, None),
}


@pytest.mark.parametrize(
    ("handler", "kind", "code"), HTTP_ANSWERS.values(), ids=HTTP_ANSWERS.keys()
)
async def test_http_answers(handler: Handler, kind: type[ProxyError], code: int | None) -> None:
    async with serving(handler) as port:
        with pytest.raises(ProxyError) as caught:
            await open_tunnel(f"http://127.0.0.1:{port}", "example.com", 443, timeout=BOUND)
        assert type(caught.value) is kind
        assert caught.value.code == code
        assert (caught.value.proxy_host, caught.value.proxy_port) == ("127.0.0.1", port)


async def test_a_reply_in_pieces_with_the_tunnels_first_bytes_behind_it() -> None:
    head = b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"
    pieces = [head[n : n + 1] for n in range(len(head) - 1)]
    async with serving(answering(*pieces, head[-1:] + b"hello", then_wait=True)) as port:
        with await open_tunnel(f"http://127.0.0.1:{port}", "h", 443, timeout=BOUND) as sock:
            assert await asyncio.get_running_loop().sock_recv(sock, 100) == b"hello"


SLOW = {
    "http silent": ("http", silent),
    "http dripping": ("http", dripping(b"HTTP/1.1 200 OK\r\nA: ", b"x")),
    "http interim": ("http", dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n")),
    "socks4a silent": ("socks4a", silent),
    "socks5 silent": ("socks5", silent),
    "socks5 silent later": ("socks5", scripted((3, b"\x05\x00"), (1000, b""))),
}


@pytest.mark.parametrize(("scheme", "handler"), SLOW.values(), ids=SLOW.keys())
async def test_the_deadline_counts_for_everything(scheme: str, handler: Handler) -> None:
    async with serving(handler) as port:
        with pytest.raises(ProxyTimeoutError, match=r"within 0\.2 s") as caught:
            await open_tunnel(f"{scheme}://127.0.0.1:{port}", "example.com", 443, timeout=0.2)
        assert (caught.value.proxy_host, caught.value.proxy_port) == ("127.0.0.1", port)
        assert isinstance(caught.value, TimeoutError)


async def test_a_deadline_of_the_callers_is_not_ours() -> None:
    async with serving(silent) as port:
        with pytest.raises(TimeoutError) as caught:
            async with asyncio.timeout(0.1):
                await open_tunnel(f"http://127.0.0.1:{port}", "example.com", 443)
        assert not isinstance(caught.value, ProxyError)


@pytest.mark.parametrize("scheme", ["http", "socks4a", "socks5"])
async def test_cancelled_at_every_step(scheme: str, echo_port: int) -> None:
    """Cancel after 0, 1, 2, … turns of the loop, until the tunnel stands before the cancel."""
    handler = {
        "http": answering(b"HTTP/1.1 200", b" OK\r\n", b"\r\n", then_wait=True),
        "socks4a": scripted((21, b"\x00\x5a" + b"\x00" * 6)),
        "socks5": scripted(
            (4, b"\x05\x02"), (5, b"\x01\x00"), (18, b"\x05\x00\x00\x01" + b"\0" * 6)
        ),
    }[scheme]
    async with serving(handler) as port:
        for turns in range(1000):
            task = asyncio.create_task(
                open_tunnel(f"{scheme}://u:p@127.0.0.1:{port}", "example.com", 443)
            )
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            try:
                sock = await task
            except asyncio.CancelledError:
                continue
            sock.close()
            break
        else:
            pytest.fail("the tunnel was never opened")
        assert turns > 2


# -- secrets


@pytest.mark.parametrize(
    "handler",
    [
        answering(
            b"HTTP/1.1 407 wsuser or p:a@s-sWord is wrong\r\nX: d3N1c2VyOnA6YUBzLXNXb3Jk\r\n\r\n"
        ),
        answering(b"wsuser p:a@s-sWord\r\n\r\n"),
        silent,
    ],
    ids=["407", "garbage", "silence"],
)
async def test_credentials_are_nowhere_to_be_seen(
    handler: Handler, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    caplog.set_level(logging.DEBUG)
    for scheme in ("http", "socks4a", "socks5"):
        async with serving(handler) as port:
            proxy = f"{scheme}://{USER}:{ENCODED}@127.0.0.1:{port}"
            with pytest.raises(ProxyError) as caught:
                await open_tunnel(proxy, "example.com", 443, timeout=0.2)
        shown = [*_told_by(caught.value), caplog.text]
        for secret in (USER, PASSWORD, ENCODED, "d3N1c2VyOnA6YUBzLXNXb3Jk"):
            assert secret not in "\n".join(shown), secret


def _told_by(error: BaseException | None) -> list[str]:
    """Return all that an exception and those behind it say, without the lines of the sources."""
    told = []
    while error is not None:
        told += traceback.format_exception_only(error)
        told += [repr(error), repr(getattr(error, "__dict__", None)), repr(error.args)]
        error = error.__cause__ or error.__context__
    return told
