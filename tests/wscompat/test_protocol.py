"""`Protocol` does what that of websockets does: the same calls, the same bytes, the same record.

Where it is stricter on purpose, or knows less, that is said here, too.
"""

import gc
import itertools
import logging
import random
import weakref
from collections.abc import Callable
from typing import Any

import pytest

import wsframe
from tests.wscompat.sansio import (
    SPLITS,
    WEBSOCKETS,
    WSCOMPAT,
    Make,
    describe,
    frame,
    pieces,
    replay,
    same,
)
from wscompat.frames import Frame, Opcode
from wscompat.protocol import SEND_EOF, Protocol, Side, State

SIDES = ("SERVER", "CLIENT")
TEXT, BINARY, CONT, CLOSE, PING, PONG = 1, 2, 0, 8, 9, 10


#: Without debug logs, which go another way.
QUIET = logging.getLogger("quiet")
QUIET.setLevel(logging.WARNING)


def maker(side: str, **options: Any) -> Make:
    """Make protocols that are open and log little, unless options say otherwise."""

    def make(library: Any) -> Any:
        given = {"logger": QUIET, **options}
        if "state" in given:
            given["state"] = library.protocol.State[given["state"]]
        return library.protocol.Protocol(library.protocol.Side[side], **given)

    return make


@pytest.mark.parametrize("name", ["Side", "State"])
def test_enumerations(name: str) -> None:
    def members(library: Any) -> dict[str, int]:
        return {member.name: member.value for member in getattr(library.protocol, name)}

    assert members(WSCOMPAT) == members(WEBSOCKETS)


CONVERSATIONS: dict[str, Callable[[str], list[Any]]] = {
    "ping": lambda side: [frame(side, PING, b"abc"), frame(side, PONG, b"p")],
    "several at once": lambda side: [
        frame(side, TEXT, b"hello") + frame(side, BINARY, b"x") + frame(side, PING)
    ],
    "text is not decoded": lambda side: [frame(side, TEXT, b"\xff")],
    "large": lambda side: [frame(side, BINARY, bytes(range(256)) * 300)],
    "fragments": lambda side: [
        frame(side, TEXT, b"a", fin=False) + frame(side, PING, b"between"),
        frame(side, CONT, b"b", fin=False),
        frame(side, CONT, b"c"),
        frame(side, TEXT, b"next"),
    ],
    "empty fragments": lambda side: [
        frame(side, TEXT, fin=False),
        frame(side, CONT, fin=False),
        frame(side, CONT),
    ],
    "close received": lambda side: [
        frame(side, CLOSE, b"\x03\xe8bye"),
        frame(side, TEXT, b"late"),
        None,
    ],
    "close without a code": lambda side: [frame(side, CLOSE) + b"garbage", None],
    "close with 4999": lambda side: [frame(side, CLOSE, b"\x13\x87"), None],
    "close sent": lambda side: [
        ("send_close", 1001, "x"),
        frame(side, TEXT, b"more"),
        frame(side, PING, b"p"),
        frame(side, CLOSE, b"\x03\xe9x"),
        None,
    ],
    "close sent without a code": lambda side: [("send_close",), frame(side, CLOSE), None],
    "close from both": lambda side: [
        ("send_close", 1001, "x"),
        frame(side, CLOSE, b"\x03\xe8y"),
        frame(side, TEXT, b"z"),
        None,
    ],
    "close in a message": lambda side: [
        frame(side, TEXT, b"a", fin=False),
        frame(side, CLOSE, b"\x03\xe8"),
        None,
    ],
    "end": lambda side: [None, None],
    "end in a payload": lambda side: [frame(side, TEXT, b"abc")[:-1], None],
    "end in a message": lambda side: [frame(side, TEXT, b"abc", fin=False), None],
    "end in closing": lambda side: [("send_close", 1000), None],
    "data after the end": lambda side: [None, b"data"],
    "send": lambda side: [
        ("send_text", b"text"),
        ("send_text", memoryview(b"text")),
        ("send_binary", bytearray(b"binary")),
        ("send_binary", bytes(200)),
        ("send_binary", bytes(70000)),
        ("send_text", b"a", False),
        ("send_continuation", b"\xff", False),
        ("send_ping", b"in between"),
        ("send_continuation", b"", True),
        ("send_pong", b""),
    ],
    "send in a wrong order": lambda side: [
        ("send_continuation", b"", True),
        ("send_text", b"a", False),
        ("send_text", b"b"),
        ("send_binary", b"b"),
        ("send_continuation", b"c", True),
        ("send_continuation", b"", True),
    ],
    "send something wrong": lambda side: [
        ("send_ping", b"x" * 126),
        ("send_pong", b"x" * 126),
        ("send_close", None, "reason"),
        ("send_close", 999),
        ("send_close", 1005),
        ("send_close", 1006),
        ("send_close", 1000, "x" * 124),
        ("send_close", 1000, "é" * 62),
        ("send_close", 1000, "x" * 123),
    ],
    "send in closing": lambda side: [
        ("send_close", 1000),
        ("send_text", b"a"),
        ("send_binary", b"a"),
        ("send_ping", b"a"),
        ("send_pong", b"a"),
        ("send_close", 1000),
    ],
    "send at the end": lambda side: [
        None,
        ("send_text", b"a"),
        ("send_ping", b"a"),
        ("send_close", 1000),
    ],
    "fail": lambda side: [
        ("fail", 1011, "oops"),
        ("fail", 1002, "again"),
        frame(side, TEXT, b"abc"),
        frame(side, CLOSE, b"\x03\xf3"),
        None,
    ],
    "fail in closing": lambda side: [
        ("send_close", 1011, "oops"),
        ("fail", 1002, "oops"),
        frame(side, CLOSE, b"\x03\xf3"),
        None,
    ],
    "fail without a close": lambda side: [("fail", 1006), None],
    "fail with something wrong": lambda side: [
        ("fail", 999),
        ("fail", 1005),
        ("fail", 1002, "x" * 130),
    ],
    "end of sending": lambda side: [("send_eof",)],
}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation(name: str, side: str, split: str) -> None:
    same(maker(side), CONVERSATIONS[name](side), split)
    same(maker(side, logger=None), CONVERSATIONS[name](side), split)


@pytest.mark.parametrize("side", SIDES)
def test_connecting(side: str) -> None:
    steps: list[Any] = [("send_text", b""), ("send_ping", b""), ("send_close",)]
    same(maker(side, state="CONNECTING"), steps)


BAD_INPUT: dict[str, Callable[[str], bytes]] = {
    "reserved bit": lambda side: frame(side, TEXT, b"abc", rsv=4),
    "reserved bit of a ping": lambda side: frame(side, PING, b"abc", rsv=1),
    "continuation": lambda side: frame(side, CONT, b"x"),
    "message in a message": lambda side: frame(side, TEXT, fin=False) + frame(side, TEXT),
    "fragmented ping": lambda side: b"\x09" + frame(side, PING, b"abc")[1:],
    "long ping": lambda side: b"\x89" + frame(side, TEXT, b"x" * 126)[1:],
    "close of one byte": lambda side: frame(side, CLOSE, b"\x03"),
    "close with 1005": lambda side: frame(side, CLOSE, b"\x03\xed"),
    "close with 5000": lambda side: frame(side, CLOSE, b"\x13\x88"),
    "masking": lambda side: frame("CLIENT" if side == "SERVER" else "SERVER", TEXT),
}


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("name", BAD_INPUT)
def test_fault(name: str, side: str, split: str) -> None:
    bad = BAD_INPUT[name](side)
    record = same(maker(side), [frame(side, TEXT, b"good"), bad, frame(side, TEXT), None], split)
    assert "ProtocolError" in record[2][2]["parser_exc"]
    assert [event[0] for event in record[3][2]["events"]] == []


@pytest.mark.parametrize("side", SIDES)
def test_every_first_byte(side: str) -> None:
    for first, payload in itertools.product(range(256), (b"", b"\x03\xe8bye")):
        data = bytes([first]) + frame(side, TEXT, payload)[1:]
        ours, model = (replay(library, maker(side), [data]) for library in (WSCOMPAT, WEBSOCKETS))
        if 3 <= first & 15 <= 7 or first & 15 > 10:  # only the cause has another type
            assert "ProtocolError: invalid opcode" in ours[1][2].pop("parser_exc")
            assert "ProtocolError: invalid opcode" in model[1][2].pop("parser_exc")
        elif first & 0x70 and ours != model:  # more than one error
            assert ours[1][2].pop("closes")[1].startswith("1002 ")
            assert model[1][2].pop("closes")[1].startswith("1002 ")
            for record in (ours, model):
                del record[1][2]["parser_exc"]
                del record[1][2]["sent"]
        assert ours == model, hex(first)


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("max_size", "sizes"),
    [
        (10, [10]),
        (10, [11]),
        (10, [6, 4]),
        (10, [6, 5]),
        (10, [6, 0, 4, 0]),
        (10, [6, 0, 4, 1]),
        ((10, None), [6, 5]),
        ((10, 5), [3, 6]),
        ((10, 5), [5, 5]),
        ((10, 5), [5, 4, 2]),
        ((None, 5), [5, 5, 5, 5]),
        ((None, 5), [5, 6]),
        (None, [100, 1000]),
        ((None, None), [100, 1000]),
        (0, [0, 1]),
        (70000, [70001]),
    ],
)
def test_limits(max_size: Any, sizes: list[int], side: str, split: str) -> None:
    opcodes = [BINARY, *[CONT] * (len(sizes) - 1)]
    fins = [*[False] * (len(sizes) - 1), True]
    frames = [
        frame(side, opcode, bytes(size), fin=fin)
        for opcode, size, fin in zip(opcodes, sizes, fins, strict=True)
    ]
    same(maker(side, max_size=max_size), [*frames, frame(side, TEXT, b""), None], split)


@pytest.mark.parametrize("side", SIDES)
def test_limit_of_control_frames(side: str) -> None:
    same(maker(side, max_size=10), [frame(side, PING, b"x" * 11), None])
    steps = [frame(side, TEXT, b"x" * 8, fin=False), frame(side, PING, b"xxx"), None]
    same(maker(side, max_size=10), steps)


@pytest.mark.parametrize("side", SIDES)
def test_too_large_is_known_from_the_header(side: str) -> None:
    header = frame(side, BINARY, bytes(70000))[:-(70000)]
    record = same(maker(side, max_size=60000), [header, None])
    assert record[1][2]["parser_exc"].startswith("PayloadTooBig: frame with 70000 bytes")


# -- where it differs, on purpose


@pytest.mark.parametrize("side", SIDES)
def test_reserved_bit_is_known_from_the_header(side: str) -> None:
    header = frame(side, BINARY, bytes(1000), rsv=4)[:-1000]
    model, ours = (
        replay(library, maker(side), [header])[1][2] for library in (WEBSOCKETS, WSCOMPAT)
    )
    assert model["parser_exc"] is None
    assert ours["parser_exc"] == "ProtocolError: reserved bits must be 0"


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("length", "payload"), [(b"\x7e\0\1", b"a"), (b"\x7f\0\0\0\0\0\0\1\0", bytes(256))]
)
def test_length_not_in_its_shortest_form(side: str, length: bytes, payload: bytes) -> None:
    mask = b"\0\0\0\0" if side == "SERVER" else b""
    head = b"\x82" + bytes([length[0] | (0x80 if mask else 0)]) + length[1:]
    model, ours = (
        replay(library, maker(side), [head + mask + payload])[1][2]
        for library in (WEBSOCKETS, WSCOMPAT)
    )
    assert model["parser_exc"] is None
    assert ours["parser_exc"] == "ProtocolError: length isn't in its shortest form"
    assert ours["events"] == []
    assert ours["closes"][1].startswith("1002 ")


@pytest.mark.parametrize("side", SIDES)
def test_length_with_the_top_bit(side: str) -> None:
    head = b"\x82\xff\x80" + bytes(11) if side == "SERVER" else b"\x82\x7f\x80" + bytes(7)
    record = replay(WSCOMPAT, maker(side, max_size=None), [head])
    assert record[1][2]["closes"][1].startswith("1002 ")


@pytest.mark.parametrize("side", SIDES)
def test_reason_that_is_not_utf8(side: str) -> None:
    steps = [frame(side, CLOSE, b"\x03\xe8\xff"), None]
    model, ours = (replay(library, maker(side), steps) for library in (WEBSOCKETS, WSCOMPAT))
    for record in (model, ours):
        assert record[1][2].pop("parser_exc").startswith("UnicodeDecodeError: ")
        assert record[1][2].pop("closes")[1].startswith("1007 ")
        assert record[1][2].pop("sent")[0].startswith("\x88")
    assert ours[1] == model[1]


@pytest.mark.parametrize("side", SIDES)
def test_end_in_a_header(side: str) -> None:
    ours = replay(WSCOMPAT, maker(side), [b"\x81", None])[2][2]
    assert ours["parser_exc"] == "EOFError: unexpected end of stream"
    assert ours["state"] == "CLOSED"


# -- the rest


@pytest.mark.parametrize("side", SIDES)
def test_random_conversations(side: str) -> None:
    choose = random.Random(side)
    for _ in range(200):
        steps = [_random_step(side, choose) for _ in range(choose.randint(1, 8))]
        same(maker(side, max_size=2000), [*steps, None], choose.choice(SPLITS))


def _random_step(side: str, choose: random.Random) -> Any:
    kind = choose.choice(["data", "data", "data", "control", "send", "close", "fail"])
    if kind == "data":
        payload = choose.randbytes(choose.choice([0, 1, 5, 125, 126, 200]))
        return frame(side, choose.choice([0, 0, 1, 2]), payload, fin=choose.random() < 0.5)
    if kind == "control":
        return frame(side, choose.choice([9, 10]), choose.randbytes(choose.randint(0, 125)))
    if kind == "send":
        name = choose.choice(["send_text", "send_binary", "send_continuation"])
        return (name, choose.randbytes(10), choose.random() < 0.5)
    if kind == "close":
        return choose.choice(
            [("send_close", 1000, "x"), ("send_close",), frame(side, CLOSE, b"\x0f\xa0why")]
        )
    return ("fail", choose.choice([1002, 1006, 1011])) if choose.random() < 0.3 else b""


@pytest.mark.parametrize("receiver", SIDES)
@pytest.mark.parametrize("libraries", [(WSCOMPAT, WEBSOCKETS), (WEBSOCKETS, WSCOMPAT)])
def test_both_libraries_talk_with_each_other(receiver: str, libraries: Any) -> None:
    other = "CLIENT" if receiver == "SERVER" else "SERVER"
    sender, target = maker(other)(libraries[0]), maker(receiver)(libraries[1])
    sender.send_text(b"text", fin=False)
    sender.send_ping(b"ping")
    sender.send_continuation(b"rest", fin=True)
    sender.send_close(1000, "bye")
    for data in sender.data_to_send():
        for piece in pieces(data, "1"):
            target.receive_data(piece)
    got = [(event.opcode.name, bytes(event.data)) for event in target.events_received()]
    assert got == [
        ("TEXT", b"text"),
        ("PING", b"ping"),
        ("CONT", b"rest"),
        ("CLOSE", b"\x03\xe8bye"),
    ]
    for data in target.data_to_send():
        if data:
            sender.receive_data(data)
    assert [event.opcode.name for event in sender.events_received()] == ["PONG", "CLOSE"]
    sender.receive_eof()
    target.receive_eof()
    assert describe(sender.close_exc) == (
        "ConnectionClosedOK: sent 1000 (OK) bye; then received 1000 (OK) bye"
    )
    assert describe(target.close_exc) == (
        "ConnectionClosedOK: received 1000 (OK) bye; then sent 1000 (OK) bye"
    )


def test_close_exc_before_the_end() -> None:
    for library in (WSCOMPAT, WEBSOCKETS):
        with pytest.raises(AssertionError, match="connection isn't closed yet"):
            _ = maker("CLIENT")(library).close_exc


@pytest.mark.parametrize("side", SIDES)
def test_log(side: str, caplog: pytest.LogCaptureFixture) -> None:
    steps: list[Any] = [
        frame(side, TEXT, b"text") + frame(side, PING, b"\x00"),
        ("send_text", b"a", False),
        frame(side, CLOSE, b"\x03\xe8bye"),
        ("send_ping", b""),
        None,
    ]
    caplog.set_level(logging.DEBUG)
    logs = []
    for library in (WSCOMPAT, WEBSOCKETS):
        caplog.clear()
        replay(library, maker(side, logger=None), steps)
        assert {record.name for record in caplog.records} == {f"websockets.{side.lower()}"}
        logs.append([(record.levelname, record.getMessage()) for record in caplog.records])
    assert logs[0] == logs[1]


def test_logger() -> None:
    logger = logging.LoggerAdapter(logging.getLogger("somewhere"), {})
    protocol = maker("CLIENT", logger=logger)(WSCOMPAT)
    assert protocol.logger is logger
    assert protocol.id == protocol.id != maker("CLIENT")(WSCOMPAT).id


# -- sending alone


def sender(side: Side, state: State = State.OPEN) -> Protocol:
    return Protocol(side, state=state, logger=QUIET)


def test_frames_of_a_client_are_masked_each_with_its_own_key() -> None:
    client = sender(Side.CLIENT)
    for _ in range(3):
        client.send_text(b"text")
    client.send_ping(b"ping")
    frames = client.data_to_send()
    assert len({data[2:6] for data in frames}) == 4
    parser = wsframe.FrameParser(wsframe.Role.SERVER)
    got = [frame.payload for data in frames for frame in parser.feed(data)]
    assert got == [b"text", b"text", b"text", b"ping"]


def test_frames_of_a_server_are_not() -> None:
    server = sender(Side.SERVER)
    server.send_binary(b"binary")
    server.send_eof()
    assert server.data_to_send() == [b"\x82\6binary", SEND_EOF]
    assert server.data_to_send() == []


def test_a_frame_that_cannot_be_sent_changes_nothing() -> None:
    server = sender(Side.SERVER)
    with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
        server.send_text("text", fin=False)  # type: ignore[arg-type]
    assert not server.expect_continuation_frame
    assert server.data_to_send() == []


def test_send_frame() -> None:
    server = sender(Side.SERVER, State.CONNECTING)
    server.send_frame(Frame(Opcode.PONG, b"any"))
    assert server.data_to_send() == [b"\x8a\3any"]


# -- memory


def test_nothing_is_kept_twice() -> None:
    protocol = maker("SERVER")(WSCOMPAT)
    protocol.receive_data(frame("SERVER", TEXT, b"x") + b"\x81")
    protocol.receive_data(b"\x80")
    assert not protocol.reader.buffer


def test_an_open_connection_is_no_reference_cycle() -> None:
    protocol = maker("SERVER")(WSCOMPAT)
    protocol.receive_data(frame("SERVER", TEXT, b"x"))
    gone = weakref.ref(protocol)
    gc.disable()
    try:
        del protocol
        assert gone() is None
    finally:
        gc.enable()
