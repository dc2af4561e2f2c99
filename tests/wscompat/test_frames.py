"""Frames, close codes and CLOSE payloads are as in websockets."""

from typing import Any

import pytest
import websockets.frames

from tests.wscompat.sansio import WEBSOCKETS, WSCOMPAT, describe, plain
from wscompat import frames
from wscompat.exceptions import ProtocolError

CODES = [0, 999, *range(1000, 1017), 2999, 3000, 3999, 4000, 4999, 5000]


@pytest.mark.parametrize("name", ["CloseCode", "Opcode"])
def test_enumerations(name: str) -> None:
    def members(module: Any) -> dict[str, int]:
        return {member.name: member.value for member in getattr(module, name)}

    assert members(frames) == members(websockets.frames)


@pytest.mark.parametrize("code", CODES)
def test_text(code: int) -> None:
    for reason in ("", "důvod", None):
        close, model = frames.Close(code, reason), websockets.frames.Close(code, reason)
        assert str(close) == str(model)
        assert repr(close) == repr(model)


@pytest.mark.parametrize("code", CODES)
def test_check_and_serialize(code: int) -> None:
    try:
        expected: bytes | None = websockets.frames.Close(code, "é").serialize()
    except websockets.exceptions.ProtocolError:
        expected = None
    if expected is None:
        with pytest.raises(ProtocolError, match="invalid status code"):
            frames.Close(code, "é").serialize()
    else:
        assert frames.Close(code, "é").serialize() == expected
        assert frames.Close.parse(expected) == frames.Close(code, "é")


def test_parse() -> None:
    assert frames.Close.parse(b"") == frames.Close(1005, "")
    assert frames.Close.parse(memoryview(b"\x03\xe9a")) == frames.Close(1001, "a")
    with pytest.raises(ProtocolError, match="close frame too short"):
        frames.Close.parse(b"1")
    with pytest.raises(ProtocolError, match="invalid status code"):
        frames.Close.parse(b"\x00\x00")
    with pytest.raises(UnicodeDecodeError):
        frames.Close.parse(b"\x03\xe8\xff")


# -- whole frames

SHOWN = [
    ("TEXT", b"hi", {}),
    ("TEXT", b"", {}),
    ("TEXT", b"\xff", {}),
    ("TEXT", b"x" * 73, {}),
    ("TEXT", b"x" * 74, {}),
    ("TEXT", b"x" * 200, {}),
    ("TEXT", "€".encode() * 40, {}),
    ("TEXT", b'it\'s "q"\n', {}),
    ("TEXT", b"\xc3", {"fin": False}),
    ("TEXT", memoryview(b"hi"), {"fin": False, "rsv1": True, "rsv2": True, "rsv3": True}),
    ("TEXT", b"bell\x07", {}),
    ("TEXT", b"\x1b[0m", {}),
    ("TEXT", b"\t\r\n", {}),
    ("TEXT", b"a\x0bb", {}),
    ("TEXT", "next\x85line".encode(), {}),
    ("TEXT", "no\xa0break".encode(), {"fin": False}),
    ("TEXT", "soft\xadhyphen".encode(), {}),
    ("TEXT", "\u200b\ue000".encode(), {}),
    ("BINARY", b"hello", {}),
    ("BINARY", b"del\x7f", {}),
    ("BINARY", bytearray(b"hello"), {}),
    ("BINARY", b"", {}),
    ("BINARY", b"\0\1", {}),
    ("BINARY", b"\n\ttab", {}),
    ("BINARY", bytes(25), {}),
    ("BINARY", bytes(26), {}),
    ("BINARY", bytes(60), {}),
    ("CONT", b"abc", {"fin": False}),
    ("CONT", b"", {}),
    ("CONT", b"\xc3", {"fin": False}),
    ("CONT", b"\xff", {}),
    ("CONT", "€".encode()[1:] + b"aaa", {}),
    ("CONT", "€".encode() * 40 + b"\xe2", {}),
    ("CLOSE", b"\x03\xe8reason", {}),
    ("CLOSE", b"", {}),
    ("CLOSE", b"\x03", {}),
    ("CLOSE", b"\x03\xed", {}),
    ("CONT", b"\x80\x80\x80\x80", {}),
    ("PING", b"abc", {}),
    ("PING", b"a\tb\x0b\n", {}),
    ("PING", "é".encode(), {}),
    ("PING", b"\1\2", {}),
    ("PING", b"", {}),
    ("PONG", b"x" * 100, {}),
]


def both(opcode: str, data: Any, options: dict[str, Any]) -> list[Any]:
    """Return the same frame of each library."""
    return [
        library.frames.Frame(library.frames.Opcode[opcode], data, **options)
        for library in (WSCOMPAT, WEBSOCKETS)
    ]


@pytest.mark.parametrize(("opcode", "data", "options"), SHOWN)
def test_shown(opcode: str, data: Any, options: dict[str, Any]) -> None:
    ours, model = both(opcode, data, options)
    assert str(ours) == str(model)
    if not isinstance(data, memoryview):
        assert repr(ours) == repr(model)


@pytest.mark.parametrize(("opcode", "data", "options"), SHOWN)
def test_frame_on_the_wire(opcode: str, data: Any, options: dict[str, Any]) -> None:
    ours, model = both(opcode, data, options)
    if "rsv1" in options:
        for frame in (ours, model):
            for method in (frame.check, lambda frame=frame: frame.serialize(mask=False)):
                with pytest.raises(Exception, match="reserved bits must be 0"):
                    method()
        return
    wire = ours.serialize(mask=False)
    assert wire == model.serialize(mask=False)
    assert parsed(WSCOMPAT, wire, mask=False) == parsed(WEBSOCKETS, wire, mask=False)
    masked = ours.serialize(mask=True)
    assert parsed(WSCOMPAT, masked, mask=True) == parsed(WSCOMPAT, wire, mask=False)


def parsed(library: Any, data: bytes, **options: Any) -> Any:
    """Return the result of reading a frame, byte by byte."""
    reader = library.streams.StreamReader()
    reading = library.frames.Frame.parse(reader.read_exact, **options)
    try:
        for i in range(len(data)):
            reader.feed_data(data[i : i + 1])
            next(reading)
        reader.feed_eof()
        next(reading)
    except StopIteration as stop:
        return plain(stop.value), bytes(reader.buffer)
    except Exception as exc:
        return describe(exc)


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b"\x81\2hi", {"mask": True}),
        (b"\x81\x82\0\0\0\0hi", {"mask": False}),
        (b"\x81\2hi", {"mask": False, "max_size": 1}),
        (b"\x81\2hi", {"mask": False, "max_size": 2}),
        (b"\x83\2hi", {"mask": False}),
        (b"\xf1\2hi", {"mask": False}),
        (b"\x09\2hi", {"mask": False}),
        (b"\x89\x7e\0\x7e" + bytes(126), {"mask": False}),
        (b"\x81\x7e\0\x7e" + bytes(126), {"mask": False}),
        (b"\x81\x7f\0\0\0\0\0\1\0\0" + bytes(65536), {"mask": False}),
        (b"\x81", {"mask": False}),
        (b"\x81\3hi", {"mask": False}),
        (b"\x81\x83\0\0", {"mask": True}),
        (b"", {"mask": True}),
    ],
)
def test_parse_frame(data: bytes, options: dict[str, Any]) -> None:
    assert parsed(WSCOMPAT, data, **options) == parsed(WEBSOCKETS, data, **options)


@pytest.mark.parametrize("head", [b"\x81\x7e\0\x7d", b"\x81\x7f\0\0\0\0\0\0\xff\xff"])
def test_length_not_in_its_shortest_form(head: bytes) -> None:
    """Stricter than websockets (RFC 6455, 5.2)."""
    found = parsed(WSCOMPAT, head, mask=False)
    assert found == "ProtocolError: length isn't in its shortest form"


@pytest.mark.parametrize(
    "options", [{"fin": False}, {"data": bytes(126)}, {"fin": False, "data": bytes(126)}]
)
def test_check(options: dict[str, Any]) -> None:
    errors = []
    for frame in both("PING", b"", {}):
        for name, value in options.items():
            setattr(frame, name, value)
        with pytest.raises(Exception, match="control frame") as caught:
            frame.check()
        errors.append(describe(caught.value))
    assert errors[0] == errors[1]


def test_shorthands() -> None:
    ours, model = WSCOMPAT.frames, WEBSOCKETS.frames
    for name in ("CONT", "TEXT", "BINARY", "CLOSE", "PING", "PONG"):
        assert getattr(ours, name) is ours.Opcode[name]
    for name in ("DATA_OPCODES", "CTRL_OPCODES", "OK_CLOSE_CODES"):
        assert getattr(ours, name) == getattr(model, name)
