"""Receiving messages: assembled, queued within bounds, awaited in every way."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from unittest.mock import AsyncMock, patch

import pytest

from tests.wscore.message_recorder import DEFLATE, Packer, messages_to
from tests.wscore.pairs import Setting, Way, serving, until_gone
from tests.wscore.raw_peer import BOUND, RawPeer, accepting
from tests.wscore.wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    F,
    close,
    header_of,
    response,
)
from wscore import WSCloseCode, WSDeflate, WSFrame, WSMsgType, WSTransport, ws_connect
from wscore.messages.message_reader import WSMessageReader

KIB, MIB = 1 << 10, 1 << 20


@contextlib.asynccontextmanager
async def reading(
    setting: Setting, reader: WSMessageReader | None = None
) -> AsyncIterator[tuple[WSMessageReader, RawPeer]]:
    """Yield a reader on a client's connection, and the bare server at its other end."""
    accepted: asyncio.Future[RawPeer] = asyncio.get_running_loop().create_future()
    over = asyncio.Event()

    async def script(peer: RawPeer) -> None:
        key = header_of(await peer.read_head(), "Sec-WebSocket-Key")
        assert key is not None
        await peer.send(response(key))
        accepted.set_result(peer)
        await over.wait()

    reader = reader or WSMessageReader()
    async with accepting(script, setting.tls and setting.tls.server) as port:
        transport, _ = await ws_connect(lambda: reader, setting.url(port), **setting.client_options)
        try:
            yield reader, await accepted
        finally:
            over.set()
            transport.disconnect(graceful=False)
            await until_gone(transport)


async def soon(reader: WSMessageReader) -> str | bytes:
    async with asyncio.timeout(BOUND):
        return await reader.recv()


@pytest.fixture
def client_way(way: Way) -> Way:
    """Test on the client only: receiving is the same on both sides."""
    if way.setting.side == "server":
        return Way(Setting("client", way.setting.tls), way.each_byte)
    return way


async def test_messages(client_way: Way) -> None:
    async with reading(client_way.setting) as (reader, peer):
        await peer.send(
            F(TEXT, "ä€".encode()),
            F(BINARY, b"\xff\x00"),
            F(TEXT, b""),
            F(TEXT, "😀".encode()[:2], fin=False),
            F(PING, b"between"),
            F(CONTINUATION, b"", fin=False),
            F(CONTINUATION, "😀".encode()[2:]),
            F(BINARY, b"a", fin=False),
            F(CONTINUATION, b"b"),
            each_byte=client_way.each_byte,
        )
        got = [await soon(reader) for _ in range(5)]
        assert got == ["ä€", b"\xff\x00", "", "😀", b"ab"]
        assert (await peer.read_frame()).opcode == PONG


async def test_decode(plain: Setting) -> None:
    async with reading(plain) as (reader, peer):
        await peer.send(F(TEXT, b"a"), F(BINARY, b"b"), F(TEXT, b"c"), F(BINARY, b"d"))
        async with asyncio.timeout(BOUND):
            assert await reader.recv(decode=False) == b"a"
            assert await reader.recv(decode=True) == "b"
            assert await reader.recv(decode=True) == "c"
            assert await reader.recv(decode=False) == b"d"


async def test_close_is_answered(both: Setting) -> None:
    async with reading(both) as (reader, peer):
        await peer.send(F(TEXT, b"last"), close(1001, "bye"))
        frame = await peer.read_frame()
        assert (frame.opcode, frame.payload) == (CLOSE, b"\x03\xe9bye")
        await peer.close()
        assert await soon(reader) == "last"
        with pytest.raises(EOFError):
            await soon(reader)
        with pytest.raises(EOFError):
            await soon(reader)


async def test_end_while_waiting(both: Setting) -> None:
    async with reading(both) as (reader, peer):
        task = asyncio.ensure_future(reader.recv())
        await asyncio.sleep(0)
        await peer.close()
        with pytest.raises(EOFError):
            async with asyncio.timeout(BOUND):
                await task


async def test_one_at_a_time(plain: Setting) -> None:
    async with reading(plain) as (reader, peer):
        first = asyncio.ensure_future(reader.recv())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another call"):
            await reader.recv()
        await peer.send(F(TEXT, b"x"))
        async with asyncio.timeout(BOUND):
            assert await first == "x"


async def test_every_way_to_wait(both: Setting) -> None:
    async with reading(both) as (reader, peer):

        async def answer(payload: bytes) -> None:
            await peer.send(F(TEXT, payload))

        async with asyncio.timeout(BOUND):
            assert (await asyncio.gather(reader.recv(), answer(b"gather")))[0] == "gather"
            shielded = asyncio.shield(reader.recv())
            await answer(b"shield")
            assert await shielded == "shield"
            waiting = asyncio.wait_for(reader.recv(), BOUND)
            assert (await asyncio.gather(waiting, answer(b"wait_for")))[0] == "wait_for"
            async with asyncio.TaskGroup() as group:
                task = group.create_task(reader.recv())
                group.create_task(answer(b"group"))
            assert task.result() == "group"


async def test_cancelling_loses_nothing(both: Setting) -> None:
    """A message may arrive in the same iteration of the loop as the cancellation."""
    async with reading(both) as (reader, peer):
        got = []
        for number in range(100):
            task = asyncio.ensure_future(reader.recv())
            await asyncio.sleep(0)
            await peer.send(F(TEXT, str(number).encode()))
            for _ in range(number % 5):
                await asyncio.sleep(0)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                got.append(await task)
        while len(got) < 100:
            got.append(await soon(reader))
        assert got == [str(number) for number in range(100)]


async def test_cancelling_within_a_message_loses_nothing(plain: Setting) -> None:
    async with reading(plain) as (reader, peer):
        task = asyncio.ensure_future(reader.recv())
        await peer.send(F(TEXT, b"a", fin=False), F(PING))
        assert (await peer.read_frame()).opcode == PONG
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await peer.send(F(CONTINUATION, b"b"))
        assert await soon(reader) == "ab"


async def test_too_many_fragments_to_join(plain: Setting) -> None:
    """Streaming allows any number; joining more than the limit ends the connection."""

    class Reader(WSMessageReader):
        max_joined = 2

    async with reading(plain, Reader()) as (reader, peer):
        parts = F(TEXT, b"a", fin=False), F(CONTINUATION, b"b", fin=False)
        await peer.send(*parts, F(CONTINUATION, b"c"))
        assert [part async for part in reader.recv_streaming()] == ["a", "b", "c"]
        await peer.send(parts[0], F(CONTINUATION, b"b"))
        assert await soon(reader) == "ab"
        await peer.send(*parts, F(CONTINUATION, b"c"), F(TEXT, b"more"))
        with pytest.raises(EOFError):
            await soon(reader)
        frame = await peer.read_frame()
        assert (frame.opcode, frame.payload[:2]) == (CLOSE, (1009).to_bytes(2, "big"))
        with pytest.raises(EOFError):
            await soon(reader)


async def test_full_queue_stops_reading(both: Setting) -> None:
    async with reading(both, WSMessageReader(high=4, low=1)) as (reader, peer):
        count = 2_000
        sending = asyncio.ensure_future(peer.send(*[F(BINARY, bytes(20_000))] * count))
        assert await soon(reader) == bytes(20_000)
        for _ in range(20):
            await asyncio.sleep(0)
        below = reader.transport.underlying_transport
        assert not below.is_reading()
        for _ in range(count - 1):
            await soon(reader)
        await sending
        await peer.send(F(TEXT, b"end"))
        assert await soon(reader) == "end"


def is_read(reader: WSMessageReader) -> bool:
    return bool(reader.transport.underlying_transport.is_reading())


async def until_paused(reader: WSMessageReader) -> None:
    """Wait until reading the socket is paused."""
    async with asyncio.timeout(BOUND):
        while is_read(reader):
            await asyncio.sleep(0)


@pytest.mark.parametrize("fragmented", [False, True])
async def test_bytes_in_the_queue_stop_reading(both: Setting, fragmented: bool) -> None:
    """At 1 MiB of messages, or of fragments, reading pauses until 256 KiB are left."""
    size, count = 100 * KIB, 60
    pieces = [b"%04d" % number + bytes(size - 4) for number in range(count)]
    frames = [F(BINARY, piece) for piece in pieces]
    if fragmented:
        frames = [F(CONTINUATION if n else BINARY, p, fin=False) for n, p in enumerate(pieces)]
    async with reading(both) as (reader, peer):
        sending = asyncio.create_task(peer.send(*frames))
        stream = reader.recv_streaming()
        await until_paused(reader)
        taken = []
        async with asyncio.timeout(BOUND):
            while not is_read(reader):  # queued messages are taken before the loop iterates
                taken.append(await (anext(stream) if fragmented else reader.recv()))
            assert MIB - 256 * KIB <= sum(map(len, taken)) < MIB + 256 * KIB
            while len(taken) < count:
                taken.append(await (anext(stream) if fragmented else reader.recv()))
            await sending
        assert taken == pieces
        await stream.aclose()


async def test_the_low_mark_of_frames_holds_while_they_are_small(plain: Setting) -> None:
    """A reader with high and low marks near each other does not wait for a low mark of bytes."""
    async with reading(plain, WSMessageReader(high=60, low=59)) as (reader, peer):
        await peer.send(*[F(BINARY, bytes(10 * KIB))] * 60)
        await until_paused(reader)
        await soon(reader)
        assert is_read(reader)


async def test_a_queue_without_marks_has_no_limit(plain: Setting) -> None:
    async with reading(plain, WSMessageReader(high=None)) as (reader, peer):
        await peer.send(*[F(BINARY, bytes(MIB))] * 5, F(PING, b"read"))
        frame = await peer.read_frame()
        assert (frame.opcode, frame.payload) == (PONG, b"read")
        assert [len(await soon(reader)) for _ in range(5)] == [MIB] * 5


async def test_a_message_that_was_put_back_counts(plain: Setting) -> None:
    """A cancelled call puts the fragments joined so far at the front of the queue."""
    async with reading(plain) as (reader, peer):
        task = asyncio.create_task(reader.recv())
        await peer.send(F(BINARY, bytes(MIB), fin=False), F(PING, b"read"))
        assert (await peer.read_frame()).payload == b"read"
        assert is_read(reader)
        task.cancel()
        await asyncio.wait([task])
        await peer.send(F(CONTINUATION, b"end"))
        await until_paused(reader)
        assert await soon(reader) == bytes(MIB) + b"end"
        assert is_read(reader)


async def test_iteration(both: Setting) -> None:
    async with reading(both) as (reader, peer):
        await peer.send(F(TEXT, b"a"), F(BINARY, b"b"), close(WSCloseCode.OK))
        await peer.read_frame()
        await peer.close()
        async with asyncio.timeout(BOUND):
            assert [message async for message in reader] == ["a", b"b"]


async def test_iteration_over_an_incomplete_message(both: Setting) -> None:
    async with reading(both) as (reader, peer):
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b", fin=False), close(WSCloseCode.OK))
        assert (await peer.read_frame()).payload == b"\x03\xe8"
        await peer.close()
        async with asyncio.timeout(BOUND):
            assert [message async for message in reader] == ["a"]
            for _ in range(2):
                with pytest.raises(EOFError):
                    await reader.recv()


class Louder(WSMessageReader):
    """A reader that overrides `recv`."""

    async def recv(self, decode: bool | None = None) -> str | bytes:
        return (await super().recv(True)).upper()


async def test_iteration_by_an_overridden_recv(plain: Setting) -> None:
    async with reading(plain, Louder()) as (reader, peer):
        await peer.send(F(TEXT, b"a"), F(BINARY, b"b"), close(WSCloseCode.OK))
        await peer.read_frame()
        await peer.close()
        async with asyncio.timeout(BOUND):
            assert [message async for message in reader] == ["A", "B"]


async def collect(reader: WSMessageReader, got: list[str | bytes]) -> None:
    async with asyncio.timeout(BOUND):
        async for message in reader:
            got.append(message)  # noqa: PERF401


async def test_iteration_by_an_overridden_recv_that_fails(plain: Setting) -> None:
    got: list[str | bytes] = []
    async with reading(plain, Louder()) as (reader, peer):
        await peer.send(F(TEXT, b"a"), F(BINARY, b"\xff"))
        with pytest.raises(UnicodeDecodeError):
            await collect(reader, got)
        assert got == ["A"]
        await peer.send(close(WSCloseCode.INTERNAL_ERROR))
        await peer.close()
        with pytest.raises(EOFError):
            await collect(reader, got)


async def test_iteration_by_a_mocked_recv(plain: Setting) -> None:
    got: list[str | bytes] = []
    async with reading(plain, Louder()) as (reader, _):
        mock = AsyncMock(side_effect=["a", "b", ValueError])
        with patch.object(Louder, "recv", mock), pytest.raises(ValueError, match=r"^$"):
            await collect(reader, got)
        assert got == ["a", "b"]


async def test_streaming(plain: Setting) -> None:
    async with reading(plain) as (reader, peer):
        smile = "😀".encode()
        await peer.send(F(TEXT, smile[:2], fin=False), F(CONTINUATION, smile[2:]), F(BINARY, b"x"))
        async with asyncio.timeout(BOUND):
            assert "".join([part async for part in reader.recv_streaming()]) == "😀"  # type: ignore[misc]
            assert [part async for part in reader.recv_streaming()] == [b"x"]


# -- a full queue while the connection is being closed

NUMBERS = [b"%04d" % number for number in range(2000)]
PATIENCE = 0.05  # seconds


async def send_all(peer: RawPeer, pad: int, fragments: int = 1) -> None:
    """Send all messages and a CLOSE, and close the connection after the reply."""
    await peer.send(*numbered(pad, fragments), close(1000))
    assert (await peer.read_frame()).opcode == CLOSE
    await peer.close()


def numbered(pad: int, fragments: int = 1) -> list[F]:
    """Return messages that begin with their numbers."""
    return [
        F(CONTINUATION if part else BINARY, number + bytes(pad), fin=part == fragments - 1)
        for number in NUMBERS
        for part in range(fragments)
    ]


async def rest_of(reader: WSMessageReader, pause: float = 0) -> list[bytes]:
    """Receive all messages up to the end, with pauses in between."""
    got = []
    async with asyncio.timeout(BOUND):
        with contextlib.suppress(EOFError):
            while True:
                got.append(await reader.recv(False))
                await asyncio.sleep(pause)
    return got  # type: ignore[return-value]


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("stream", [False, True])
async def test_closing_loses_nothing_of_a_receiver(
    both: Setting, stream: bool, fragments: int
) -> None:
    async with reading(both, WSMessageReader(high=4, stream=stream)) as (reader, peer):
        task = asyncio.ensure_future(rest_of(reader))
        sending = asyncio.ensure_future(send_all(peer, 1000, fragments))
        await asyncio.sleep(0)
        reader.transport.send_close(1000)
        reader.discard(BOUND)
        got = await task
        assert [message[:4] for message in got] == NUMBERS
        assert {len(message) for message in got} == {fragments * 1004}
        await sending


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("ago", ["never", "before", "by the one that closes"])
async def test_closing_while_nobody_receives(both: Setting, ago: str, fragments: int) -> None:
    """The CLOSE after a full queue is received, and only messages at the end are lost."""
    async with reading(both, WSMessageReader(high=4)) as (reader, peer):
        sending = asyncio.ensure_future(send_all(peer, 1000, fragments))
        begin = []
        if ago == "before":
            begin = await asyncio.create_task(some_of(reader, 3))
        elif ago != "never":
            begin = await some_of(reader, 3)
        patience = PATIENCE if ago != "by the one that closes" else 1000
        reader.transport.send_close(1000)
        reader.discard(patience)
        await sending
        await until_gone(reader.transport)
        assert reader.transport.close_handshake.recv is not None
        got = [message[:4] for message in begin + await rest_of(reader)]
        assert 0 < len(got) < len(NUMBERS)
        assert got == NUMBERS[: len(got)]


async def some_of(reader: WSMessageReader, count: int) -> list[bytes]:
    return [(await soon(reader))[:4] for _ in range(count)]  # type: ignore[misc]


async def test_closing_while_somebody_receives_slowly(plain: Setting) -> None:
    """More slowly than `patience` in all, but messages keep being received."""
    async with reading(plain, WSMessageReader(high=64, low=63)) as (reader, peer):
        sending = asyncio.ensure_future(send_all(peer, 8000))
        task = asyncio.ensure_future(rest_of(reader, PATIENCE / 100))
        await asyncio.sleep(0)
        reader.discard(PATIENCE)
        assert [message[:4] for message in await task] == NUMBERS
        await sending


async def test_closing_while_the_loop_is_blocked(plain: Setting) -> None:
    """A receiver that was blocked gets more time."""
    async with reading(plain, WSMessageReader(high=4)) as (reader, peer):
        sending = asyncio.ensure_future(send_all(peer, 1000))
        while reader.transport.underlying_transport.is_reading():
            await asyncio.sleep(0.001)
        reader.discard(PATIENCE)
        time.sleep(2 * PATIENCE)
        got = await rest_of(reader)
        assert [message[:4] for message in got] == NUMBERS
        await sending


async def test_closing_while_a_receiver_stops(plain: Setting) -> None:
    """An incomplete message is not returned."""
    async with reading(plain, WSMessageReader(high=4)) as (reader, peer):
        sending = asyncio.ensure_future(send_all(peer, 1000, 3))
        parts = reader.recv_streaming()
        assert [(await anext(parts))[:4] for _ in range(2)] == [NUMBERS[0]] * 2
        reader.discard(PATIENCE)
        await sending
        await until_gone(reader.transport)
        async with asyncio.timeout(BOUND):
            assert [part[:4] async for part in parts] == [NUMBERS[0]]
        got = [message[:4] for message in await rest_of(reader)]
        assert got == NUMBERS[1 : 1 + len(got)]
        assert len(got) < len(NUMBERS)
        with pytest.raises(EOFError):
            await soon(reader)


async def test_both_sides(both: Setting) -> None:
    """The server's reader closes the TCP connection after the CLOSE (RFC 6455, 7.1.1)."""
    at_server, at_client = WSMessageReader(), WSMessageReader()
    async with serving(both, lambda _: at_server) as port:
        client, _ = await ws_connect(lambda: at_client, both.url(port), **both.client_options)
        client.send(WSMsgType.TEXT, "hello")
        assert await soon(at_server) == "hello"
        client.send_close(WSCloseCode.OK)
        async with asyncio.timeout(BOUND):
            await client.wait_disconnected()
            await at_server.transport.wait_disconnected()
        assert client.close_handshake is not None
        assert client.close_handshake.recv is not None
        assert client.close_handshake.recv.code is WSCloseCode.OK


async def test_messages_before_a_bad_frame_are_answered_first(plain: Setting) -> None:
    async with reading(plain) as (reader, peer):

        async def echo() -> None:
            with contextlib.suppress(EOFError):
                while True:
                    reader.transport.send(WSMsgType.TEXT, await reader.recv())

        echoing = asyncio.ensure_future(echo())
        await asyncio.sleep(0)  # it waits
        await peer.send(F(TEXT, b"good"), F(TEXT, b"bad", rsv=4))
        assert (await peer.read_frame()).payload == b"good"
        assert (await peer.read_frame()).close_code == 1002
        reader.transport.disconnect()
        async with asyncio.timeout(BOUND):
            await echoing


async def test_pieces_of_large_frames(plain: Setting) -> None:
    """A frame is returned in pieces as it arrives, long before its end."""
    reader = WSMessageReader(stream=True)
    size = 3 << 20
    async with reading(Setting("client", None), reader) as (_, peer):
        await peer.send(b"\x82\x7f" + size.to_bytes(8, "big"), b"begin")
        stream = reader.recv_streaming()
        async with asyncio.timeout(BOUND):
            assert await anext(stream) == b"begin"
            sending = asyncio.create_task(peer.send(b"x" * (size - 5) + b"\x81\x00"))
            received = 5
            async for piece in stream:
                assert 0 < len(piece) <= 256 * 1024
                received += len(piece)
            assert received == size
            assert await reader.recv() == ""
            await sending


async def test_what_is_not_taken_is_not_read(plain: Setting) -> None:
    """An endless frame only fills the queue; taking pieces makes room again."""
    reader = WSMessageReader(4, stream=True)
    size = 64 << 20
    async with messages_to(plain, reader, max_frame_size=None) as (transport, peer):
        masked = plain.side == "server"
        await peer.send(bytes([0x82, 0x7F | masked << 7]) + size.to_bytes(8, "big"))
        await peer.send(bytes(4 * masked))
        sent = 0
        while transport.underlying_transport.is_reading():
            await peer.send(bytes(65536))
            sent += 65536
            assert sent < size // 2  # four pieces and the buffers of both sockets hold far less
        async with asyncio.timeout(BOUND), contextlib.aclosing(reader.recv_streaming()) as stream:
            for _ in range(3):
                assert await anext(stream)
        assert transport.underlying_transport.is_reading()


async def test_whole_messages_of_a_reader_of_pieces(client_way: Way) -> None:
    smile = "😀".encode()
    reader = WSMessageReader(None, stream=True)
    async with reading(client_way.setting, reader) as (_, peer):
        await peer.send(
            F(TEXT, smile * 50),
            F(PING, b"one"),
            F(TEXT, smile[:2], fin=False),
            F(PING, b"two" * 40),
            F(PING, b"three"),
            F(CONTINUATION, b"", fin=False),
            F(CONTINUATION, smile[2:]),
            F(BINARY, b""),
            F(BINARY, b"\xff" * 300),
            F(PONG, b"four" * 30),
            close(3000),
            each_byte=client_way.each_byte,
        )
        async with asyncio.timeout(BOUND):
            assert [await reader.recv() for _ in range(4)] == [
                smile.decode() * 50,
                "😀",
                b"",
                b"\xff" * 300,
            ]
        pongs = [await peer.read_frame() for _ in range(3)]
        assert [f.payload for f in pongs] == [b"one", b"two" * 40, b"three"]
        assert (await peer.read_frame()).close_code == 3000


async def test_pieces_are_judged_like_frames(client_way: Way) -> None:
    for frames, code in (
        ([F(TEXT, b"ab\xff")], 1007),
        ([F(TEXT, "😀".encode()[:3])], 1007),
        ([F(BINARY, b"a", fin=False), F(BINARY, b"b")], 1002),
        ([F(BINARY, b"a", rsv=4)], 1002),
    ):
        async with reading(client_way.setting, WSMessageReader(stream=True)) as (_, peer):
            await peer.send(F(BINARY, b"before"), *frames, each_byte=client_way.each_byte)
            assert (await peer.read_frame()).close_code == code


async def test_inflated_pieces(plain: Setting) -> None:
    reader = WSMessageReader(stream=True)
    pack = Packer()
    noise = os.urandom(1 << 20)
    deflate = WSDeflate()
    async with messages_to(plain, reader, DEFLATE, deflate=deflate) as (_, peer):
        sending = asyncio.create_task(
            peer.send(F(BINARY, pack(noise), rsv=4), F(TEXT, pack("ä".encode()), rsv=4))
        )
        async with asyncio.timeout(BOUND):
            pieces = [piece async for piece in reader.recv_streaming()]
            assert len(pieces) > 2
            assert b"".join(pieces) == noise
            assert await reader.recv() == "ä"
            await sending


class Keeping(WSMessageReader):
    """Keeps views of the received pings, without copying."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.PING:
            self.views.append(frame.get_payload_as_memoryview())
        super().on_ws_frame(transport, frame)


async def test_views_of_control_frames_between_pieces(plain: Setting) -> None:
    """A frame that arrived in parts does not change when the next one arrives."""
    reader = Keeping(stream=True)
    reader.views = []
    async with messages_to(plain, reader, enable_auto_pong=False) as (_, peer):
        await peer.send(F(PING, b"one" * 40), F(PING, b"two" * 40), F(TEXT, b"end"), each_byte=True)
        async with asyncio.timeout(BOUND):
            assert "".join([str(piece) async for piece in reader.recv_streaming()]) == "end"
        assert [bytes(view) for view in reader.views] == [b"one" * 40, b"two" * 40]


async def test_a_whole_message_fed_among_fragments(plain: Setting) -> None:
    """Misuse by a subclass raises an exception, and nothing worse."""
    reader = WSMessageReader()
    async with messages_to(plain, reader) as (_, peer):
        reader.feed(False, False, b"begin")
        await peer.send(F(TEXT, b"whole"))
        with pytest.raises(TypeError):
            async with asyncio.timeout(BOUND):
                await reader.recv()


@pytest.mark.parametrize("marks", [(-1,), (-1, -2), (4, 5), (4, -1)])
def test_marks_out_of_order(marks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="must be at least low"):
        WSMessageReader(*marks)


@pytest.mark.parametrize("fails", [False, True])
async def test_on_ws_disconnected_of_a_subclass(fails: bool, plain: Setting) -> None:
    """A waiting task is resumed at the end even if the subclass does not call its base."""

    class Own(WSMessageReader):
        def on_ws_disconnected(self, transport: WSTransport) -> None:
            if fails:
                raise ValueError("on purpose")

    async with reading(plain, Own()) as (reader, peer):
        waiting = asyncio.ensure_future(soon(reader))
        await asyncio.sleep(0)
        await peer.close()
        for receiving in (waiting, soon(reader)):
            with pytest.raises(EOFError):
                await receiving


# -- a long queue: the loop iterates once in 64 messages

AT_ONCE = 64


@contextlib.asynccontextmanager
async def with_queue(plain: Setting) -> AsyncIterator[WSMessageReader]:
    """Yield a reader with three queued messages; the loop iterates before the first."""
    async with reading(plain, WSMessageReader(None)) as (reader, peer):
        await peer.send(*(F(TEXT, b"%d" % number) for number in range(AT_ONCE + 3)))
        await asyncio.sleep(0.02)
        for number in range(AT_ONCE):
            call = reader.recv()
            with pytest.raises(StopIteration) as ended:
                call.send(None)
            assert ended.value.value == str(number)
        yield reader


async def test_a_long_queue(plain: Setting) -> None:
    async with with_queue(plain) as reader:
        call = reader.recv()
        assert call.send(None) is None  # as `asyncio.sleep(0)` does
        with pytest.raises(StopIteration, match="64"):
            call.send(None)
        assert [await soon(reader), await soon(reader)] == ["65", "66"]


@pytest.mark.parametrize("way", ["close", "throw"])
async def test_a_call_that_is_ended_within_a_long_queue(plain: Setting, way: str) -> None:
    """It takes no message."""
    async with with_queue(plain) as reader:
        call = reader.recv()
        call.send(None)
        if way == "close":
            call.close()
        else:
            with pytest.raises(KeyError):
                call.throw(KeyError())
        assert [await soon(reader) for _ in range(3)] == ["64", "65", "66"]


async def test_a_timeout_within_a_long_queue(plain: Setting) -> None:
    async with with_queue(plain) as reader:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await reader.recv()
        async with asyncio.timeout(0):
            assert [await reader.recv() for _ in range(3)] == ["64", "65", "66"]


async def test_another_call_within_a_long_queue(plain: Setting) -> None:
    async with with_queue(plain) as reader:
        call = reader.recv()
        call.send(None)
        assert [await soon(reader) for _ in range(3)] == ["64", "65", "66"]
        waiting = asyncio.ensure_future(reader.recv())
        await asyncio.sleep(0)
        with pytest.raises(RuntimeError, match="another call"):
            call.send(None)
        waiting.cancel()


async def test_streaming_within_a_long_queue(plain: Setting) -> None:
    iterations = 0

    def iterate() -> None:
        nonlocal iterations, handle
        iterations += 1
        handle = asyncio.get_running_loop().call_soon(iterate)

    async with reading(plain, WSMessageReader(None)) as (reader, peer):
        await peer.send(F(TEXT, b"a", fin=False), *[F(CONTINUATION, b"b", fin=False)] * 400)
        await peer.send(F(CONTINUATION, b"c"))
        await asyncio.sleep(0.02)
        handle = asyncio.get_running_loop().call_soon(iterate)
        async with asyncio.timeout(BOUND):
            pieces = [piece async for piece in reader.recv_streaming()]
        handle.cancel()
        assert "".join(pieces) == "a" + 400 * "b" + "c"
        assert iterations >= 402 // AT_ONCE
