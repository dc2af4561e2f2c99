"""Streams on transports: exact reads, back pressure, and a hand-over that loses nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from wsproxy.transport_stream import TransportStream

Events = list[str | bytes]


class Recorder(asyncio.Protocol):
    """Write down what it is told."""

    def __init__(self, keep_open: bool = False) -> None:
        self.events: Events = []
        self.lost = asyncio.get_running_loop().create_future()
        self.keep_open = keep_open
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")
        self.transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.events.append(bytes(data))

    def eof_received(self) -> bool:
        self.events.append("eof")
        return self.keep_open

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")
        self.lost.set_result(exc)


class BufferedRecorder(asyncio.BufferedProtocol):
    """Do the same as the other kind of protocol, with a buffer of three bytes."""

    def __init__(self) -> None:
        self.events: Events = []
        self.lost = asyncio.get_running_loop().create_future()
        self.buffer = bytearray(3)
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.events.append("made")
        self.transport = transport  # type: ignore[assignment]

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, nbytes: int) -> None:
        self.events.append(bytes(self.buffer[:nbytes]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append("lost")
        self.lost.set_result(exc)


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[tuple[TransportStream, socket.socket]]:
    """Give a stream and the blocking socket it leads to."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(10)
    stream = TransportStream(ours)
    await asyncio.get_running_loop().create_connection(lambda: stream, sock=ours)
    with theirs:
        yield stream, theirs
        stream.abort()


Pair = tuple[TransportStream, socket.socket]


async def until(condition: Callable[[], bool]) -> None:
    """Turn the loop until the condition holds."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0)


async def test_receive_takes_no_more_than_the_limit(pair: Pair) -> None:
    stream, peer = pair
    peer.sendall(b"abcdef")
    assert await stream.receive(4) == b"abcd"
    assert await stream.receive(4) == b"ef"
    peer.close()
    assert await stream.receive(4) == b""


async def test_receive_waits(pair: Pair) -> None:
    stream, peer = pair
    waiting = asyncio.create_task(stream.receive(10))
    await asyncio.sleep(0)
    assert not waiting.done()
    peer.sendall(b"x")
    assert await waiting == b"x"


async def test_a_cancelled_receive_takes_nothing(pair: Pair) -> None:
    stream, peer = pair
    waiting = asyncio.create_task(stream.receive(10))
    await asyncio.sleep(0)
    peer.sendall(b"x")
    await until(lambda: stream._buffer == b"x")
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert await stream.receive(10) == b"x"


async def test_what_is_given_back_comes_first(pair: Pair) -> None:
    stream, peer = pair
    peer.sendall(b"abcd")
    data = await stream.receive(3)
    stream.give_back(data[1:])
    assert await stream.receive(10) == b"bcd"


async def test_the_end_comes_after_the_data(pair: Pair) -> None:
    stream, peer = pair
    peer.sendall(b"x")
    peer.close()
    assert await stream.receive(10) == b"x"
    assert await stream.receive(10) == b""
    assert await stream.receive(10) == b""


async def test_send(pair: Pair) -> None:
    stream, peer = pair
    await stream.send(b"hello")
    assert peer.recv(10) == b"hello"


async def test_send_after_the_end(pair: Pair) -> None:
    stream, peer = pair
    peer.close()
    assert await stream.receive(1) == b""
    with pytest.raises(ConnectionResetError):
        await stream.send(b"x")


async def test_an_error_is_told_after_the_data() -> None:
    server = socket.create_server(("127.0.0.1", 0))
    ours = socket.create_connection(server.getsockname())
    theirs, _ = server.accept()
    server.close()
    ours.setblocking(False)
    stream = TransportStream(ours)
    await asyncio.get_running_loop().create_connection(lambda: stream, sock=ours)
    theirs.sendall(b"x")
    await until(lambda: stream._buffer == b"x")
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    theirs.close()
    assert await stream.receive(1) == b"x"
    with pytest.raises(ConnectionResetError, match="is lost"):
        await stream.receive(1)
    stream.abort()


async def flood(stream: TransportStream, peer: socket.socket) -> int:
    """Send until the stream takes no more and the kernel's buffers are full; return how much."""
    peer.setblocking(False)
    sent = blocked = 0

    def push() -> bool:
        nonlocal sent, blocked
        try:
            sent += peer.send(b"x" * 65536)
            blocked = 0
        except BlockingIOError:
            blocked += 1
        return not stream.transport.is_reading() and blocked > 3

    await until(push)
    return sent


async def test_a_flood_is_held_back(pair: Pair) -> None:
    stream, peer = pair
    sent = await flood(stream, peer)
    received = len(await stream.receive(1 << 30))
    assert received < sent
    assert stream.transport.is_reading()
    while received < sent:
        received += len(await stream.receive(1 << 30))


async def test_abort_closes_and_may_be_repeated(pair: Pair) -> None:
    stream, peer = pair
    stream.abort()
    stream.abort()
    await until(lambda: stream.socket.fileno() == -1)  # uvloop closes in its own time
    assert peer.recv(1) == b""


async def test_abort_of_a_connection_that_closed_with_data_still_to_send(pair: Pair) -> None:
    stream, peer = pair
    peer.setblocking(False)
    await stream.send(b"x" * (1 << 22))
    stream.transport.close()
    received = 0
    while data := await asyncio.get_running_loop().sock_recv(peer, 1 << 20):
        received += len(data)
    assert received == 1 << 22
    await until(lambda: stream.socket.fileno() == -1)
    stream.abort()


@pytest.mark.parametrize("kind", [Recorder, BufferedRecorder])
async def test_hand_over_gives_what_was_left_and_what_comes_later(
    pair: Pair, kind: type[Recorder] | type[BufferedRecorder]
) -> None:
    stream, peer = pair
    peer.sendall(b"1234567")
    assert await stream.receive(2) == b"12"
    protocol = kind()
    stream.hand_over(protocol)
    assert b"".join(event for event in protocol.events[1:] if isinstance(event, bytes)) == b"34567"
    assert protocol.events[0] == "made"
    peer.sendall(b"89")
    await until(lambda: protocol.events[-1] == b"89")
    protocol.transport.write(b"out")
    assert peer.recv(10) == b"out"
    peer.close()
    await protocol.lost
    assert protocol.events[-1] == "lost"


async def test_hand_over_of_a_transport_that_was_paused(pair: Pair) -> None:
    stream, peer = pair
    sent = await flood(stream, peer)
    protocol = Recorder()
    stream.hand_over(protocol)
    await until(lambda: sum(map(len, protocol.events[1:])) == sent)


async def test_hand_over_of_a_connection_that_is_gone(pair: Pair) -> None:
    stream, peer = pair
    peer.sendall(b"bye")
    peer.close()
    await until(lambda: stream.transport.is_closing())
    protocol = Recorder()
    stream.hand_over(protocol)
    await protocol.lost
    assert [event for event in protocol.events if event != "eof"] == ["made", b"bye", "lost"]


async def test_hand_over_after_everything(pair: Pair) -> None:
    stream, peer = pair
    peer.sendall(b"bye")
    peer.close()
    assert await stream.receive(1) == b"b"
    await until(lambda: stream.socket.fileno() == -1)
    await asyncio.sleep(0)
    protocol = Recorder()
    stream.hand_over(protocol)
    await protocol.lost
    assert protocol.events == ["made", b"ye", "lost"]


async def test_a_late_notice_reaches_the_successor(pair: Pair) -> None:
    stream, _ = pair
    protocol = Recorder()
    stream.hand_over(protocol)
    error = ConnectionResetError()
    stream.connection_lost(error)
    assert await protocol.lost is error
    protocol.lost = asyncio.get_running_loop().create_future()  # the transport will tell again
