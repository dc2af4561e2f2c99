"""That the peculiarities of an input are seen."""

import zlib

import pytest

from tests.fuzz_live.features import features_of, frames_of
from tests.fuzz_live.inputs import Input
from tests.fuzz_live.target import MAX_SIZE

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nupgrade: h2c\r\n\r\n"


def head(data: bytes):
    return features_of("server", Input(0, [], data, b""))


def test_a_regular_head() -> None:
    found = head(HEAD)
    assert found.line
    assert found.regular
    assert not found.blank
    assert found.counts[b"upgrade"] == 2
    assert found.values[b"upgrade"] == b"websocket,h2c"


@pytest.mark.parametrize(
    ("data", "name", "value"),
    [
        (b"\r\n" + HEAD, "blank", True),
        (b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "line", False),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "regular", False),
        (b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "regular", False),
        (b"GET / HTTP/1.1\nHost: a\n\n", "line", False),
        (HEAD + b"\r\n", "early", True),
        (HEAD[:-2], "regular", False),
        (b"GET / HTTP/1.1\r\nContent-Length: \r\n\r\n", "regular", False),
        (b"GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "regular", True),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "regular", False),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "regular", True),
    ],
)
def test_an_irregular_head(data: bytes, name: str, value: object) -> None:
    assert getattr(head(data), name) == value


STREAM = zlib.compressobj(wbits=-15)
FINAL = STREAM.compress(b"abc") + STREAM.flush(zlib.Z_FINISH)


def deflated(*payloads: bytes) -> list[bytes]:
    """Text messages, each of which refers to those before."""
    stream = zlib.compressobj(wbits=-15)
    data = [stream.compress(each) + stream.flush(zlib.Z_SYNC_FLUSH) for each in payloads]
    return [b"\xc1" + bytes([len(each) - 4]) + each[:-4] for each in data]


FIRST, SECOND = deflated(b"some text that comes again", b"some text that comes again\xff")


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", set()),
        (b"\x82\x01a\x88\x00", {"close"}),
        (b"\x82\x02a", {"ends early"}),
        (b"\x82", {"ends early"}),
        (b"\x82\x7e\x00\x01a", {"long length"}),
        (b"\x82\x7f" + b"\xff" * 8, {"top bit", "ends early", "large"}),
        (b"\x81\x02a\xff", {"bad text"}),
        (b"\x81\x02a\xc3", {"bad text"}),
        (b"\x01\x02a\xc3", {"ends in a message"}),
        (
            b"\x01\x7f" + MAX_SIZE.to_bytes(8, "big") + bytes(MAX_SIZE) + b"\x80\x00",
            {"more at the limit"},
        ),
        (FIRST + SECOND, {"bad text"}),
        (b"\x81\x84\x00\x00\x00\x01abc\xfe", {"bad text"}),
        (b"\x01\x01\xc3\x80\x01\xbc", set()),
        (b"\x01\x01a\x88\x00", {"close in a message", "ends in a message"}),
        (b"\xc2" + bytes([len(FINAL)]) + FINAL, {"final block"}),
        (b"\xc2\x02\xff\xff", {"not inflated"}),
        (b"\xc2\x00", {"unfinished block"}),
        (b"\xc2\x01\x00", set()),
        (FIRST, set()),
        (b"\xc1\x14" + FIRST[2:22], {"unfinished block"}),
    ],
)
def test_frames(data: bytes, found: set[str]) -> None:
    assert frames_of(data) == found
