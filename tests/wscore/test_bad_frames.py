"""Invalid frames: the close code for each kind; none of them reaches the listener.

Each row is sent by a bare socket between two valid frames, in one write and byte by byte, to a
client and to a server.
"""

from dataclasses import dataclass

import pytest

from tests.wscore.pairs import Setting, Way, against_raw_peer
from tests.wscore.raw_peer import RawPeer
from tests.wscore.recorder import Recorder
from tests.wscore.wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    F,
    close,
)
from wscore import WSCloseCode, WSTransport

LIMIT = 1000  # max_frame_size of all connections here


@dataclass(frozen=True)
class Row:
    """One kind of invalid input.

    Attributes:
        name: of the row.
        wire: the bytes to send.
        code: of the CLOSE that answers it.
        good: how many frames at the beginning of `wire` are valid, and delivered.
    """

    name: str
    wire: tuple[F | bytes, ...]
    code: int
    good: int = 0


def row(name: str, *wire: F | bytes, code: int, good: int = 0) -> Row:
    return Row(name, wire, code, good)


SMILE = "😀".encode()  # f0 9f 98 80

ROWS = [
    # Reserved bits that were not negotiated (RFC 6455, 5.2)
    *(
        row(f"rsv {bits:03b} on {name}", F(opcode, b"x", rsv=bits), code=1002)
        for bits in (4, 2, 1, 7)
        for name, opcode in (("text", TEXT), ("binary", BINARY), ("ping", PING))
    ),
    row("rsv on close", F(CLOSE, b"\x03\xe8", rsv=4), code=1002),
    row("rsv on a continuation",
        F(TEXT, b"a", fin=False), F(CONTINUATION, b"b", rsv=4), code=1002, good=1),
    # Reserved opcodes (5.2)
    *(row(f"opcode {n}", F(n, b"x"), code=1002) for n in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)),
    # Control frames (5.5)
    *(
        row(f"fragmented {name}", F(opcode, b"", fin=False), code=1002)
        for name, opcode in (("close", CLOSE), ("ping", PING), ("pong", PONG))
    ),
    *(
        row(f"{name} of 126 bytes", F(opcode, bytes(126)), code=1002)
        for name, opcode in (("ping", PING), ("pong", PONG))
    ),
    row("close of 126 bytes", close(1000, "r" * 124), code=1002),
    row("ping of 65536 bytes", F(PING, length=b"\x7f" + (65536).to_bytes(8, "big")), code=1002),
    # Masking (5.1)
    row("masked by the server, not by the client", F(TEXT, b"x", wrong_mask=True), code=1002),
    row("ping with the wrong masking", F(PING, b"x", wrong_mask=True), code=1002),
    # Lengths (5.2)
    row("length with the top bit set", F(BINARY, length=b"\x7f\x80" + bytes(7)), code=1002),
    row("length all ones", F(BINARY, length=b"\x7f" + b"\xff" * 8), code=1002),
    row("125 in 16 bits", F(BINARY, bytes(125), length=b"\x7e\x00\x7d"), code=1002),
    row("0 in 16 bits", F(BINARY, length=b"\x7e\x00\x00"), code=1002),
    row("65535 in 64 bits",
        F(BINARY, bytes(200), length=b"\x7f" + (65535).to_bytes(8, "big")), code=1002),
    row("1 in 64 bits", F(BINARY, b"x", length=b"\x7f" + (1).to_bytes(8, "big")), code=1002),
    # Order of fragments (5.4)
    row("continuation of nothing", F(CONTINUATION, b"x"), code=1002),
    row("continuation of nothing, to be continued", F(CONTINUATION, b"x", fin=False), code=1002),
    row("continuation after a whole message",
        F(TEXT, b"a"), F(CONTINUATION, b"x"), code=1002, good=1),
    row("continuation after the last fragment",
        F(TEXT, b"a", fin=False), F(CONTINUATION, b"b"), F(CONTINUATION, b"c"), code=1002, good=2),
    row("text in a message", F(TEXT, b"a", fin=False), F(TEXT, b"b"), code=1002, good=1),
    row("binary in a message",
        F(BINARY, b"a", fin=False), F(BINARY, b"b", fin=False), code=1002, good=1),
    # Content of CLOSE (5.5.1 and 7.4)
    row("close of one byte", F(CLOSE, b"\x03"), code=1002),
    *(
        row(f"close code {code}", close(code), code=1002)
        for code in (0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    ),
    row("bad UTF-8 in the reason", close(1000, b"\xc3\x28"), code=1007),
    row("reason cut inside a character", close(1000, SMILE[:3]), code=1007),
    # UTF-8 (8.1)
    row("not UTF-8", F(TEXT, b"\xff"), code=1007),
    row("overlong", F(TEXT, b"\xc0\xaf"), code=1007),
    row("surrogate", F(TEXT, b"\xed\xa0\x80"), code=1007),
    row("beyond U+10FFFF", F(TEXT, b"\xf4\x90\x80\x80"), code=1007),
    row("ends inside a character", F(TEXT, b"abc" + SMILE[:2]), code=1007),
    row("a character broken off by the next fragment",
        F(TEXT, SMILE[:2], fin=False), F(CONTINUATION, b"x", fin=False), code=1007, good=1),
    row("the message ends inside a character, in its last fragment",
        F(TEXT, SMILE[:1], fin=False), F(CONTINUATION, SMILE[1:3]), code=1007, good=1),
    row("the message ends inside a character, in an empty last fragment",
        F(TEXT, SMILE[:3], fin=False), F(CONTINUATION, b""), code=1007, good=1),
    row("the first fragment is bad already",
        F(TEXT, b"\x80", fin=False), F(CONTINUATION, b"x"), code=1007),
    row("after many bytes of right text",
        F(TEXT, "ß".encode() * 400 + b"\xf5"), code=1007),
    # Size
    row("one byte over the limit", F(BINARY, bytes(LIMIT + 1)), code=1009),
    row("far over the limit, only the header is sent",
        F(BINARY, length=b"\x7f" + (1 << 62).to_bytes(8, "big")), code=1009),
    row("a continuation over the limit",
        F(BINARY, b"a", fin=False), F(CONTINUATION, bytes(LIMIT + 1)), code=1009, good=1),
]  # fmt: skip

assert len({row.name for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
async def test_answer(row: Row, way: Way) -> None:
    listener = Recorder()
    sent = (F(TEXT, b"before"), *row.wire, F(TEXT, b"after"), close(1000))
    async with against_raw_peer(way.setting, listener, max_frame_size=LIMIT) as (transport, peer):
        await peer.send(*sent, each_byte=way.each_byte)
        await check_failed(peer, transport, listener, row.code)
    good = [(f.opcode, f.payload) for f in row.wire[: row.good] if isinstance(f, F)]
    assert listener.seen == [(TEXT, b"before"), *good]


async def check_failed(
    peer: RawPeer, transport: WSTransport, listener: Recorder, code: int
) -> None:
    """Check that the peer got one CLOSE with this code, then EOF, and our side reports the same."""
    frame = await peer.read_frame()
    assert (frame.opcode, frame.close_code) == (CLOSE, code)
    assert frame.fin
    assert frame.masked == transport.is_client_side
    assert await peer.read_to_end() == b""
    await peer.close()
    await listener.until("disconnected")
    assert listener.events.count("disconnected") == 1
    assert listener.events[-1] == "disconnected"
    handshake = transport.close_handshake
    assert handshake is not None
    assert handshake.sent is not None
    assert handshake.sent.code == code
    assert handshake.sent.reason == frame.payload[2:].decode()
    assert handshake.recv is None
    assert transport.is_disconnected


# Invalid input is rejected as soon as it is detected: no more has to arrive.


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (F(3, length=b"\x05"), 1002),
        (F(TEXT, length=b"\x05", rsv=1), 1002),
        (F(PING, length=b"\x05", fin=False), 1002),
        (F(PING, length=b"\x7e\x00\x7e"), 1002),
        (F(CONTINUATION, length=b"\x05"), 1002),
        (F(BINARY, length=b"\x05", wrong_mask=True), 1002),
        (F(BINARY, length=b"\x7e\x03\xe9"), 1009),
        (F(BINARY, length=b"\x7f" + (1 << 40).to_bytes(8, "big")), 1009),
    ],
    ids=lambda value: str(value) if isinstance(value, int) else value.wire(False).hex(" "),
)
async def test_judged_on_the_header(header: F, code: int, plain: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(plain, listener, max_frame_size=LIMIT) as (transport, peer):
        await peer.send(header)
        await check_failed(peer, transport, listener, code)


@pytest.mark.parametrize("cut", [1, 2, 3], ids=lambda cut: f"{cut} bytes of a character")
async def test_text_is_judged_with_each_fragment(cut: int, plain: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(plain, listener) as (transport, peer):
        await peer.send(F(TEXT, SMILE[:cut], fin=False), F(CONTINUATION, b"!", fin=False))
        await check_failed(peer, transport, listener, WSCloseCode.INVALID_TEXT)


async def test_text_is_judged_before_its_frame_is_complete(plain: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(plain, listener) as (transport, peer):
        await peer.send(F(TEXT, b"\xff" * 100, length=b"\x7e\x03\xe8"))
        await check_failed(peer, transport, listener, WSCloseCode.INVALID_TEXT)


async def test_limit_itself_is_allowed(setting: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener, max_frame_size=LIMIT) as (_, peer):
        await peer.send(F(BINARY, bytes(LIMIT)))
        await listener.until("frame")
        assert listener.seen == [(BINARY, bytes(LIMIT))]


# Data after a CLOSE is ignored (5.5.1).


@pytest.mark.parametrize(
    "after",
    [
        (F(TEXT, b"x"),),
        (F(PING, b"x"),),
        (close(1001),),
        (F(3, b"x"),),
        (b"\xff" * 100,),
        (F(BINARY, length=b"\x7f" + b"\xff" * 8),),
    ],
    ids=["text", "ping", "second close", "opcode 3", "garbage", "impossible length"],
)
async def test_nothing_after_close(after: tuple[F | bytes, ...], way: Way) -> None:
    listener = Recorder()
    async with against_raw_peer(way.setting, listener) as (transport, peer):
        await peer.send(close(1000, "bye"), *after, each_byte=way.each_byte)
        await listener.until("frame")
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        frame = await peer.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1000)
        await peer.close()
        await listener.until("disconnected")
        assert listener.events == ["connected", "frame", "disconnected"]
        assert listener.frames[0].payload == b"\x03\xe8bye"


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1014, 3000, 3999, 4000, 4999])
async def test_close_codes_that_are_right(code: int, plain: Setting) -> None:
    codes: list[int] = []
    listener = Recorder(lambda _, frame: codes.append(frame.get_close_code()))
    async with against_raw_peer(plain, listener) as (transport, peer):
        await peer.send(close(code, "…"))
        await listener.until("frame")
        assert codes == [code]
        assert transport.close_handshake is not None
        assert transport.close_handshake.recv is not None
        assert transport.close_handshake.recv.code == code
        assert transport.close_handshake.recv.reason == "…"
