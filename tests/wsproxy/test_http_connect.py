"""Asking an HTTP proxy: what is sent, what a reply leads to, and that the tunnel's bytes stay."""

import asyncio
import socket

import pytest

from wsproxy import (
    ProxyAuthenticationError,
    ProxyRefusedError,
    ProxyReplyError,
    parse_proxy_url,
)
from wsproxy.connect_reply import ConnectReply
from wsproxy.http_connect import ask_for_tunnel, refusal
from wsproxy.stream import SocketStream
from wsproxy.target import parse_target

PROXY = parse_proxy_url("http://alice:hunter2@proxy:8080")
TARGET = parse_target("example.com", 443)


async def ask(answer: bytes) -> tuple[ConnectReply, bytes, bytes]:
    """Ask a proxy that has answered already; return the reply, the request and what is left."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)
        reply = await ask_for_tunnel(SocketStream(ours), PROXY, TARGET, [("A", "b")])
        return reply, theirs.recv(1000), ours.recv(1000)


async def test_an_open_tunnel_and_its_first_bytes() -> None:
    reply, request, rest = await ask(b"HTTP/1.1 200 OK\r\n\r\nhello")
    assert reply.is_open
    assert request == b"CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\nA: b\r\n\r\n"
    assert rest == b"hello"


async def test_a_refusal_is_returned() -> None:
    reply, _, rest = await ask(b"HTTP/1.1 502 Bad Gateway\r\n\r\n<html>")
    assert (reply.status, reply.reason, rest) == (502, "Bad Gateway", b"<html>")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (b"", "connection was closed"),
        (b"HTTP/1.1 200 OK\r\n", "connection was closed"),
        (b"\x05\xff", "not HTTP"),
    ],
)
async def test_no_valid_reply(answer: bytes, problem: str) -> None:
    with pytest.raises(ProxyReplyError, match=problem) as caught:
        await ask(answer)
    assert (caught.value.proxy_host, caught.value.proxy_port) == ("proxy", 8080)


async def test_a_connection_that_is_reset() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    ours.setblocking(False)
    with ours, pytest.raises(ProxyReplyError):
        await ask_for_tunnel(SocketStream(ours), PROXY, TARGET, [])


async def test_cancelled_while_it_waits() -> None:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs:
        task = asyncio.create_task(ask_for_tunnel(SocketStream(ours), PROXY, TARGET, []))
        await asyncio.get_running_loop().run_in_executor(None, theirs.recv, 1000)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_refusals_carry_what_the_proxy_said() -> None:
    error = refusal(PROXY, ConnectReply(403, "Not for alice", (("X-Why", "hunter2 is bad"),)))
    assert type(error) is ProxyRefusedError
    assert (error.proxy_host, error.proxy_port) == ("proxy", 8080)
    assert (error.code, error.reason) == (403, "Not for ***")
    assert error.headers == (("X-Why", "*** is bad"),)
    assert str(error) == "proxy http://proxy:8080 refused the tunnel: 403 Not for ***"


def test_a_refusal_without_words() -> None:
    assert str(refusal(PROXY, ConnectReply(502, "", ()))).endswith("refused the tunnel: 502")


def test_407_is_about_authentication() -> None:
    error = refusal(PROXY, ConnectReply(407, "Auth", ()))
    assert type(error) is ProxyAuthenticationError
    assert error.code == 407
