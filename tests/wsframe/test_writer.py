"""Building frames."""

import pickle
from collections.abc import Callable

import pytest

from wsframe import (
    FrameError,
    FrameParser,
    FrameWriter,
    InvalidDataError,
    Opcode,
    ProtocolError,
    Role,
    apply_mask,
    build_frame,
    make_mask_key,
)

KEY = b"\x37\xfa\x21\x3d"


def test_examples_of_the_rfc() -> None:
    assert build_frame(Opcode.TEXT, "Hello") == bytes.fromhex("810548656c6c6f")
    masked = build_frame(Opcode.TEXT, b"Hello", mask=KEY)
    assert masked == bytes.fromhex("818537fa213d7f9f4d5158")
    assert build_frame(Opcode.TEXT, b"He", fin=False) == bytes.fromhex("01024865")
    assert build_frame(Opcode.CONTINUATION, b"llo") == bytes.fromhex("80036c6c6f")
    assert build_frame(Opcode.PING, b"Hello") == bytes.fromhex("890548656c6c6f")


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
@pytest.mark.parametrize("make", [bytes, bytearray, memoryview])
def test_every_form_of_the_length(
    size: int, make: type[bytes] | type[bytearray] | type[memoryview]
) -> None:
    payload = make(bytes(i & 255 for i in range(size)))
    form = 1 if size < 126 else 3 if size < 65_536 else 9
    plain = build_frame(2, payload)
    assert plain[0] == 0x82
    assert len(plain) == 1 + form + size
    assert plain[1 + form :] == payload
    masked = build_frame(2, payload, mask=make(KEY))
    assert masked[1] == plain[1] | 0x80
    assert masked[2 : 1 + form] == plain[2 : 1 + form]
    assert masked[1 + form :] == KEY + apply_mask(payload, KEY)


def test_reserved_bits_and_fin() -> None:
    assert build_frame(2, b"", rsv=4)[0] == 0xC2
    assert build_frame(1, b"", rsv=3, fin=False)[0] == 0x31


def test_fresh_masks_differ() -> None:
    frames = {build_frame(2, b"", mask=True) for _ in range(1000)}
    assert len(frames) > 995
    assert len({make_mask_key() for _ in range(1000)}) > 995
    assert build_frame(2, b"x", mask=False) == build_frame(2, b"x") == b"\x82\x01x"


@pytest.mark.parametrize("opcode", [-1, 3, 7, 11, 15, 16, 256])
def test_reserved_opcodes(opcode: int) -> None:
    with pytest.raises(ProtocolError, match="reserved opcode"):
        build_frame(opcode, b"")
    with pytest.raises(ProtocolError, match="reserved opcode"):
        FrameWriter(Role.SERVER).frame(opcode, b"")


def test_control_frames_are_short_and_whole() -> None:
    assert len(build_frame(Opcode.PONG, b"x" * 125)) == 127
    with pytest.raises(ProtocolError, match="125 bytes"):
        build_frame(Opcode.PONG, b"x" * 126)
    with pytest.raises(ProtocolError, match="fragmented"):
        build_frame(Opcode.CLOSE, b"", fin=False)


def test_arguments_out_of_range() -> None:
    with pytest.raises(ValueError, match="rsv"):
        build_frame(2, b"", rsv=8)
    with pytest.raises(ValueError, match="rsv"):
        build_frame(2, b"", rsv=-1)
    with pytest.raises(ValueError, match="4 bytes"):
        build_frame(2, b"", mask=b"abc")
    with pytest.raises(TypeError):
        build_frame(2, 5)  # type: ignore[arg-type]
    with pytest.raises(UnicodeEncodeError):
        build_frame(1, "\ud800")
    with pytest.raises(BufferError):
        build_frame(2, memoryview(b"strided")[::2])


@pytest.mark.parametrize("role", Role)
def test_masks_by_role(role: Role) -> None:
    wire = FrameWriter(role).text("grüße")
    assert bool(wire[1] & 0x80) == (role is Role.CLIENT)
    (frame,) = FrameParser(Role.SERVER if role is Role.CLIENT else Role.CLIENT).feed(wire)
    assert frame.text == "grüße"


def test_all_methods() -> None:
    writer = FrameWriter(Role.SERVER)
    assert writer.text("a") == b"\x81\x01a"
    assert writer.text(b"a", rsv=4) == b"\xc1\x01a"
    assert writer.binary(b"b", fin=False) == b"\x02\x01b"
    assert writer.ping() == b"\x89\x00"
    assert writer.continuation(b"c", fin=False, rsv=1) == b"\x10\x01c"
    assert writer.pong(b"p") == b"\x8a\x01p"
    assert writer.continuation("d") == b"\x80\x01d"
    assert not writer.closed
    assert writer.close(1001, "bye") == b"\x88\x05\x03\xe9bye"
    assert writer.closed


def test_order_of_fragments() -> None:
    writer = FrameWriter(Role.SERVER)
    with pytest.raises(ProtocolError) as caught:
        writer.continuation(b"")
    assert caught.value.name == "NO_MESSAGE"
    writer.text("a", fin=False)
    with pytest.raises(ProtocolError) as caught:
        writer.binary(b"b")
    assert caught.value.name == "INSIDE_MESSAGE"
    writer.continuation("c")
    writer.binary(b"b")


def test_nothing_follows_close() -> None:
    writer = FrameWriter(Role.CLIENT)
    writer.close(1005)
    late: list[Callable[[], bytes]] = [writer.ping, writer.close, lambda: writer.text("late")]
    for build in late:
        with pytest.raises(ProtocolError) as caught:
            build()
        assert caught.value.name == "AFTER_CLOSE"


def test_refused_close_changes_nothing() -> None:
    writer = FrameWriter(Role.SERVER)
    with pytest.raises(ProtocolError):
        writer.close(1006)
    with pytest.raises(ProtocolError):
        writer.frame(Opcode.CLOSE, b"\x03")
    with pytest.raises(InvalidDataError):
        writer.frame(Opcode.CLOSE, b"\x03\xe8\xff")
    assert not writer.closed
    assert writer.frame(Opcode.CLOSE, b"\x03\xe8") == b"\x88\x02\x03\xe8"


def test_a_refused_fragment_changes_nothing() -> None:
    writer = FrameWriter(Role.SERVER)
    with pytest.raises(TypeError):
        writer.text(5, fin=False)  # type: ignore[arg-type]
    with pytest.raises(FrameError):
        writer.continuation(b"")


def test_role_must_be_one() -> None:
    with pytest.raises(ValueError, match="2"):
        FrameWriter(2)  # type: ignore[arg-type]


def test_pickling() -> None:
    """A key stream and an order of frames have no copies."""
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(FrameWriter(Role.CLIENT))
