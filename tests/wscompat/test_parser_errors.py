"""Every error of wsframe becomes an exception of wscompat; see `test_protocol`, too."""

import pytest

import wsframe
from wscompat import exceptions
from wscompat.parser_errors import translate, unexpected_eof


def parser_error(data: bytes) -> wsframe.FrameError:
    """Return the error that a client's parser finds."""
    parser = wsframe.FrameParser(wsframe.Role.CLIENT)
    with pytest.raises(wsframe.FrameError) as caught:
        list(parser.feed(data))
    return caught.value


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\x83\0", "invalid opcode"),
        (b"\xc1\0", "reserved bits must be 0"),
        (b"\x09\0", "fragmented control frame"),
        (b"\x89\x7e\0\x7e", "control frame too long"),
        (b"\x81\x7e\0\1", "length isn't in its shortest form"),
        (b"\x81\x7f\x80\0\0\0\0\0\0\0", "64-bit length with the top bit set"),
        (b"\x81\x80\0\0\0\0", "incorrect masking"),
        (b"\x80\0", "unexpected continuation frame"),
        (b"\x01\0\x81\0", "expected a continuation frame"),
        (b"\x88\1\3", "close frame too short"),
        (b"\x88\2\3\xed", "invalid status code"),
    ],
)
def test_protocol_errors(data: bytes, text: str) -> None:
    error = translate(parser_error(data))
    assert type(error) is exceptions.ProtocolError
    assert str(error) == text


def test_reason_that_is_not_utf8() -> None:
    assert type(translate(parser_error(b"\x88\3\3\xe8\xff"))) is UnicodeDecodeError


def test_what_is_no_fault_of_the_peer_stays() -> None:
    error = wsframe.InternalError("no random bytes", 1011, "RANDOM")
    assert translate(error) is error


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "unexpected end of stream"),
        (b"\x81", "unexpected end of stream"),
        (b"\x81\3ab", "stream ends after 2 bytes, expected 3 bytes"),
        (b"\x81\1a", "unexpected end of stream"),
    ],
)
def test_end(data: bytes, text: str) -> None:
    parser = wsframe.FrameParser(wsframe.Role.CLIENT)
    list(parser.feed(data))
    assert str(unexpected_eof(parser)) == text
