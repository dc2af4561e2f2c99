"""Close codes and CLOSE payloads are as in websockets."""

from typing import Any

import pytest
import websockets.frames

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
    for reason in ("", "důvod"):
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
