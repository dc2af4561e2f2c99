"""The UTF-8 validator from Python; its grammar is tested in C, exhaustively."""

import pytest

from wsframe import Utf8Validator


def test_text_in_pieces() -> None:
    validator = Utf8Validator()
    assert validator.complete
    for byte in "aé€😀".encode():
        assert validator.feed(bytes([byte]))
    assert validator.valid
    assert validator.complete
    assert validator.position == 10


def test_inside_a_character() -> None:
    validator = Utf8Validator()
    assert validator.feed(b"a\xf0\x9f")
    assert validator.valid
    assert not validator.complete
    assert validator.feed(memoryview(b"\x98\x80"))
    assert validator.complete


@pytest.mark.parametrize(
    ("text", "position"),
    [
        (b"\xff", 0),
        (b"abc\x80", 3),
        (b"a\xc3(", 2),
        (b"\xed\xa0\x80", 1),
        (b"\xf4\x90", 1),
        (b"x" * 100 + b"\xc0", 100),
    ],
)
def test_first_bad_byte(text: bytes, position: int) -> None:
    for cut in range(len(text) + 1):
        validator = Utf8Validator()
        validator.feed(text[:cut])
        assert not validator.feed(text[cut:])
        assert validator.position == position
        assert not validator.valid
        assert not validator.complete
        assert not validator.feed(b"fine")
        assert validator.position == position
        assert not validator.feed(b"")
        validator.reset()
        assert validator.feed(b"fine")
        assert validator.complete


def test_wrong_type() -> None:
    with pytest.raises(TypeError):
        Utf8Validator().feed("text")  # type: ignore[arg-type]
