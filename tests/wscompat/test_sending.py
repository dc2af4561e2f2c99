"""What is sent alone; that it is what websockets sends is asserted in `test_protocol`."""

import logging

import pytest

import wsframe
from wscompat.frames import Frame, Opcode
from wscompat.sending import SEND_EOF, Sending, Side, State

#: Without debug logs, which go another way.
QUIET = logging.getLogger("quiet")
QUIET.setLevel(logging.WARNING)


def sending(side: Side, state: State = State.OPEN) -> Sending:
    return Sending(side, state, QUIET)


def test_frames_of_a_client_are_masked_each_with_its_own_key() -> None:
    client = sending(Side.CLIENT)
    for _ in range(3):
        client.send_text(b"text")
    client.send_ping(b"ping")
    frames = client.data_to_send()
    assert len({data[2:6] for data in frames}) == 4
    parser = wsframe.FrameParser(wsframe.Role.SERVER)
    got = [frame.payload for data in frames for frame in parser.feed(data)]
    assert got == [b"text", b"text", b"text", b"ping"]


def test_frames_of_a_server_are_not() -> None:
    server = sending(Side.SERVER)
    server.send_binary(b"binary")
    server.send_eof()
    assert server.data_to_send() == [b"\x82\6binary", SEND_EOF]
    assert server.data_to_send() == []


def test_a_frame_that_cannot_be_sent_changes_nothing() -> None:
    server = sending(Side.SERVER)
    with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
        server.send_text("text", fin=False)  # type: ignore[arg-type]
    assert not server.expect_continuation_frame
    assert server.data_to_send() == []


def test_send_frame() -> None:
    server = sending(Side.SERVER, State.CONNECTING)
    server.send_frame(Frame(Opcode.PONG, b"any"))
    assert server.data_to_send() == [b"\x8a\3any"]
