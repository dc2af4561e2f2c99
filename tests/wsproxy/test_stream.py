"""Streams: they give what is there, no more than was asked for, and end properly."""

import asyncio
import socket

import pytest

from wsproxy.stream import SocketStream


def connected() -> tuple[SocketStream, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    return SocketStream(ours), theirs


async def test_receive_takes_no_more_than_the_limit() -> None:
    stream, peer = connected()
    with peer:
        peer.sendall(b"abcdef")
        assert await stream.receive(4) == b"abcd"
        assert stream.socket.recv(10) == b"ef"
        stream.abort()


async def test_receive_waits_and_sees_the_end() -> None:
    stream, peer = connected()
    with peer:
        waiting = asyncio.create_task(stream.receive(10))
        await asyncio.sleep(0)
        assert not waiting.done()
        peer.sendall(b"x")
        assert await waiting == b"x"
        peer.shutdown(socket.SHUT_WR)
        assert await stream.receive(10) == b""
        stream.abort()


async def test_send_reaches_the_peer() -> None:
    stream, peer = connected()
    with peer:
        await stream.send(b"hello")
        assert peer.recv(10) == b"hello"
        stream.abort()


async def test_abort_closes_and_may_be_repeated() -> None:
    stream, peer = connected()
    with peer:
        stream.abort()
        stream.abort()
        assert stream.socket.fileno() == -1
        assert peer.recv(1) == b""


async def test_a_lost_connection_is_an_os_error() -> None:
    stream, peer = connected()
    peer.close()
    with pytest.raises(OSError, match=r"[Bb]roken pipe"):
        await stream.send(b"x")
    stream.abort()
