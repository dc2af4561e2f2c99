"""Tests of `wscompat.legacy.framing`: the same frames and errors as with websockets."""

import asyncio
from typing import Any

import pytest

from tests.wscompat.legacy.models import MODEL, OURS, Legacy, describe


async def read(library: Legacy, data: bytes, **options: Any) -> Any:
    stream = asyncio.StreamReader()
    stream.feed_data(data)
    stream.feed_eof()
    try:
        frame = await library.framing.Frame.read(stream.readexactly, **options)
    except Exception as exc:
        return describe(exc)
    return str(frame), tuple(frame), str(frame.new_frame)


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (b"\x81\x01a", {"mask": False}),
        (b"\x81\x81\0\0\0\1a", {"mask": True}),
        (b"\x81\x01a", {"mask": True}),
        (b"\x01\x01a", {"mask": False}),
        (b"\x82\x7e\x00\x7e" + b"x" * 126, {"mask": False}),
        (b"\x82\x7f\0\0\0\0\0\1\0\0" + b"x" * 65536, {"mask": False}),
        (b"\x81\x03aaa", {"mask": False, "max_size": 2}),
        (b"\x83\x01a", {"mask": False}),
        (b"\xc1\x01a", {"mask": False}),
        (b"\x09\x01a", {"mask": False}),
        (b"\x89\x7e\0\x7f" + b"a" * 127, {"mask": False}),
        (b"\x81", {"mask": False}),
        (b"\x81\x05a", {"mask": False}),
        (b"\x88\x00", {"mask": False}),
    ],
)
async def test_reading(data: bytes, options: dict[str, Any]) -> None:
    assert await read(OURS, data, **options) == await read(MODEL, data, **options)


@pytest.mark.parametrize(
    ("fin", "opcode", "data", "rsv1"),
    [
        (True, "TEXT", b"x", False),
        (False, "BINARY", b"x" * 70000, False),
        (True, "PING", b"x" * 125, False),
        (True, "PING", b"x" * 126, False),
        (False, "PING", b"x", False),
        (True, "TEXT", b"x", True),
    ],
)
def test_writing(fin: bool, opcode: str, data: bytes, rsv1: bool) -> None:
    def written(library: Legacy) -> Any:
        frame = library.framing.Frame(fin, library.opcode[opcode], data, rsv1)
        out: list[bytes] = []
        try:
            frame.write(out.append, mask=False)
        except Exception as exc:
            return describe(exc)
        return b"".join(out)

    assert written(OURS) == written(MODEL)


def test_checking() -> None:
    for library in (MODEL, OURS):
        library.framing.Frame(True, library.opcode.TEXT, b"x").check()
        with pytest.raises(library.errors.ProtocolError):
            library.framing.Frame(False, library.opcode.PING, b"x").check()


async def test_masked() -> None:
    out: list[bytes] = []
    OURS.framing.Frame(True, OURS.opcode.TEXT, b"xyz").write(out.append, mask=True)
    _, frame, _ = await read(MODEL, b"".join(out), mask=True)
    assert frame == (True, 1, b"xyz", False, False, False)


@pytest.mark.parametrize("name", ["prepare_data", "prepare_ctrl", "encode_data"])
@pytest.mark.parametrize("data", ["h\xe9", b"x", bytearray(b"x"), memoryview(b"x"), 3, None])
def test_preparing(name: str, data: Any) -> None:
    def prepared(library: Legacy) -> Any:
        try:
            return getattr(library.framing, name)(data)
        except TypeError as exc:
            return str(exc)

    assert prepared(OURS) == prepared(MODEL)


@pytest.mark.parametrize(
    "data", [b"", b"\x03", b"\x03\xe8", b"\x03\xe8abc", b"\x03\xed", b"\x03\xe8\xff"]
)
def test_parsing_close(data: bytes) -> None:
    def parsed(library: Legacy) -> Any:
        try:
            return library.framing.parse_close(data)
        except Exception as exc:
            return describe(exc)

    assert parsed(OURS) == parsed(MODEL)


@pytest.mark.parametrize("arguments", [(1000, ""), (1005, ""), (4000, "h\xe9")])
def test_serializing_close(arguments: tuple[int, str]) -> None:
    def serialized(library: Legacy) -> Any:
        try:
            return library.framing.serialize_close(*arguments)
        except Exception as exc:
            return describe(exc)

    assert serialized(OURS) == serialized(MODEL)
