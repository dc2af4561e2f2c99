"""Delivery: which frames the listener is shown, in which order, and what its exceptions do."""

import logging
import random
from typing import Any

import pytest

from tests.support.leaks import LoopErrors
from tests.wscore.pairs import (
    Setting,
    Way,
    against_raw_peer,
    connected_pair,
    raw_client,
    until_gone,
)
from tests.wscore.recorder import Recorder, SeenFrame
from tests.wscore.wire import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    F,
    close,
    header_of,
    request,
)
from wscore import (
    WSCloseCode,
    WSFrame,
    WSMsgType,
    WSProtocolError,
    WSTransport,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_connect,
    ws_create_server,
)
from wscore.connection.protocol import MAX_FRAGMENTS

# Frames in, callbacks out


async def test_frames_in_order(way: Way) -> None:
    listener = Recorder()
    async with against_raw_peer(way.setting, listener) as (_, peer):
        await peer.send(
            F(TEXT, "ä€😀".encode()),
            F(BINARY, b"\x00\xff"),
            F(TEXT, b""),
            F(PONG, b"unasked"),
            F(TEXT, b"a", fin=False),
            F(PONG),
            F(CONTINUATION, b"", fin=False),
            F(CONTINUATION, b"b"),
            F(BINARY, bytes(300)),
            each_byte=way.each_byte,
        )
        await listener.until("frame", 9)
    assert listener.frames == [
        SeenFrame(WSMsgType.TEXT, "ä€😀".encode()),
        SeenFrame(WSMsgType.BINARY, b"\x00\xff"),
        SeenFrame(WSMsgType.TEXT, b""),
        SeenFrame(WSMsgType.PONG, b"unasked"),
        SeenFrame(WSMsgType.TEXT, b"a", fin=False),
        SeenFrame(WSMsgType.PONG, b""),
        SeenFrame(WSMsgType.CONTINUATION, b"", fin=False),
        SeenFrame(WSMsgType.CONTINUATION, b"b"),
        SeenFrame(WSMsgType.BINARY, bytes(300)),
    ]
    assert listener.events[0] == "connected"
    assert listener.events[-1] == "disconnected"


async def test_character_cut_by_fragments(way: Way) -> None:
    smile = "😀".encode()
    listener = Recorder()
    async with against_raw_peer(way.setting, listener) as (_, peer):
        pieces = [F(TEXT, smile[:1], fin=False)]
        pieces += [F(CONTINUATION, smile[n : n + 1], fin=n == 3) for n in (1, 2, 3)]
        await peer.send(*pieces, each_byte=way.each_byte)
        await listener.until("frame", 4)
    assert b"".join(frame.payload for frame in listener.frames) == smile


@pytest.mark.parametrize("bits", range(1, 8))
async def test_reserved_bits_that_were_negotiated_by_a_client(bits: int) -> None:
    """Once the application has agreed on an extension, the bits are its own."""
    listener = Recorder()
    async with against_raw_peer(
        Setting("client", None),
        listener,
        response_extra="Sec-WebSocket-Extensions: x-own\r\n",
        extra_headers={"Sec-WebSocket-Extensions": "x-own"},
    ) as (_, peer):
        await peer.send(F(TEXT, b"x", rsv=bits))
        await listener.until("frame")
    assert listener.frames[0].rsv == (bool(bits & 4), bool(bits & 2), bool(bits & 1))


@pytest.mark.parametrize("bits", range(1, 8))
async def test_reserved_bits_that_were_negotiated_by_a_server(bits: int) -> None:
    listener = Recorder()
    response = WSUpgradeResponse.create_101_response({"Sec-WebSocket-Extensions": "x-own"})
    agreed = WSUpgradeResponseWithListener(response, listener)
    async with raw_client(lambda _: agreed) as peer:
        await peer.send(request(("Sec-WebSocket-Extensions", "x-own")))
        head = await peer.read_head()
        assert header_of(head, "Sec-WebSocket-Extensions") == "x-own"
        await peer.send(F(TEXT, b"x", rsv=bits), F(PING, b"x", rsv=bits))
        assert (await peer.read_frame()).close_code == 1002  # not on a control frame
    await listener.until("disconnected")
    assert listener.frames[0].rsv == (bool(bits & 4), bool(bits & 2), bool(bits & 1))


@pytest.mark.parametrize("seed", range(5))
async def test_any_frames_cut_anyhow(seed: int, setting: Setting) -> None:
    source = random.Random(seed)
    sent = []
    for _ in range(100):
        size = source.choice((0, 1, 125, 126, 127, 1000, 65535, 65536, 300_000, 600_000))
        sent.append((BINARY, source.randbytes(source.randint(0, size))))
    wire = b"".join(F(*frame).wire(setting.side == "server") for frame in sent)
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (_, peer):
        begin = 0
        while begin < len(wire):
            end = begin + source.choice((1, 2, 100, 5000, 100_000, 1_000_000))
            await peer.send(wire[begin:end])
            begin = end
        await listener.until("frame", len(sent))
    assert listener.seen == sent


async def test_frames_right_after_the_request(security_of_server: Setting) -> None:
    """A client may send before it has read the answer."""
    listener = Recorder()
    tls = security_of_server.tls
    async with raw_client(lambda _: listener, tls) as peer:
        await peer.send(request(), F(TEXT, b"early"), F(PING, b"bird"), F(TEXT, b"worm"))
        assert (await peer.read_head()).startswith(b"HTTP/1.1 101 ")
        pong = await peer.read_frame()
        assert (pong.opcode, pong.payload) == (PONG, b"bird")
        await listener.until("frame", 2)
    await listener.until("disconnected")
    assert listener.seen == [(TEXT, b"early"), (TEXT, b"worm")]


@pytest.fixture
def security_of_server(security) -> Setting:  # type: ignore[no-untyped-def]
    """Return a server, plain and over TLS."""
    return Setting("server", security)


async def test_half_a_frame_right_after_the_request() -> None:
    listener = Recorder()
    frame = F(TEXT, b"early").wire(masked=True)
    async with raw_client(lambda _: listener) as peer:
        await peer.send(request(), frame[:3])
        await peer.read_head()
        await peer.send(frame[3:])
        await listener.until("frame")
    await listener.until("disconnected")
    assert listener.seen == [(TEXT, b"early")]


# Several frames in one read


async def test_position_in_the_read(setting: Setting) -> None:
    """Each frame knows whether it is the last complete one, and how many bytes follow it."""
    positions: list[tuple[bool, int]] = []
    listener = Recorder(lambda _, f: positions.append((f.last_in_buffer, f.tail_size)))
    masked = setting.side == "server"
    frames = [F(TEXT, b"a" * size).wire(masked) for size in (3, 200, 0, 5)]
    partial = F(TEXT, b"later").wire(masked)
    async with against_raw_peer(setting, listener) as (_, peer):
        await peer.send(*frames, partial[:4])
        await listener.until("frame", 4)
        await peer.send(partial[4:])
        await listener.until("frame", 5)
    sizes = [len(frame) for frame in frames]
    assert positions == [
        (False, sum(sizes[1:]) + 4),
        (False, sum(sizes[2:]) + 4),
        (False, sizes[3] + 4),
        (True, 4),
        (True, 0),
    ]


async def test_last_in_buffer_before_a_frame_that_is_wrong(plain: Setting) -> None:
    positions: list[bool] = []
    listener = Recorder(lambda _, frame: positions.append(frame.last_in_buffer))
    async with against_raw_peer(plain, listener) as (_, peer):
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"), F(3))
        await peer.read_to_end()
    assert positions == [False, True]


async def test_nothing_after_disconnecting_in_a_callback(setting: Setting) -> None:
    listener = Recorder(lambda transport, _: transport.disconnect())
    async with against_raw_peer(setting, listener) as (_, peer):
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"), F(PING, b"c"), F(3))
        assert await peer.read_to_end() == b""
        await peer.close()
        await listener.until("disconnected")
    assert listener.events == ["connected", "frame", "disconnected"]


# PING and PONG


async def test_ping_is_answered(way: Way) -> None:
    listener = Recorder()
    async with against_raw_peer(way.setting, listener) as (_, peer):
        payloads = [b"", b"x", bytes(range(125))]
        await peer.send(*(F(PING, payload) for payload in payloads), each_byte=way.each_byte)
        for payload in payloads:
            answer = await peer.read_frame()
            assert (answer.opcode, answer.payload, answer.fin) == (PONG, payload, True)
            assert answer.masked == (way.setting.side == "client")
    assert listener.frames == []


async def test_ping_is_answered_within_a_message(plain: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(plain, listener) as (_, peer):
        await peer.send(F(TEXT, b"a", fin=False), F(PING, b"now"), F(CONTINUATION, b"b"))
        assert (await peer.read_frame()).payload == b"now"
        await listener.until("frame", 2)
    assert listener.seen == [(TEXT, b"a"), (CONTINUATION, b"b")]


async def test_ping_is_shown_without_auto_pong(setting: Setting) -> None:
    def on_frame(transport: WSTransport, frame: WSFrame) -> None:
        transport.send_pong(frame.get_payload_as_bytes() + b"!")

    listener = Recorder(on_frame)
    async with against_raw_peer(setting, listener, enable_auto_pong=False) as (_, peer):
        await peer.send(F(PING, b"x"))
        answer = await peer.read_frame()
        assert (answer.opcode, answer.payload) == (PONG, b"x!")
    assert listener.seen == [(PING, b"x")]


async def test_ping_is_not_answered_after_our_close(plain: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(plain, listener) as (transport, peer):
        transport.send_close(WSCloseCode.OK)
        await peer.send(F(PING, b"x"), F(TEXT, b"still"), close(1000))
        await listener.until("frame", 2)
        assert (await peer.read_frame()).opcode == CLOSE
        transport.disconnect()
        assert await peer.read_to_end() == b""
    assert listener.seen == [(TEXT, b"still"), (CLOSE, b"\x03\xe8")]


# Exceptions of the listener


def complain(*_: object) -> None:
    raise ZeroDivisionError("the listener is at fault")


async def test_exception_in_on_ws_frame(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    listener = Recorder(complain)
    async with against_raw_peer(setting, listener) as (transport, peer):
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"))
        frame = await peer.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1011)
        assert await peer.read_to_end() == b""
        await peer.close()
        await listener.until("disconnected")
        assert transport.close_handshake is not None
        assert transport.close_handshake.sent is not None
        assert transport.close_handshake.sent.code is WSCloseCode.INTERNAL_ERROR
    assert listener.seen == [(TEXT, b"a")]
    check_logged(caplog, "on_ws_frame", f"wscore.{setting.side}")


@pytest.mark.parametrize("name", ["disconnect_on_exception", "disconnect_on_error"])
async def test_exception_in_on_ws_frame_tolerated(
    name: str, setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    listener = Recorder(complain)
    async with against_raw_peer(setting, listener, **{name: False}) as (_, peer):
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"), F(PING, b"c"))
        assert (await peer.read_frame()).opcode == PONG
    assert listener.seen == [(TEXT, b"a"), (TEXT, b"b")]
    check_logged(caplog, "on_ws_frame", f"wscore.{setting.side}", times=2)


async def test_exception_in_on_ws_connected(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    class Listener(Recorder):
        def on_ws_connected(self, transport: WSTransport) -> None:
            super().on_ws_connected(transport)
            complain()

    listener = Listener()
    async with against_raw_peer(setting, listener) as (_, peer):
        await peer.send(F(TEXT, b"a"))
        frame = await peer.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1011)
        assert await peer.read_to_end() == b""
        await peer.close()
        await listener.until("disconnected")
    assert listener.events == ["connected", "disconnected"]
    check_logged(caplog, "on_ws_connected", f"wscore.{setting.side}")


async def test_exception_in_on_ws_disconnected(
    setting: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    class Listener(Recorder):
        def on_ws_disconnected(self, transport: WSTransport) -> None:
            super().on_ws_disconnected(transport)
            complain()

    listener = Listener()
    async with against_raw_peer(setting, listener) as (transport, peer):
        await peer.close()
        await until_gone(transport)
    assert listener.events == ["connected", "disconnected"]
    check_logged(caplog, "on_ws_disconnected", f"wscore.{setting.side}")


def check_logged(caplog: pytest.LogCaptureFixture, where: str, logger: str, times: int = 1) -> None:
    records = [record for record in caplog.records if where in record.getMessage()]
    assert len(records) == times
    for record in records:
        assert record.levelno == logging.ERROR
        assert record.name == logger
        assert record.exc_info is not None
        assert record.exc_info[0] is ZeroDivisionError


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (WSProtocolError(WSCloseCode.POLICY_VIOLATION, "not here"), 1008, "not here"),
        (WSProtocolError(4321, "own"), 4321, "own"),
        (WSProtocolError(4321), 4321, ""),
        (WSProtocolError(1008, b"bytes"), 1008, "bytes"),
        (WSProtocolError(1008, "€" * 100), 1008, "€" * 41),
        (WSProtocolError(1008, "x" * 122 + "€"), 1008, "x" * 122),
        (WSProtocolError(1008, b"\xff\xfe"), 1008, ""),
        (WSProtocolError(1005, "invalid"), 1011, ""),
        (WSProtocolError(1006, "invalid"), 1011, ""),
        (WSProtocolError(0, "invalid"), 1011, ""),
        (WSProtocolError(999, "invalid"), 1011, ""),
        (WSProtocolError(5000, "invalid"), 1011, ""),
        (WSProtocolError(70000, "invalid"), 1011, ""),
        (WSProtocolError(-1, "invalid"), 1011, ""),
        (WSProtocolError(1 << 70, "invalid"), 1011, ""),
    ],
    ids=lambda value: repr(value)[:40],
)
@pytest.mark.parametrize("disconnect_on_exception", [True, False])
async def test_protocol_error_of_the_listener(
    error: WSProtocolError, code: int, reason: str, disconnect_on_exception: bool, plain: Setting
) -> None:
    """It chooses the close code, whatever `disconnect_on_exception` says."""

    def on_frame(transport: WSTransport, frame: WSFrame) -> None:
        raise error

    listener = Recorder(on_frame)
    async with against_raw_peer(
        plain, listener, disconnect_on_exception=disconnect_on_exception
    ) as (_, peer):
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"))
        frame = await peer.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, code)
        assert frame.payload[2:].decode() == reason
        assert await peer.read_to_end() == b""
    assert len(listener.frames) == 1


async def test_exception_while_the_peer_keeps_talking(setting: Setting) -> None:
    """The CLOSE reaches the peer although what it sends is not read any more."""
    listener = Recorder(complain)
    async with against_raw_peer(setting, listener) as (_, peer):
        await peer.send(*[F(BINARY, bytes(50_000))] * 20)
        frame = await peer.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1011)
    assert len(listener.frames) == 1


async def test_peer_that_never_closes_is_left(plain: Setting) -> None:
    """A failed connection waits for the peer to close, then it goes all the same."""
    listener = Recorder()
    options = {"disconnect_timeout": 0.05}
    async with against_raw_peer(plain, listener, **options) as (transport, peer):
        await peer.send(F(3))
        assert (await peer.read_frame()).close_code == 1002
        await until_gone(transport)
    assert listener.events == ["connected", "disconnected"]


async def test_system_exit_is_not_swallowed(plain: Setting, no_leaks: LoopErrors) -> None:
    """Only exceptions are the listener's own affair, not what ends the program."""

    class Ends(BaseException):
        pass

    def on_frame(transport: WSTransport, frame: WSFrame) -> None:
        raise Ends

    listener = Recorder(on_frame)
    async with against_raw_peer(plain, listener) as (_, peer):
        await peer.send(F(TEXT, b"a"))
        assert (await peer.read_frame()).close_code == 1011
    assert [type(error.get("exception")) for error in no_leaks] in ([Ends], [])
    no_leaks.clear()


# Both ends


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 5_000_000])
async def test_echo(size: int, both: Setting) -> None:
    def echo(transport: WSTransport, frame: WSFrame) -> None:
        transport.send(frame.msg_type, frame.get_payload_as_memoryview(), frame.fin)

    payload = random.Random(size).randbytes(size)
    at_server = Recorder(echo)
    async with connected_pair(both, at_server=at_server) as pair:
        for _ in range(3):
            pair.client.send(WSMsgType.BINARY, payload)
        await pair.at_client.until("frame", 3)
        assert pair.at_client.seen == [(BINARY, payload)] * 3


async def test_end_of_the_stream(setting: Setting) -> None:
    """A peer that closes its end without a CLOSE has gone."""
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        await peer.send(F(TEXT, b"last words"))
        await peer.close()
        await listener.until("disconnected")
        assert transport.is_disconnected
    assert listener.seen == [(TEXT, b"last words")]
    assert listener.events == ["connected", "frame", "disconnected"]


async def test_frames_before_a_reset(plain: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(plain, listener) as (_, peer):
        await peer.send(F(TEXT, b"a"))
        await listener.until("frame")
        peer.reset()
        await listener.until("disconnected")
    assert listener.events == ["connected", "frame", "disconnected"]


# Limits that are off


@pytest.mark.parametrize("bits", [40, 62, 63])
async def test_impossible_size_without_a_limit(bits: int, setting: Setting) -> None:
    """Memory is taken for what arrives, not for what is announced."""
    listener = Recorder()
    size = (1 << bits) - 1
    async with against_raw_peer(setting, listener, max_frame_size=None) as (_, peer):
        await peer.send(F(BINARY, b"abc", length=b"\x7f" + size.to_bytes(8, "big")))
        for _ in range(10):
            await peer.send(bytes(100_000))
        await peer.close()
        await listener.until("disconnected")
    assert listener.events == ["connected", "disconnected"]


async def test_more_after_a_size_over_the_limit(plain: Setting) -> None:
    """What comes after the refused header is read and thrown away, without memory for it."""
    listener = Recorder()
    async with against_raw_peer(plain, listener) as (_, peer):
        await peer.send(F(BINARY, length=b"\x7f" + (1 << 62).to_bytes(8, "big")))
        frame = await peer.read_frame()
        assert (frame.opcode, frame.close_code) == (CLOSE, 1009)
        for _ in range(10):
            await peer.send(bytes(100_000))
        await peer.close()
        await listener.until("disconnected")
    assert listener.events == ["connected", "disconnected"]


@pytest.mark.parametrize("size", [999, 1000, 1001])
async def test_message_size(size: int, setting: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener, max_message_size=1000) as (_, peer):
        pieces = [F(BINARY, bytes(500), fin=False), F(CONTINUATION, bytes(499), fin=False)]
        await peer.send(*pieces, F(PONG), F(CONTINUATION, bytes(size - 999)), F(PING))
        answer = await peer.read_frame()
        expected = CLOSE if size > 1000 else PONG
        assert answer.opcode == expected
        if size > 1000:
            assert answer.close_code == 1009
    assert len(listener.frames) == (3 if size > 1000 else 4)


@pytest.mark.parametrize("count", [10, 11])
async def test_number_of_fragments(count: int, setting: Setting) -> None:
    """Empty ones count too."""
    listener = Recorder()
    async with against_raw_peer(setting, listener, max_fragments=10) as (_, peer):
        pieces = [F(CONTINUATION, fin=n == count - 2) for n in range(count - 1)]
        await peer.send(F(BINARY, fin=False), *pieces, F(PING))
        answer = await peer.read_frame()
        assert answer.opcode == (PONG if count == 10 else CLOSE)
        if count > 10:
            assert answer.close_code == 1009
    assert len(listener.frames) == 10


@pytest.mark.parametrize("limit", ["max_frame_size", "max_message_size", "max_fragments"])
@pytest.mark.parametrize("value", [0, -1])
async def test_no_limit_is_none(limit: str, value: int) -> None:
    """Nothing is unlimited by mistake."""
    options: dict[str, Any] = {limit: value}
    with pytest.raises(ValueError, match=f"{limit} must be at least 1"):
        await ws_connect(Recorder, "ws://127.0.0.1:1/", **options)
    with pytest.raises(ValueError, match=f"{limit} must be at least 1"):
        await ws_create_server(lambda _: Recorder(), "127.0.0.1", 0, **options)


async def test_fragments_are_limited_by_default(plain: Setting) -> None:
    listener = Recorder()
    masked = plain.side == "server"
    async with against_raw_peer(plain, listener) as (_, peer):
        empty = F(CONTINUATION, fin=False).wire(masked)
        await peer.send(F(BINARY, fin=False), empty * MAX_FRAGMENTS)
        assert (await peer.read_frame()).close_code == 1009
    assert len(listener.frames) == MAX_FRAGMENTS
