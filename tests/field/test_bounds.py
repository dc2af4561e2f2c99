"""What a peer can make grow has a bound: bytes, time, memory, log records."""

import asyncio
import contextlib
import logging
import socket
import ssl
import tracemalloc
import zlib

import pytest

from tests.field.ends import CallbackEnd, End, Message, Setting
from tests.field.peer import BOUND, Peer, connected, listening
from tests.wscore import wire
from tests.wscore.message_recorder import Packer

KIB, MIB = 1 << 10, 1 << 20
SOON = 0.25  # seconds: a deadline that a test waits for
ROOM = 4096  # bytes: of a peer that takes as little as the system allows


# -- before the handshake


async def is_ended(peer: Peer) -> bytes:
    """Wait for the end of a connection; what came before it."""
    async with asyncio.timeout(BOUND):
        return await peer.read_to_end()


@contextlib.asynccontextmanager
async def unopened(setting: Setting, **options: float):  # type: ignore[no-untyped-def]
    """Yield a silent peer's connection, and the awaitable that opens the client's side."""
    loop = asyncio.get_running_loop()
    if setting.side == "server":
        ends: list[End] = []
        async with (
            setting.serving(ends.append, **options) as port,
            connected(port, setting.tls and setting.tls.client) as peer,
        ):
            yield peer, loop.create_task(asyncio.sleep(0))
        assert not ends
        return
    with listening(setting.tls and setting.tls.server) as listener:
        opening = loop.create_task(setting.connect(listener.port, **options))
        peer = await listener.accept()
        with peer.sock:
            yield peer, opening


START = {
    "server": b"GET / HTTP/1.1\r\nHost: localhost\r\n",
    "client": b"HTTP/1.1 101 Switching Protocols\r\n",
}
# How an endless head begins (None: as it should), and what it repeats.
HEADS = {
    "blank lines": (b"", b"\r\n" * 512),
    "header fields": (None, b"X-Y: z\r\n" * 64),
    "one field": (None, b"x" * 1024),
}


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.field("before the handshake")
async def test_an_endless_head_ends_the_connection(setting: Setting, kind: str) -> None:
    """By the limits, long before the deadline."""
    begin, piece = HEADS[kind]
    async with unopened(setting, open_timeout=60) as (peer, opening):
        await peer.shake_hands()
        with contextlib.suppress(ConnectionError):  # once our end has had enough
            await peer.send(START[setting.side] if begin is None else begin)
            for _ in range(4 * 64 * KIB // len(piece)):
                await peer.send(piece)
                await asyncio.sleep(0)
        async with asyncio.timeout(BOUND):
            if setting.side == "server":
                assert wire.status_of(await peer.read_head()) in (400, 431)
            else:
                with pytest.raises(Exception, match=r".") as caught:
                    await opening
                assert not isinstance(caught.value, TimeoutError)


@pytest.mark.field("before the handshake")
async def test_a_head_that_drips_ends_at_the_deadline(setting: Setting) -> None:
    async with unopened(setting, open_timeout=SOON) as (peer, opening):
        await peer.shake_hands()
        with contextlib.suppress(ConnectionError):
            for byte in START[setting.side] + b"X: y\r\n" * 50:
                await peer.send(bytes([byte]))
                await asyncio.sleep(0.01)
            pytest.fail("all was taken")
        await is_ended(peer)
        if setting.side == "client":
            with pytest.raises(TimeoutError):
                await opening


@pytest.mark.parametrize("begun", [False, True], ids=["silent", "begun"])
@pytest.mark.field("TLS that never begins")
async def test_a_peer_that_does_not_end_its_tls_handshake(setting: Setting, begun: bool) -> None:
    async with unopened(setting, open_timeout=SOON) as (peer, opening):
        if begun:  # the head of a record of 200 bytes, and one of them
            await asyncio.get_running_loop().sock_sendall(peer.sock, b"\x16\x03\x01\x00\xc8\x01")
        async with asyncio.timeout(BOUND):
            with contextlib.suppress(ConnectionError):
                while await asyncio.get_running_loop().sock_recv(peer.sock, KIB):
                    pass
            if setting.side == "client":
                with pytest.raises((TimeoutError, OSError)):
                    await opening


# -- a peer that does not read


async def until_idle(peer: Peer, rounds: int = 50) -> None:
    """Let the loop iterate, so that our end does all that it can."""
    for _ in range(rounds):
        await asyncio.sleep(0)


def make_narrow(end: End) -> None:
    """Have the system take little of what is sent."""
    sock = end.transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ROOM)


@pytest.mark.field("pings without reading")
async def test_at_most_one_pong_waits_for_a_peer_that_does_not_read(setting: Setting) -> None:
    async with setting.pair(room=ROOM) as (end, peer):
        make_narrow(end)
        consuming = asyncio.create_task(end.consume(lambda message: None))
        # What the system's own buffers take of the pongs; with each one more, more would wait.
        sizes = []
        for number in range(64):
            pings = [wire.F(wire.PING, b"%04d" % number + bytes(100)) for _ in range(64)]
            await peer.send(*pings)
            await until_idle(peer, 5)
            sizes.append(end.transport.get_write_buffer_size())
        assert sizes[-1] <= 64 * KIB + 256, sizes[-1]
        await peer.send(wire.F(wire.PING, b"latest"), wire.F(wire.TEXT, b"end"))
        async with asyncio.timeout(BOUND):
            while (await peer.read_frame()).payload != b"latest":
                pass
        # It reads again, and gets every pong.
        for number in range(20):
            await peer.send(wire.F(wire.PING, b"%d" % number))
            assert (await peer.read_frame()).payload == b"%d" % number
        consuming.cancel()


# The marks at which `send` waits, and one message.
HIGH = {"callbacks": 64 * KIB, "reader": 64 * KIB, "asyncio": 32 * KIB, "legacy": 64 * KIB}
SENT = b"m" * 8 * KIB


@pytest.mark.field("a peer that does not read")
async def test_sending_waits_for_a_peer_that_does_not_read(setting: Setting) -> None:
    async with setting.pair(room=ROOM) as (end, peer):
        make_narrow(end)
        sent = 0

        async def send_all() -> None:
            nonlocal sent
            for _ in range(100):
                await end.send(SENT)
                sent += 1

        sending = asyncio.create_task(send_all())
        await until_idle(peer, 200)
        assert not sending.done()
        assert end.is_blocked
        waiting = end.transport.get_write_buffer_size()
        assert waiting <= HIGH[setting.api.name] + len(SENT) + 200
        got = 0
        async with asyncio.timeout(BOUND):
            for _ in range(100):
                got += (await peer.read_frame()).payload == SENT
            await sending
        assert got == sent == 100


# -- messages


@pytest.mark.field("inflating")
async def test_a_message_that_inflates_beyond_the_limit_ends_the_connection(
    setting: Setting,
) -> None:
    async with setting.pair(deflate=True, max_size=MIB) as (end, peer):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        bomb = packer.compress(bytes(64 * MIB)) + packer.flush(zlib.Z_SYNC_FLUSH)
        consuming = asyncio.create_task(end.consume(lambda message: None))
        tracemalloc.start()
        try:
            await peer.send(wire.F(wire.BINARY, bomb[:-4], rsv=4))
            frames = await peer.read_frames()
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert frames[-1].close_code == 1009
        assert most < 8 * MIB
        await is_consumed(end, consuming)


async def is_consumed(end: End, consuming: asyncio.Task[None]) -> None:
    """Wait for the end as our side sees it."""
    async with asyncio.timeout(BOUND):
        await consuming
        await end.wait_closed()


async def until_not_read(end: End) -> None:
    """Wait until our end reads nothing more from its socket."""
    async with asyncio.timeout(BOUND):
        while end.transport.is_reading():
            await asyncio.sleep(0)


def at_once(end: End) -> list[Message]:
    """Receive what is there without letting the loop iterate, in which it would read on."""
    messages = []
    while True:
        receiving = end.receive()
        try:
            receiving.send(None)
        except StopIteration as result:
            messages.append(result.value)
        except end.closed_errors:
            return messages
        else:
            receiving.close()
            return messages


QUEUED = MIB
LARGE = 4 * MIB  # also the largest message that is allowed
# Of messages that nobody receives: the size, how many, and what more than `QUEUED` may be there.
UNRECEIVED = {
    "medium": (300 * KIB, 40, 300 * KIB + 256 * KIB),
    "largest": (LARGE, 5, LARGE + 256 * KIB),
    "compressed": (LARGE, 12, 2 * LARGE),
}


@pytest.mark.parametrize("kind", UNRECEIVED)
@pytest.mark.field("nobody receives")
async def test_what_nobody_receives_is_bounded_in_bytes(setting: Setting, kind: str) -> None:
    size, count, more = UNRECEIVED[kind]
    payloads = [b"%04d" % number + bytes(size - 4) for number in range(count)]
    frames = [wire.F(wire.BINARY, payload) for payload in payloads]
    if kind == "compressed":
        packer = Packer(keeps_context=False)
        frames = [wire.F(wire.BINARY, packer(payload), rsv=4) for payload in payloads]
    async with setting.pair(deflate=kind == "compressed", max_size=LARGE) as (end, peer):
        sending = asyncio.create_task(peer.send(*frames))
        await until_not_read(end)
        await until_idle(peer)
        got = at_once(end)
        assert QUEUED <= sum(map(len, got)) < QUEUED + more
        async with asyncio.timeout(BOUND):
            while len(got) < count:
                got.append(await end.receive())
            await sending
        assert got == payloads


@pytest.mark.field("nobody receives")
async def test_what_nobody_receives_is_bounded_when_the_peer_resets(setting: Setting) -> None:
    packer = Packer(keeps_context=False)
    payloads = [b"%04d" % number + bytes(LARGE - 4) for number in range(16)]
    frames = [wire.F(wire.BINARY, packer(payload), rsv=4) for payload in payloads]
    async with setting.pair(deflate=True, max_size=LARGE) as (end, peer):
        await peer.send(*frames)
        await until_not_read(end)
        peer.reset()
        async with asyncio.timeout(BOUND):
            with contextlib.suppress(*end.closed_errors):
                await end.send("for the system to say that the peer is gone")
            await end.wait_closed()
        got = at_once(end)
    assert [message[:4] for message in got] == [payload[:4] for payload in payloads[: len(got)]]
    assert QUEUED <= sum(map(len, got)) <= QUEUED + 3 * LARGE


@pytest.mark.field("memory after use")
async def test_memory_of_large_messages_is_given_back(setting: Setting) -> None:
    async with setting.pair(max_size=2 * LARGE) as (end, peer):

        async def use() -> None:
            async with asyncio.timeout(BOUND):
                echoing = asyncio.create_task(echo())
                await peer.send(wire.F(wire.BINARY, bytes(LARGE)))
                assert len((await peer.read_frame()).payload) == LARGE
                await echoing
                # One more message: what a connection keeps, it keeps while it is in use.
                await peer.send(wire.F(wire.TEXT, b"small"))
                assert await end.receive() == "small"

        async def echo() -> None:
            message = await end.receive()
            await end.send(message)

        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            await use()
            most = tracemalloc.get_traced_memory()[1]
            # What the loop has for all of its connections is among it; it keeps the memory of a
            # large message for a next one, but not for long.
            async with asyncio.timeout(BOUND):
                while tracemalloc.get_traced_memory()[0] - before > MIB:
                    await asyncio.sleep(0.01)
        finally:
            tracemalloc.stop()
        assert most - before >= LARGE, "this does not see the memory of messages"


# -- the end


@pytest.mark.field("closing")
async def test_a_peer_that_never_ends_is_aborted(setting: Setting) -> None:
    """It reads nothing, so that the CLOSE waits behind what was sent, and closes nothing."""
    async with setting.pair(room=ROOM, close_timeout=SOON) as (end, peer):
        make_narrow(end)
        sending = asyncio.create_task(end.send(bytes(200 * KIB)))
        consuming = asyncio.create_task(end.consume(lambda message: None))
        await until_idle(peer, 5)
        async with asyncio.timeout(BOUND):
            await end.close()
        await is_consumed(end, consuming)
        if isinstance(end, CallbackEnd):
            assert end.gone.is_set()
        with contextlib.suppress(*end.closed_errors):
            async with asyncio.timeout(BOUND):
                await sending
        with pytest.raises(end.closed_errors):
            await end.receive()


# -- logs


async def play(peer: Peer, fault: str) -> None:
    """Be a bad peer, from the end of the handshake on."""
    match fault:
        case "bad frame":
            await peer.send(wire.F(3, b"?"))
        case "bad text":
            await peer.send(wire.F(wire.TEXT, b"\xff"))
        case "reset":
            await peer.send(wire.F(wire.TEXT, b"hello"))
            peer.reset()
            return
        case "breaks off":
            await peer.send(b"\x81")
            peer.sock.close()
            return
        case "garbage for TLS":
            await asyncio.get_running_loop().sock_sendall(peer.sock, b"\x00garbage" * 99)
    with contextlib.suppress(ConnectionError, EOFError, ssl.SSLError):
        await peer.read_frames()


@pytest.mark.parametrize(
    "fault", ["bad frame", "bad text", "reset", "breaks off", "garbage for TLS"]
)
@pytest.mark.field("log records")
async def test_a_bad_peer_costs_one_record_at_most(
    setting: Setting, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    if fault == "garbage for TLS" and setting.tls is None:
        fault = "bad frame"
    async with setting.pair() as (end, peer):
        consuming = asyncio.create_task(end.consume(lambda message: None))
        await until_idle(peer, 5)
        caplog.clear()
        with caplog.at_level(logging.DEBUG):
            await play(peer, fault)
            await is_consumed(end, consuming)
            end.over.set()
            await until_idle(peer)
    loud = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(loud) <= 1
    assert not [record for record in loud if record.exc_info]


REQUESTS = {
    "garbage": b"\x16\x03\x01 no HTTP at all\r\n\r\n",
    "no upgrade": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "breaks off": b"GET / HTTP/1.1\r\nHost",
    "nothing": b"",
}


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.field("log records")
async def test_a_bad_handshake_costs_one_record_at_most(
    setting: Setting, request_: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A client's log has nothing at all: its program gets the exception."""
    async with unopened(setting) as (peer, opening):
        with caplog.at_level(logging.DEBUG):
            await peer.shake_hands()
            await peer.send(REQUESTS[request_])
            peer.sock.close()
            if setting.side == "client":
                async with asyncio.timeout(BOUND):
                    with pytest.raises(Exception, match=r"."):
                        await opening
            else:
                await until_idle(peer, 200)
    loud = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(loud) <= (setting.side == "server")
    assert not [record for record in loud if record.exc_info]
