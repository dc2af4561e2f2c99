"""Replies to CONNECT: well-formed and not, whole and in the smallest pieces, never read beyond."""

import pytest

from wsproxy.connect_reply import MAX_HEAD, ConnectReply, ReplyReader


def read(stream: bytes, most: int) -> tuple[ConnectReply | None, bytes]:
    """Feed a reader as a connection would; return the reply and what is left of the stream."""
    reader = ReplyReader()
    while stream:
        count = min(reader.wanted, most)
        reply = reader.feed(stream[:count])
        stream = stream[count:]
        if reply is not None:
            return reply, stream
    return None, stream


GOOD = [
    (b"HTTP/1.1 200 Connection established\r\n\r\n", 200, "Connection established", ()),
    (b"HTTP/1.0 200 OK\r\nProxy-agent: x\r\n\r\n", 200, "OK", (("Proxy-agent", "x"),)),
    (b"HTTP/1.1 204\r\n\r\n", 204, "", ()),
    (b"HTTP/1.1 200 \r\nA:b\r\nA: \t c \t\r\nEmpty:\r\n\r\n", 200, "",
     (("A", "b"), ("A", "c"), ("Empty", ""))),
    (b"HTTP/1.1 407 d\xe9j\xe0\r\n\r\n", 407, "déjà", ()),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
     200, "OK", ()),
]  # fmt: skip


@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize(
    "rest", [b"", b"\r\n", b"\r\n\r\n", b"HTTP/1.1 500 x\r\n\r\n", b"\x16\x03"]
)
@pytest.mark.parametrize(("head", "status", "reason", "headers"), GOOD)
def test_the_reply_and_not_a_byte_more(
    head: bytes, status: int, reason: str, headers: tuple[tuple[str, str], ...],
    rest: bytes, most: int,
) -> None:  # fmt: skip
    reply, left = read(head + rest, most)
    assert reply == ConnectReply(status, reason, headers)
    assert reply.is_open == (status < 300)
    assert left == rest


@pytest.mark.parametrize("most", [1, 4])
@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        (b"\x05\x00\x00\x01", "not HTTP"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP"),
        (b"HTTP/2 200\r\n\r\n", "not HTTP"),
        (b"http/1.1 200\r\n\r\n", "not HTTP"),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\n", "not HTTP"),
        (b"HTTP/1.2 200 OK\r\n\r\n", "status line"),
        (b"HTTP/1.1 20 OK\r\n\r\n", "status line"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "status line"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "status line"),
        (b"HTTP/1.1  200 OK\r\n\r\n", "status line"),
        (b"HTTP/1.1 abc OK\r\n\r\n", "status line"),
        (b"HTTP/1.1 200 O\0K\r\n\r\n", "status line"),
        (b"HTTP/1.1 200 O\rK\r\n\r\n", "status line"),
        (b"HTTP/1.1 200 OK\nA: b\n\n", "CR LF"),
        (b"HTTP/1.1 200 OK\r\nA: b\n\r\n", "CR LF"),
        (b"HTTP/1.1 200 OK\r\nA b\r\n\r\n", "header field"),
        (b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "header field"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", "header field"),
        (b"HTTP/1.1 200 OK\r\nA: b\0\r\n\r\n", "header field"),
        (b"HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "header field"),
        (b"HTTP/1.1 101 Switching\r\n\r\n", "status 101"),
        (b"HTTP/1.1 200 " + b"x" * MAX_HEAD, "longer than"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * MAX_HEAD, "longer than"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * MAX_HEAD, "longer than"),
    ],
)
def test_malformed_replies(stream: bytes, problem: str, most: int) -> None:
    with pytest.raises(ValueError, match=problem):
        read(stream, most)


def test_what_is_wanted_never_reaches_beyond_the_head() -> None:
    reader = ReplyReader()
    assert reader.wanted == 4
    seen = []
    for position in range(len(b"HTTP/1.1 200 OK\r\n\r")):
        reader.feed(b"HTTP/1.1 200 OK\r\n\r"[position : position + 1])
        seen.append(reader.wanted)
    assert seen == [4] * 15 + [3, 2, 1]


def test_values_are_found_in_any_letter_case() -> None:
    reply = ConnectReply(407, "", (("Proxy-Authenticate", "Basic"), ("proxy-authenticate", "x")))
    assert reply.values("PROXY-authenticate") == ["Basic", "x"]
    assert reply.values("other") == []
