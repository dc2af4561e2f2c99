"""What is sent compressed: for whom, in which form, and what it may refer to."""

import os
import random
import zlib

import pytest

from tests.wscore.message_recorder import DEFLATE, TAIL, MessageRecorder, messages_to
from tests.wscore.pairs import Setting
from tests.wscore.raw_peer import RawPeer, ReceivedFrame
from tests.wscore.wire import BINARY, CONTINUATION, PING, TEXT
from wscore import WSDeflate, WSMsgType, WSTransport

OPEN = WSDeflate()
ENGINES = ["isal", "zlib-ng", "zlib"]
RSV1 = 4
LINES = b"".join(b"%d: one line of many\n" % (i % 7) for i in range(40))


class Unpacker:
    """Inflates as a peer would."""

    def __init__(self, bits: int = 15) -> None:
        self._stream = zlib.decompressobj(-bits)

    def __call__(self, *frames: ReceivedFrame) -> bytes:
        assert frames[0].rsv == RSV1
        assert all(frame.rsv == 0 and frame.opcode == CONTINUATION for frame in frames[1:])
        assert [frame.fin for frame in frames] == [False] * (len(frames) - 1) + [True]
        packed = b"".join(frame.payload for frame in frames)
        return self._stream.decompress(packed + TAIL)


async def message(peer: RawPeer) -> list[ReceivedFrame]:
    frames = [await peer.read_frame()]
    while not frames[-1].fin:
        frames.append(await peer.read_frame())
    return frames


@pytest.mark.parametrize("engine", ENGINES)
async def test_messages(setting: Setting, engine: str) -> None:
    settings = WSDeflate(engine=engine, min_size=0)
    unpack = Unpacker()
    rnd = random.Random(1)
    noise = rnd.randbytes(70_000)
    texts: list[str | bytes | None] = ["ä€😀" * 50, "", b"", None, b"x", LINES, LINES, noise, LINES]
    texts += [bytearray(LINES), memoryview(LINES)[7:500], "end"]
    texts += [rnd.randbytes(rnd.randrange(300)) * rnd.randrange(4) for _ in range(200)]
    async with messages_to(setting, MessageRecorder(), DEFLATE, deflate=settings) as (
        transport,
        peer,
    ):
        for text in texts:
            kind = WSMsgType.TEXT if isinstance(text, str) else WSMsgType.BINARY
            transport.send_message(kind, text)
            expected = text.encode() if isinstance(text, str) else bytes(text or b"")
            (frame,) = await message(peer)
            if text is None:
                assert (frame.rsv, frame.payload) == (0, b"")
                continue
            assert (frame.opcode, frame.rsv) == (kind, RSV1)
            assert unpack(frame) == expected


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("keeps", [True, False])
async def test_fragments(plain: Setting, engine: str, keeps: bool) -> None:
    header = DEFLATE.rstrip() + ("\r\n" if keeps else f"; {plain.side}_no_context_takeover\r\n")
    settings = WSDeflate(engine=engine)
    unpack = Unpacker()
    async with messages_to(plain, MessageRecorder(), header, deflate=settings) as (transport, peer):
        for _ in range(3):
            transport.send_message(WSMsgType.TEXT, LINES, fin=False)
            transport.send_ping(b"between")
            transport.send_message(WSMsgType.CONTINUATION, "", fin=False)
            transport.send_message(WSMsgType.CONTINUATION, "ä", fin=False)
            transport.send_message(WSMsgType.CONTINUATION, b"")
            frames = [await peer.read_frame() for _ in range(5)]
            assert frames.pop(1).opcode == PING
            assert unpack(*frames) == LINES + "ä".encode()
            if not keeps:
                unpack = Unpacker()


async def test_which_messages_are_compressed(plain: Setting) -> None:
    settings = WSDeflate(min_size=100)
    async with messages_to(plain, MessageRecorder(), DEFLATE, deflate=settings) as (
        transport,
        peer,
    ):

        async def sent(size: int, compress: bool | None = None) -> bool:
            transport.send_message(WSMsgType.BINARY, bytes(size), compress=compress)
            (frame,) = await message(peer)
            return frame.rsv == RSV1

        assert await sent(100)
        assert not await sent(99)
        assert await sent(99, True)
        assert not await sent(100, False)
        transport.send_message(WSMsgType.TEXT, "ä" * 50)
        assert (await peer.read_frame()).rsv == RSV1
        transport.send_message(WSMsgType.BINARY, b"", fin=False, compress=False)
        transport.send_message(WSMsgType.CONTINUATION, LINES, compress=True)
        assert [(f.rsv, f.payload) for f in await message(peer)] == [(0, b""), (0, LINES)]


async def test_without_deflate(plain: Setting) -> None:
    async with messages_to(plain, MessageRecorder()) as (transport, peer):
        transport.send_message(WSMsgType.BINARY, LINES, compress=True)
        transport.send_message(WSMsgType.TEXT, "a", fin=False)
        transport.send_message(WSMsgType.CONTINUATION, None)
        frames = [await peer.read_frame() for _ in range(3)]
        assert [(f.opcode, f.rsv, f.fin, f.payload) for f in frames] == [
            (BINARY, 0, True, LINES),
            (TEXT, 0, False, b"a"),
            (CONTINUATION, 0, True, b""),
        ]
        for wrong in (WSMsgType.CLOSE, WSMsgType.PING, WSMsgType.PONG):
            with pytest.raises(ValueError):
                transport.send_message(wrong, b"")
        with pytest.raises(TypeError):
            transport.send_message(WSMsgType.BINARY, 5)  # type: ignore[arg-type]


async def test_what_cannot_be_sent_changes_nothing(plain: Setting) -> None:
    unpack = Unpacker()
    async with messages_to(plain, MessageRecorder(), DEFLATE, deflate=OPEN) as (transport, peer):
        transport.send_message(WSMsgType.BINARY, LINES)
        for wrong in (5, [b""], memoryview(LINES)[::2]):
            with pytest.raises((TypeError, BufferError)):
                transport.send_message(WSMsgType.BINARY, wrong, compress=True)  # type: ignore[arg-type]
        transport.send_message(WSMsgType.BINARY, LINES)
        assert [unpack(*await message(peer)) for _ in range(2)] == [LINES, LINES]
        transport.send_close(1000)
        transport.send_message(WSMsgType.BINARY, LINES)
        assert (await peer.read_frame()).close_code == 1000


@pytest.mark.parametrize("keeps", [True, False])
async def test_what_is_kept_between_messages(plain: Setting, keeps: bool) -> None:
    header = DEFLATE.rstrip() + ("\r\n" if keeps else f"; {plain.side}_no_context_takeover\r\n")
    async with messages_to(plain, MessageRecorder(), header, deflate=OPEN) as (transport, peer):
        noise = os.urandom(400)
        sizes = []
        for _ in range(3):
            transport.send_message(WSMsgType.BINARY, noise)
            (frame,) = await message(peer)
            sizes.append(len(frame.payload))
            if not keeps:
                assert Unpacker()(frame) == noise
        assert (sizes[1] < 100) == keeps
        assert transport.deflate is not None
        assert getattr(transport.deflate, f"{plain.side}_no_context_takeover") != keeps


@pytest.mark.parametrize("engine", ENGINES)
async def test_connections_that_share_a_compressor_share_nothing_else(engine: str) -> None:
    """Each message can be inflated by itself, whatever others were sent between."""
    settings = WSDeflate(engine=engine, server_no_context_takeover=True)
    server = Setting("server", None)
    noise = os.urandom(500)
    options = {"deflate": settings}
    async with (
        messages_to(server, MessageRecorder(), DEFLATE, **options) as (one, to_one),
        messages_to(server, MessageRecorder(), DEFLATE, **options) as (other, to_other),
    ):
        pairs: list[tuple[WSTransport, RawPeer]] = [(one, to_one), (other, to_other)]
        for fin in (True, False, False):
            for transport, _ in pairs:
                transport.send_message(WSMsgType.BINARY, noise, fin=fin)
            if not fin:
                for transport, _ in pairs:
                    transport.send_message(WSMsgType.CONTINUATION, noise[:100])
            for _, peer in pairs:
                more = b"" if fin else noise[:100]
                assert Unpacker()(*await message(peer)) == noise + more


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bits", [9, 12, 15])
async def test_the_window_that_was_agreed_on_is_kept(
    plain: Setting, engine: str, bits: int
) -> None:
    settings = WSDeflate(engine=engine)
    header = DEFLATE.rstrip() + f"; {plain.side}_max_window_bits={bits}\r\n"
    rnd = random.Random(bits)
    unpack = Unpacker(bits)
    async with messages_to(plain, MessageRecorder(), header, deflate=settings) as (transport, peer):
        pieces = [rnd.randbytes(200) for _ in range(200)]
        for _ in range(400):
            data = rnd.choice(pieces) + rnd.choice(pieces)
            transport.send_message(WSMsgType.BINARY, data)
            assert unpack(*await message(peer)) == data
