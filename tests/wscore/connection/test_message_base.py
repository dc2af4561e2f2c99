"""From frames to messages: inflating, the check of text, and what subclasses feed themselves."""

import asyncio
import os

import pytest

from tests.support.deflated import CASES, LINES, Case, ended, flushed, pieces
from tests.wscore.message_recorder import DEFLATE, TAIL, MessageRecorder, Packer, messages_to
from tests.wscore.pairs import Setting, Way, until_gone
from tests.wscore.raw_peer import BOUND
from tests.wscore.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, F, close
from wscore import WSDeflate, WSFrame, WSMessageReader, WSMsgType, WSProtocolError, WSTransport

RSV1 = 4


@pytest.fixture(params=["isal", "zlib-ng", "zlib"])
def settings(request: pytest.FixtureRequest) -> WSDeflate:
    """Inflate with each of the engines."""
    return WSDeflate(engine=request.param)


async def test_inflated_messages(way: Way, settings: WSDeflate) -> None:
    listener, pack = MessageRecorder(), Packer()
    text = "Nicht alles, was zählt, kann gezählt werden. 😀" * 20
    whole = pack(text.encode())
    async with messages_to(way.setting, listener, DEFLATE, deflate=settings) as (_, peer):
        await peer.send(
            F(TEXT, whole, rsv=RSV1),
            F(TEXT, pack(text.encode()), rsv=RSV1),
            F(BINARY, b"not compressed"),
            F(PING),
            F(BINARY, (cut := pack(text.encode()))[:7], fin=False, rsv=RSV1),
            F(CONTINUATION, b"", fin=False),
            F(PING),
            F(CONTINUATION, cut[7:]),
            F(TEXT, b"plain ", fin=False),
            F(CONTINUATION, b"text"),
            F(TEXT, pack(b"end"), rsv=RSV1),
            each_byte=way.each_byte,
        )
        await listener.until(6)
        assert listener.seen == [text, text, b"not compressed", text.encode(), "plain text", "end"]
        assert len(cut) < len(whole) / 4  # the context was kept


async def test_the_ways_to_write_nothing(way: Way, settings: WSDeflate) -> None:
    listener, pack = MessageRecorder(), Packer()
    async with messages_to(way.setting, listener, DEFLATE, deflate=settings) as (_, peer):
        await peer.send(
            F(TEXT, b"\x00", rsv=RSV1),
            F(BINARY, b"\x02\x00", rsv=RSV1),  # an empty block with fixed codes
            F(TEXT, b"", rsv=RSV1),
            F(TEXT, b"", fin=False, rsv=RSV1),
            F(CONTINUATION, b"\x00"),
            F(TEXT, pack(b"abc") + TAIL, fin=False, rsv=RSV1),
            F(CONTINUATION, b"\x00"),
            F(TEXT, pack(b"abc"), rsv=RSV1),
            each_byte=way.each_byte,
        )
        await listener.until(6)
        assert listener.seen == ["", b"", "", "", "abc", "abc"]


@pytest.mark.parametrize("pieces", [1, 2, 8])
async def test_the_last_block_may_be_marked_as_such(
    plain: Setting, pieces: int, settings: WSDeflate
) -> None:
    """The examples of RFC 7692, 7.2.3, and what comes behind a final block."""
    hello = bytes.fromhex("f248cdc9c90700")
    final = bytes.fromhex("f348cdc9c9070000")
    stored = bytes.fromhex("000500faff48656c6c6f00")
    two_blocks = bytes.fromhex("f248050000 00ffffcac9c90700".replace(" ", ""))
    listener, pack = MessageRecorder(), Packer()
    async with messages_to(plain, listener, DEFLATE, deflate=settings) as (_, peer):
        for packed in (hello, final, stored, two_blocks, final, final):
            cut = max(1, len(packed) // pieces)
            parts = [packed[i : i + cut] for i in range(0, len(packed), cut)]
            for i, part in enumerate(parts):
                await peer.send(
                    F(
                        CONTINUATION if i else TEXT,
                        part,
                        fin=i == len(parts) - 1,
                        rsv=0 if i else RSV1,
                    )
                )
        await peer.send(F(TEXT, pack(b"go on"), rsv=RSV1), F(TEXT, pack(b"go on"), rsv=RSV1))
        await listener.until(8)
        assert listener.seen == ["Hello"] * 6 + ["go on"] * 2


@pytest.mark.parametrize("count", [1, 2, 0])
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_final_blocks(plain: Setting, case: Case, count: int, settings: WSDeflate) -> None:
    """Each engine inflates alike, in how many fragments it may come."""
    listener = MessageRecorder()
    async with messages_to(plain, listener, DEFLATE, deflate=settings) as (_, peer):
        for packed in case.packed:
            parts = pieces(packed, count)
            frames = [
                F(
                    CONTINUATION if i else BINARY,
                    part,
                    fin=i == len(parts) - 1,
                    rsv=0 if i else RSV1,
                )
                for i, part in enumerate(parts)
            ]
            await peer.send(*frames)
        if case.is_corrupt:
            assert (await peer.read_frame()).close_code == 1002
        await listener.until(len(case.expected))
        assert listener.seen == [*case.expected]


async def test_a_limit_counts_across_final_blocks(plain: Setting, settings: WSDeflate) -> None:
    twice = F(BINARY, ended(LINES) + flushed(LINES), rsv=RSV1)
    for limit, fits in ((2 * len(LINES), True), (2 * len(LINES) - 1, False)):
        listener = MessageRecorder()
        options = {"deflate": settings, "max_message_size": limit}
        async with messages_to(plain, listener, DEFLATE, **options) as (_, peer):
            await peer.send(twice)
            if fits:
                await listener.until(1)
                assert listener.seen == [LINES * 2]
            else:
                assert (await peer.read_frame()).close_code == 1009


@pytest.mark.parametrize("packed", [b"\xff\xff\xff", b"\x06", b"\x07\x00", b"\x00\x01\x00\x00\x00"])
async def test_corrupt_data(way: Way, packed: bytes, settings: WSDeflate) -> None:
    listener = MessageRecorder()
    async with messages_to(way.setting, listener, DEFLATE, deflate=settings) as (transport, peer):
        await peer.send(F(TEXT, b"before"), F(BINARY, packed, rsv=RSV1), F(TEXT, b"behind"))
        assert (await peer.read_frame()).close_code == 1002
        assert listener.seen == ["before"]
        assert not transport.is_open


@pytest.mark.parametrize(
    ("packed", "found"),
    [(flushed(b"an unfinished message")[:-1], b"an unfinished message"), (b"\x02", b"")],
    ids=["its end is missing", "no data"],
)
async def test_a_message_that_ends_within_a_block(
    plain: Setting, packed: bytes, found: bytes, settings: WSDeflate
) -> None:
    """No engine reports it: the next message fails instead, whose beginning the block takes."""
    listener = MessageRecorder()
    async with messages_to(plain, listener, DEFLATE, deflate=settings) as (_, peer):
        await peer.send(F(BINARY, packed, rsv=RSV1), F(BINARY, flushed(b"next"), rsv=RSV1))
        assert (await peer.read_frame()).close_code == 1002
        assert listener.seen == [found]


async def test_messages_before_a_corrupt_one_are_answered_first(
    plain: Setting, settings: WSDeflate
) -> None:
    reader = WSMessageReader()
    async with messages_to(plain, reader, DEFLATE, deflate=settings) as (transport, peer):

        async def echo() -> None:
            async for message in reader:
                transport.send_message(WSMsgType.TEXT, message, compress=False)

        task = asyncio.create_task(echo())
        await asyncio.sleep(0)
        await peer.send(F(TEXT, b"a"), F(TEXT, b"\xff\xff", rsv=RSV1))
        assert (await peer.read_frame()).payload == b"a"
        assert (await peer.read_frame()).close_code == 1002
        await peer.close()
        with pytest.raises(EOFError):
            async with asyncio.timeout(BOUND):
                await task


@pytest.mark.parametrize(
    ("bit", "frames"),
    [
        ("on a continuation", [F(TEXT, b"", fin=False, rsv=RSV1), F(CONTINUATION, b"", rsv=RSV1)]),
        ("on a control frame", [F(PING, rsv=RSV1)]),
        ("on a CLOSE", [F(CLOSE, b"\x03\xe8", rsv=RSV1)]),
        ("another one", [F(TEXT, b"", rsv=2)]),
        ("a third one", [F(TEXT, b"", rsv=RSV1 | 1)]),
    ],
)
async def test_reserved_bits(way: Way, bit: str, frames: list[F], settings: WSDeflate) -> None:
    listener = MessageRecorder()
    async with messages_to(way.setting, listener, DEFLATE, deflate=settings) as (_, peer):
        await peer.send(*frames, each_byte=way.each_byte)
        assert (await peer.read_frame()).close_code == 1002


async def test_text_must_be_utf8_when_it_is_inflated(way: Way, settings: WSDeflate) -> None:
    for text in (b"\xff", b"ab\xe2\x82", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90"):
        listener, pack = MessageRecorder(), Packer()
        async with messages_to(way.setting, listener, DEFLATE, deflate=settings) as (_, peer):
            packed = F(TEXT, pack(text), rsv=RSV1)
            await peer.send(F(TEXT, b"before"), packed, each_byte=way.each_byte)
            assert (await peer.read_frame()).close_code == 1007
            assert listener.seen == ["before"]


async def test_text_fails_at_its_first_bad_byte(plain: Setting, settings: WSDeflate) -> None:
    good = "ä😀".encode()
    pack = Packer()
    frames = [F(TEXT, pack(good[:4]) + TAIL, fin=False, rsv=RSV1), F(CONTINUATION, good[4:5])]
    frames[1] = F(CONTINUATION, pack(good[4:] + b"\xe2\x28") + TAIL, fin=False)
    async with messages_to(plain, MessageRecorder(), DEFLATE, deflate=settings) as (_, peer):
        await peer.send(*frames)
        assert (await peer.read_frame()).close_code == 1007


async def test_binary_may_be_anything(plain: Setting, settings: WSDeflate) -> None:
    listener, pack = MessageRecorder(), Packer()
    async with messages_to(plain, listener, DEFLATE, deflate=settings) as (_, peer):
        await peer.send(F(BINARY, pack(b"\xff\xfe" * 50), rsv=RSV1))
        await listener.until(1)
        assert listener.seen == [b"\xff\xfe" * 50]


@pytest.mark.parametrize(
    "options",
    [
        {"max_message_size": 1000},
        {"max_frame_size": 1000},
        {"max_message_size": 5000, "max_frame_size": 1000},
    ],
)
async def test_the_inflated_size_is_limited(
    way: Way, options: dict[str, int], settings: WSDeflate
) -> None:
    listener, pack = MessageRecorder(), Packer()
    async with messages_to(way.setting, listener, DEFLATE, deflate=settings, **options) as (
        _,
        peer,
    ):
        await peer.send(F(BINARY, pack(bytes(1000)), rsv=RSV1), each_byte=way.each_byte)
        await listener.until(1)
        await peer.send(F(BINARY, pack(bytes(1001)), rsv=RSV1), each_byte=way.each_byte)
        assert (await peer.read_frame()).close_code == 1009
        assert listener.seen == [bytes(1000)]


async def test_the_size_of_all_fragments_is_limited(way: Way, settings: WSDeflate) -> None:
    pack = Packer()
    first = F(BINARY, pack(bytes(600)) + TAIL, fin=False, rsv=RSV1)
    listener = MessageRecorder()
    options = {"deflate": settings, "max_message_size": 1000}
    async with messages_to(way.setting, listener, DEFLATE, **options) as (_, peer):
        await peer.send(first, F(CONTINUATION, pack(bytes(400))), each_byte=way.each_byte)
        await listener.until(1)
        first = F(BINARY, pack(bytes(600)) + TAIL, fin=False, rsv=RSV1)
        await peer.send(first, F(CONTINUATION, pack(bytes(401)) + TAIL, fin=False))
        assert (await peer.read_frame()).close_code == 1009


async def test_a_bomb_takes_no_memory(plain: Setting, settings: WSDeflate) -> None:
    """64 MiB of nothing, which come as 64 KiB, and each MiB of which would be too much."""
    import resource

    bomb = Packer()(bytes(64 << 20))
    assert len(bomb) < 70_000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    options = {"deflate": settings, "max_message_size": 1 << 20}
    async with messages_to(plain, MessageRecorder(), DEFLATE, **options) as (_, peer):
        await peer.send(F(BINARY, bomb, rsv=RSV1))
        assert (await peer.read_frame()).close_code == 1009
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 << 10  # KiB


async def test_the_window_that_was_agreed_on(plain: Setting, settings: WSDeflate) -> None:
    """A peer that keeps to its window is understood; zlib and its kin refuse one that does not."""
    noise, filler = os.urandom(300), os.urandom(1500)
    peer_is = "client" if plain.side == "server" else "server"
    header = DEFLATE.rstrip() + f"; {peer_is}_max_window_bits=9\r\n"
    for bits, is_understood in ((9, True), (15, False)):
        listener, pack = MessageRecorder(), Packer(bits)
        async with messages_to(plain, listener, header, deflate=settings) as (_, peer):
            await peer.send(F(BINARY, pack(noise + filler), rsv=RSV1))
            await listener.until(1)
            await peer.send(F(BINARY, pack(noise), rsv=RSV1))
            if is_understood or settings.engine == "isal":
                await listener.until(2)
                assert listener.seen == [noise + filler, noise]
            else:
                assert (await peer.read_frame()).close_code == 1002


async def test_no_context_means_none(plain: Setting, settings: WSDeflate) -> None:
    """A peer that said it would not refer to earlier messages must not."""
    peer_is = "client" if plain.side == "server" else "server"
    header = DEFLATE.rstrip() + f"; {peer_is}_no_context_takeover\r\n"
    listener, pack = MessageRecorder(), Packer(keeps_context=False)
    async with messages_to(plain, listener, header, deflate=settings) as (_, peer):
        for _ in range(3):
            await peer.send(F(BINARY, pack(b"abcdefgh" * 40), rsv=RSV1))
        await listener.until(3)
        pack = Packer()
        noise = os.urandom(200)
        await peer.send(F(BINARY, pack(noise), rsv=RSV1), F(BINARY, pack(noise), rsv=RSV1))
        assert (await peer.read_frame()).close_code == 1002


class Shifting(WSMessageReader):
    """Undoes an extension of its own: every byte of data is one more than it should be."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type > WSMsgType.BINARY:
            super().on_ws_frame(transport, frame)
            return
        if frame.msg_type != WSMsgType.CONTINUATION:
            self.is_text = frame.msg_type == WSMsgType.TEXT
        data = bytes((byte - 1) & 255 for byte in frame.get_payload_as_bytes())
        self.feed(self.is_text, frame.fin, data)


def shifted(data: bytes) -> bytes:
    return bytes((byte + 1) & 255 for byte in data)


async def test_a_subclass_feeds_messages_itself(way: Way) -> None:
    extension = "Sec-WebSocket-Extensions: x-shift\r\n"
    reader = Shifting()
    setting = way.setting
    if setting.side == "server":  # the listener factory would have to put it into the response
        setting = Setting("client", setting.tls)
    options = {"extra_headers": {"Sec-WebSocket-Extensions": "x-shift"}}
    from tests.wscore.message_recorder import _with_raw_server

    smile = "😀".encode()
    async with _with_raw_server(setting, reader, extension, options) as peer:
        await peer.send(
            F(TEXT, shifted("ä€".encode()), rsv=2),
            F(BINARY, shifted(b"\xff\x00")),
            F(TEXT, shifted(smile[:2]), fin=False),
            F(PING, b"between"),
            F(CONTINUATION, shifted(smile[2:])),
            F(TEXT, shifted(b"\xff")),
            each_byte=way.each_byte,
        )
        async with asyncio.timeout(BOUND):
            assert [await reader.recv() for _ in range(3)] == ["ä€", b"\xff\x00", "😀"]
        assert (await peer.read_frame()).opcode == PONG
        assert (await peer.read_frame()).close_code == 1007
        reader.transport.disconnect(graceful=False)
        await until_gone(reader.transport)


async def test_feeding_checks_fragments_of_text(plain: Setting) -> None:
    reader = WSMessageReader()
    async with messages_to(plain, reader) as (_, peer):
        reader.feed(True, False, b"\xf0\x9f")
        reader.feed(True, True, b"\x98\x80")
        reader.feed(False, False, b"\xff")
        reader.feed(False, True, b"\xff")
        assert [await reader.recv() for _ in range(2)] == ["😀", b"\xff\xff"]
        reader.feed(True, False, b"\xf0\x9f")
        with pytest.raises(WSProtocolError) as raised:
            reader.feed(True, True, b"\x98")
        assert raised.value.code == 1007
        await peer.send(close(1000))
        assert (await peer.read_frame()).close_code == 1000
