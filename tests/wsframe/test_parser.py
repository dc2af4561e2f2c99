"""The stream parser from Python: memory, views, errors. Its rules are tested in C, by a table."""

import gc
import sys

import pytest

from wsframe import (
    Frame,
    FrameError,
    FrameParser,
    FrameWriter,
    InvalidDataError,
    Opcode,
    ProtocolError,
    Role,
    TooBigError,
    build_frame,
)

CONVERSATION = [
    (Opcode.TEXT, "grüße".encode()),
    (Opcode.BINARY, bytes(range(256)) * 5),
    (Opcode.PING, b"?"),
    (Opcode.BINARY, b""),
    (Opcode.BINARY, b"z" * 70_000),
    (Opcode.CLOSE, b"\x03\xe9bye"),
]


def wire(role: Role) -> bytes:
    writer = FrameWriter(role)
    return b"".join(writer.frame(opcode, payload) for opcode, payload in CONVERSATION)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("views", [False, True])
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("step", [1, 7, 4096, 1 << 20])
def test_any_cut_in_any_mode(role: Role, views: bool, streaming: bool, step: int) -> None:
    stream = wire(Role.CLIENT if role is Role.SERVER else Role.SERVER)
    if step == 1:
        stream = stream[:2000]  # what comes before the long frame, and a part of that
    parser = FrameParser(role, views=views, streaming=streaming)
    got: list[tuple[Opcode, bytes]] = []
    pieces: list[Frame] = []
    for at in range(0, len(stream), step):
        for frame in parser.feed(stream[at : at + step]):
            assert frame.offset == sum(len(p) for p in pieces)
            assert isinstance(frame.payload, bytes) or views
            pieces.append(frame)
            if frame.last:
                got.append((frame.opcode, b"".join(bytes(p.payload) for p in pieces)))
                assert frame.frame_size == len(got[-1][1])
                pieces = []
    assert got == (CONVERSATION[:4] if step == 1 else CONVERSATION)
    assert parser.closed == (step != 1)
    assert bool(pieces) == (streaming and step == 1)


def test_what_a_frame_tells() -> None:
    parser = FrameParser(Role.CLIENT, rsv_allowed=4, rsv_continuation=1)
    stream = (
        build_frame(Opcode.TEXT, "é", fin=False, rsv=4)
        + build_frame(Opcode.PONG, b"p")
        + build_frame(Opcode.CONTINUATION, b"z", rsv=1)
        + build_frame(Opcode.CLOSE, b"\x03\xe8bye")
    )
    first, pong, last, close = parser.feed(stream)
    assert first.opcode is Opcode.TEXT
    assert not first.fin
    assert (first.rsv, first.message_rsv, first.text) == (4, 4, "é")
    assert (first.close_code, first.close_reason) == (None, None)
    assert repr(first) == "<Frame TEXT, fin=False, rsv=4, 2 bytes>"
    assert pong.message_opcode is Opcode.PONG
    assert last.opcode is Opcode.CONTINUATION
    assert last.message_opcode is Opcode.TEXT
    assert (last.fin, last.rsv, last.message_rsv) == (True, 1, 4)
    assert (last.first, last.last, last.offset, last.frame_size) == (True, True, 0, 1)
    assert (close.close_code, close.close_reason) == (1000, "bye")
    assert repr(close) == "<Frame CLOSE, 5 bytes>"
    assert len(close) == 5
    assert bytes(close) == b"\x03\xe8bye"
    view = memoryview(close)  # type: ignore[arg-type, unused-ignore]  # typed from 3.12 on
    assert view.tobytes() == bytes(close)
    assert view.readonly


def test_close_without_code_or_reason() -> None:
    (empty,) = FrameParser(Role.CLIENT).feed(b"\x88\x00")
    assert (empty.close_code, empty.close_reason) == (1005, "")
    (bare,) = FrameParser(Role.CLIENT).feed(b"\x88\x02\x03\xe8")
    assert (bare.close_code, bare.close_reason) == (1000, "")


def test_text_of_half_a_character() -> None:
    (half,) = FrameParser(Role.CLIENT).feed(b"\x01\x01\xc3")
    with pytest.raises(UnicodeDecodeError):
        _ = half.text


def test_frames_are_not_made_by_hand() -> None:
    with pytest.raises(TypeError):
        Frame()


def test_nothing_after_close() -> None:
    parser = FrameParser(Role.CLIENT)
    assert len(list(parser.feed(b"\x88\x00\xff\xff\xff"))) == 1
    assert parser.closed
    assert list(parser.feed(b"\xff" * 100_000)) == []
    assert not parser.failed


def test_missing() -> None:
    parser = FrameParser(Role.CLIENT)
    assert (parser.missing, parser.payload_size) == (0, 0)
    assert list(parser.feed(b"\x82\x05ab")) == []
    assert (parser.missing, parser.payload_size) == (3, 5)
    assert len(list(parser.feed(b"cde"))) == 1
    assert (parser.missing, parser.payload_size) == (0, 0)


@pytest.mark.parametrize(
    ("stream", "kind", "name", "offset"),
    [
        (b"\x81\x01a\x83\x00", ProtocolError, "OPCODE", 3),
        (b"\x81\x01a\x81\x02\xc3(", InvalidDataError, "UTF8", 6),
        (b"\x82\x7e\x01\x2d", TooBigError, "FRAME_TOO_BIG", 0),
        (b"\x82\x80", ProtocolError, "MASKED", 0),
    ],
)
def test_faults_are_sticky(stream: bytes, kind: type[FrameError], name: str, offset: int) -> None:
    parser = FrameParser(Role.CLIENT, max_frame_size=300)
    stream += bytes(14)
    with pytest.raises(kind) as caught:
        list(parser.feed(stream))
    assert (caught.value.name, caught.value.offset) == (name, offset)
    assert parser.failed
    with pytest.raises(kind, match=str(caught.value.args[0])):
        next(parser.feed(b"more"))


def test_limits() -> None:
    with pytest.raises(TooBigError, match="message"):
        list(FrameParser(Role.CLIENT).feed(b"\x82\x7f" + (1 << 21).to_bytes(8, "big")))
    with pytest.raises(TooBigError, match="fragments"):
        list(FrameParser(Role.CLIENT, max_fragments=2).feed(b"\x02\x00\x00\x00\x00\x00"))
    unlimited = FrameParser(Role.CLIENT, max_message_size=0)
    assert list(unlimited.feed(b"\x82\x7f" + (1 << 62).to_bytes(8, "big"))) == []
    assert unlimited.missing == 1 << 62


@pytest.mark.parametrize(
    "options",
    [
        {"rsv_allowed": 8},
        {"rsv_allowed": -1},
        {"rsv_continuation": 8},
        {"max_frame_size": -1},
        {"max_frame_size": 1 << 63},
        {"max_message_size": 1 << 63},
        {"max_fragments": 1 << 32},
    ],
)
def test_options_out_of_range(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"^\w+ must be from 0 to \d+, not -?\d+$"):
        FrameParser(Role.CLIENT, **options)  # type: ignore[arg-type]


def test_role_must_be_one() -> None:
    with pytest.raises(ValueError, match="7"):
        FrameParser(7)  # type: ignore[arg-type]


def test_utf8_unchecked() -> None:
    parser = FrameParser(Role.CLIENT, check_utf8=False)
    (frame,) = parser.feed(b"\x81\x01\xff")
    assert frame.payload == b"\xff"


def test_feed_wants_bytes() -> None:
    parser = FrameParser(Role.CLIENT)
    with pytest.raises(TypeError):
        parser.feed("text")  # type: ignore[arg-type]
    assert list(parser.feed(b"")) == []
    assert len(list(parser.feed(bytearray(b"\x82\x00")))) == 1
    assert len(list(parser.feed(memoryview(b"\x82\x00")))) == 1


def test_what_is_fed_is_not_changed() -> None:
    stream = build_frame(Opcode.BINARY, b"payload", mask=b"mask")
    copy = bytearray(stream)
    (frame,) = FrameParser(Role.SERVER).feed(copy)
    assert frame.payload == b"payload"
    assert copy == stream


def test_views_outlive_everything() -> None:
    parser = FrameParser(Role.SERVER, views=True)
    kept: list[tuple[memoryview, bytes]] = []
    for i in range(3000):
        payload = i.to_bytes(2, "big") * 100
        for frame in parser.feed(build_frame(Opcode.BINARY, payload, mask=True)):
            view = frame.payload
            assert isinstance(view, memoryview)
            assert view.readonly
            kept.append((view, payload))
    del parser
    gc.collect()
    assert len(kept) == 3000
    assert all(view == payload for view, payload in kept)


def test_views_of_pieces() -> None:
    parser = FrameParser(Role.SERVER, views=True, streaming=True)
    stream = build_frame(Opcode.PING, b"held back", mask=b"mask")
    assert list(parser.feed(stream[:8])) == []
    (ping,) = parser.feed(stream[8:])
    stream = build_frame(Opcode.PING, b"another..", mask=b"mask")
    assert list(parser.feed(stream[:8])) == []
    (other,) = parser.feed(stream[8:])
    assert bytes(ping) == b"held back"
    assert bytes(other) == b"another.."


def test_receiving_into_the_parser() -> None:
    stream = wire(Role.CLIENT)
    parser = FrameParser(Role.SERVER, views=True)
    got = []
    at = 0
    while at < len(stream):
        view = parser.get_buffer(100)
        assert len(view) >= 100
        assert not view.readonly
        count = min(len(view), 3000, len(stream) - at)
        view[:count] = stream[at : at + count]
        view.release()
        at += count
        got += [(f.opcode, bytes(f)) for f in parser.buffer_updated(count)]
    assert got == CONVERSATION


def test_released_memory_is_used_again() -> None:
    parser = FrameParser(Role.CLIENT, views=True)
    view = parser.get_buffer(1)
    room = len(view)
    view[:5] = b"\x82\x03abc"
    view.release()
    (frame,) = parser.buffer_updated(5)
    assert len(parser.get_buffer(1)) == room - 5  # the frame still looks into it
    del frame
    assert list(parser) == []
    assert len(parser.get_buffer(1)) == room


def test_get_buffer_and_feed_mix() -> None:
    parser = FrameParser(Role.CLIENT)
    stream = build_frame(Opcode.BINARY, b"x" * 50_000)
    assert list(parser.feed(stream[:10])) == []
    view = parser.get_buffer(len(stream))
    view[: len(stream) - 10] = stream[10:]
    (frame,) = parser.buffer_updated(len(stream) - 10)
    assert frame.payload == b"x" * 50_000


def test_wrong_sizes() -> None:
    parser = FrameParser(Role.CLIENT)
    for size in (0, -1):
        with pytest.raises(ValueError, match="at least 1"):
            parser.get_buffer(size)
    room = len(parser.get_buffer(1))
    with pytest.raises(ValueError, match="bytes of the buffer, not"):
        parser.buffer_updated(room + 1)
    with pytest.raises(ValueError, match="bytes of the buffer, not"):
        parser.buffer_updated(-1)
    with pytest.raises(MemoryError):
        parser.get_buffer(1 << 62)


def test_without_init_it_fails() -> None:
    parser = FrameParser.__new__(FrameParser)
    assert parser.failed
    assert parser.feed(b"\x82\x00") is parser
    with pytest.raises(FrameError, match="argument out of range"):
        next(parser)
    parser.__init__(Role.CLIENT)  # type: ignore[misc]
    assert [frame.payload for frame in parser.feed(b"\x82\x01a")] == [b"a"]


def test_memory_is_given_back_after_a_burst() -> None:
    parser = FrameParser(Role.CLIENT, max_message_size=0)
    assert len(list(parser.feed(build_frame(Opcode.BINARY, bytes(3_000_000))))) == 1
    list(parser.feed(b"\x82\x00"))
    assert len(parser.get_buffer(1)) < 100_000


def test_announced_size_claims_no_memory() -> None:
    parser = FrameParser(Role.CLIENT, max_message_size=0)
    assert list(parser.feed(b"\x82\x7f" + (1 << 28).to_bytes(8, "big"))) == []
    for _ in range(3):  # more than the first buffer holds
        assert list(parser.feed(bytes(10_000))) == []
    assert parser.missing == (1 << 28) - 30_000
    assert len(parser.get_buffer(1)) < 100_000


def test_steady_traffic_needs_no_new_memory() -> None:
    """A stream cut at odd places moves within its buffer instead of growing it."""
    parser = FrameParser(Role.CLIENT)
    stream = build_frame(Opcode.BINARY, bytes(1000)) * 2000
    for at in range(0, len(stream), 4099):
        list(parser.feed(stream[at : at + 4099]))
    assert len(parser.get_buffer(1)) <= 16 * 1024


def test_no_references_are_lost() -> None:
    parser = FrameParser(Role.CLIENT, views=True)
    before = sys.getrefcount(parser)
    for _ in range(100):
        for frame in parser.feed(b"\x82\x03abc"):
            assert frame.payload == b"abc"
    assert sys.getrefcount(parser) == before
