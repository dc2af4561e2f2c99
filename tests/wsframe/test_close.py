"""Close codes and CLOSE payloads."""

import pytest

from wsframe import (
    CloseCode,
    InvalidDataError,
    ProtocolError,
    close_code_is_valid,
    decode_close,
    encode_close,
)

VALID = {*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)}


def test_valid_codes() -> None:
    assert {code for code in range(-10, 70_000) if close_code_is_valid(code)} == VALID
    assert not close_code_is_valid(1 << 80)
    assert not close_code_is_valid((1 << 32) + 1000)


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1001, "bye"), (3000, "tschüß"), (4999, "r" * 123)]
)
def test_round_trip(code: int, reason: str) -> None:
    payload = encode_close(code, reason)
    assert payload == code.to_bytes(2, "big") + reason.encode()
    assert decode_close(payload) == (code, reason)
    assert decode_close(memoryview(payload)) == (code, reason)


def test_no_status_is_an_empty_payload() -> None:
    assert encode_close() == encode_close(CloseCode.NO_STATUS) == b""
    assert decode_close(b"") == (1005, "")


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1006, 1015, 2999, 5000, 65536 + 1000])
def test_codes_that_may_not_be_sent(code: int) -> None:
    with pytest.raises(ProtocolError) as caught:
        encode_close(code)
    assert (caught.value.close_code, caught.value.name) == (1002, "CLOSE_CODE")
    if 0 <= code < 65536:
        with pytest.raises(ProtocolError) as caught:
            decode_close(code.to_bytes(2, "big"))
        assert caught.value.name == "CLOSE_CODE"


def test_too_long_a_reason() -> None:
    with pytest.raises(ProtocolError, match="125 bytes"):
        encode_close(1000, "é" * 62)
    with pytest.raises(ProtocolError, match="125 bytes"):
        encode_close(1005, "a reason needs a code")
    with pytest.raises(ProtocolError, match="125 bytes"):
        decode_close(b"\x03\xe8" + b"x" * 124)


def test_half_a_code() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode_close(b"\x03")
    assert caught.value.name == "CLOSE_SIZE"


def test_reason_that_is_not_text() -> None:
    with pytest.raises(InvalidDataError) as caught:
        decode_close(b"\x03\xe8\xff")
    assert (caught.value.close_code, caught.value.name) == (1007, "CLOSE_UTF8")
    with pytest.raises(UnicodeEncodeError):
        encode_close(1000, "\ud800")


def test_wrong_types() -> None:
    with pytest.raises(TypeError):
        encode_close(1000, b"bytes")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        decode_close("text")  # type: ignore[arg-type]
