"""Sending, closing, ending: what arrives at a bare socket, and what is refused."""

import array
import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.tls import Tls
from tests.wscore.packets import server_protocol
from tests.wscore.pairs import Setting, against_raw_peer, connected_pair
from tests.wscore.raw_peer import BOUND, RawPeer, connecting, sending_on
from tests.wscore.recorder import Recorder
from tests.wscore.socket_pairs import pattern
from tests.wscore.wire import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, F, close, request
from wscore import WSCloseCode, WSMsgType, WSTransport, ws_connect, ws_create_server

# Frames out


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        ("", b""),
        ("text", b"text"),
        ("ä€😀", "ä€😀".encode()),
        (b"bytes", b"bytes"),
        (bytearray(b"bytearray"), b"bytearray"),
        (memoryview(b"memoryview")[6:], b"view"),
        (memoryview(array.array("H", [0x4142])), array.array("H", [0x4142]).tobytes()),
        (None, b""),
        (b"x" * 125, b"x" * 125),
        (b"x" * 126, b"x" * 126),
        (b"x" * 65535, b"x" * 65535),
        (b"x" * 65536, b"x" * 65536),
        ("y" * 300_000, b"y" * 300_000),
        (bytearray(b"z" * 300_000), b"z" * 300_000),
    ],
    ids=lambda value: f"{type(value).__name__} {0 if value is None else len(value)}",
)
async def test_send(message: object, payload: bytes, setting: Setting) -> None:
    async with against_raw_peer(setting, Recorder()) as (transport, peer):
        transport.send(WSMsgType.BINARY, message)  # type: ignore[arg-type]
        frame = await peer.read_frame()
    assert (frame.opcode, frame.payload, frame.fin, frame.rsv) == (BINARY, payload, True, 0)
    assert frame.masked == (setting.side == "client")


@pytest.mark.parametrize(
    ("msg_type", "options", "expected"),
    [
        (WSMsgType.TEXT, {"fin": False}, (TEXT, False, 0)),
        (WSMsgType.CONTINUATION, {}, (CONTINUATION, True, 0)),
        (WSMsgType.BINARY, {"rsv1": True}, (BINARY, True, 4)),
        (WSMsgType.BINARY, {"rsv2": True, "fin": False}, (BINARY, False, 2)),
        (WSMsgType.BINARY, {"rsv3": True}, (BINARY, True, 1)),
        (WSMsgType.PING, {}, (PING, True, 0)),
        (WSMsgType.PONG, {}, (PONG, True, 0)),
    ],
)
async def test_head_of_a_frame(
    msg_type: WSMsgType, options: dict[str, bool], expected: tuple[int, bool, int], plain: Setting
) -> None:
    async with against_raw_peer(plain, Recorder()) as (transport, peer):
        transport.send(msg_type, b"x", **options)
        frame = await peer.read_frame()
    assert (frame.opcode, frame.fin, frame.rsv) == expected


async def test_masks_differ() -> None:
    """Nobody who sees one may guess the next (RFC 6455, 10.3)."""
    keys = set()
    async with against_raw_peer(Setting("client", None), Recorder()) as (transport, peer):
        for _ in range(100):
            transport.send(WSMsgType.TEXT, None)
            async with asyncio.timeout(BOUND):
                keys.add((await peer.reader.readexactly(6))[2:])
    assert len(keys) == 100


async def test_nothing_of_the_message_is_kept(plain: Setting) -> None:
    """The caller may change or free it at once, also if it cannot leave at once."""
    size = 8 << 20
    async with against_raw_peer(plain, Recorder()) as (transport, peer):
        peer.writer.transport.pause_reading()
        message = bytearray(b"a" * size)
        transport.send(WSMsgType.BINARY, message)
        message[:] = b"b" * size
        message.clear()
        peer.writer.transport.resume_reading()
        assert (await peer.read_frame()).payload == b"a" * size


@pytest.mark.parametrize("method", ["send_ping", "send_pong"])
async def test_ping_and_pong(method: str, plain: Setting) -> None:
    async with against_raw_peer(plain, Recorder()) as (transport, peer):
        for message in (None, b"x", "ä", bytes(125)):
            getattr(transport, method)(message)
            frame = await peer.read_frame()
            assert frame.opcode == {"send_ping": PING, "send_pong": PONG}[method]
            assert frame.payload == (
                message.encode() if isinstance(message, str) else message or b""
            )


@pytest.mark.parametrize(
    ("code", "message", "payload"),
    [
        (WSCloseCode.NO_INFO, None, b""),
        (WSCloseCode.OK, None, b"\x03\xe8"),
        (1001, "bye", b"\x03\xe9bye"),
        (3000, "€", b"\x0b\xb8\xe2\x82\xac"),
        (4999, b"bytes", b"\x13\x87bytes"),
        (1000, memoryview(b"view"), b"\x03\xe8view"),
        (1000, "x" * 123, b"\x03\xe8" + b"x" * 123),
    ],
)
async def test_send_close(code: int, message: object, payload: bytes, setting: Setting) -> None:
    async with against_raw_peer(setting, Recorder()) as (transport, peer):
        transport.send_close(code, message)  # type: ignore[arg-type]
        frame = await peer.read_frame()
    assert (frame.opcode, frame.payload, frame.fin) == (CLOSE, payload, True)


# What is refused: nothing is sent of it, and the connection goes on.


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("send", (WSMsgType.CLOSE, b""), ValueError),
        ("send", (3, b""), ValueError),
        ("send", (7, b""), ValueError),
        ("send", (11, b""), ValueError),
        ("send", (16, b""), ValueError),
        ("send", (WSMsgType.PING, b"", False), ValueError),
        ("send", (WSMsgType.PONG, bytes(126)), ValueError),
        ("send_ping", (bytes(126),), ValueError),
        ("send_ping", ("€" * 42,), ValueError),
        ("send_pong", (bytes(126),), ValueError),
        ("send_close", (999,), ValueError),
        ("send_close", (1004,), ValueError),
        ("send_close", (1005,), ValueError),
        ("send_close", (WSCloseCode.ABNORMAL_CLOSURE,), ValueError),
        ("send_close", (1015,), ValueError),
        ("send_close", (2999,), ValueError),
        ("send_close", (5000,), ValueError),
        ("send_close", (1000, "x" * 124), ValueError),
        ("send_close", (1000, "€" * 42), ValueError),
        ("send_close", (1000, b"\xff"), ValueError),
        ("send_close", (WSCloseCode.NO_INFO, "a reason"), ValueError),
        ("send_close", (1000, 5), TypeError),
        ("send_close", (1000, ["x"]), TypeError),
        ("send_close", ("1000",), TypeError),
        ("send_close", (-1,), OverflowError),
        ("send", (WSMsgType.TEXT, 5), TypeError),
        ("send", (WSMsgType.TEXT, ["x"]), TypeError),
        ("send", (WSMsgType.BINARY, memoryview(b"abcdef")[::2]), BufferError),
        ("send_ping", (memoryview(b"abcdef")[::2],), BufferError),
        ("send", (WSMsgType.TEXT, "\ud800"), UnicodeEncodeError),
    ],
    ids=lambda value: getattr(value, "__name__", repr(value)).partition(" at ")[0],
)
async def test_refused(
    method: str, arguments: tuple[object, ...], error: type[Exception], plain: Setting
) -> None:
    async with against_raw_peer(plain, Recorder()) as (transport, peer):
        with pytest.raises(error):
            getattr(transport, method)(*arguments)
        assert transport.close_handshake is None
        transport.send(WSMsgType.TEXT, "still here")
        assert (await peer.read_frame()).payload == b"still here"


# After the end


async def test_sends_after_our_close_are_ignored(setting: Setting) -> None:
    async with against_raw_peer(setting, Recorder()) as (transport, peer):
        transport.send_close(WSCloseCode.OK, "first")
        transport.send(WSMsgType.TEXT, "late")
        transport.send_ping()
        transport.send_pong()
        transport.send_close(WSCloseCode.GOING_AWAY, "second")
        assert (await peer.read_frame()).payload == b"\x03\xe8first"
        transport.disconnect()
        await peer.send(close(1000))
        assert await peer.read_to_end() == b""


async def test_sends_after_disconnecting_are_ignored(setting: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        transport.disconnect()
        for _ in range(2):
            transport.send(WSMsgType.TEXT, "late")
            transport.send_ping()
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
            transport.disconnect(graceful=False)
            await peer.close()
            await transport.wait_disconnected()
        assert transport.close_handshake is None
    assert listener.events == ["connected", "disconnected"]


# Ending


async def test_disconnect_delivers_what_was_sent(setting: Setting) -> None:
    payload = bytes(4 << 20)
    async with against_raw_peer(setting, Recorder()) as (transport, peer):
        transport.send(WSMsgType.BINARY, payload)
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        assert transport.is_disconnected
        assert (await peer.read_frame()).payload == payload
        assert (await peer.read_frame()).opcode == CLOSE
        await peer.send(close(1000))
        assert await peer.read_to_end() == b""
        await peer.close()
        await transport.wait_disconnected()
        assert transport.close_handshake is not None
        assert transport.close_handshake.recv is not None


async def test_disconnect_at_once_does_not_wait(setting: Setting) -> None:
    """A peer that reads nothing does not hold the connection."""
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        peer.writer.transport.pause_reading()
        transport.send(WSMsgType.BINARY, bytes(64 << 20))
        transport.disconnect()
        transport.disconnect(graceful=False)
        async with asyncio.timeout(BOUND):
            await transport.wait_disconnected()
        assert listener.events[-1] == "disconnected"


# Ending while the peer is sending: a socket that is closed with something unread resets the
# connection, and the reset overtakes what was sent last.

LAST = pattern(300_000)

ENDS: dict[str, Callable[[WSTransport], None]] = {
    "disconnect": lambda transport: transport.disconnect(),
    "fail": lambda transport: transport.fail(WSCloseCode.POLICY_VIOLATION),
    "below": lambda transport: transport.underlying_transport.close(),
}


@pytest.mark.parametrize("end", ENDS)
async def test_end_while_the_peer_is_sending(end: str, setting: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        async with sending_on(peer, F(BINARY, bytes(10_000))):
            await listener.until("frame", 5)
            transport.send(WSMsgType.BINARY, LAST)
            ENDS[end](transport)
            assert transport.is_disconnected
            seen = len(listener.frames)
            assert (await peer.read_frame()).payload == LAST
            if end == "fail":
                assert (await peer.read_frame()).close_code == 1008
            assert await peer.read_to_end() == b""
        await listener.until("disconnected")
        assert transport.lost_exception is None
        assert len(listener.frames) == seen


async def test_end_by_close_while_the_peer_is_sending(setting: Setting) -> None:
    """The peer's CLOSE, behind all that it sends, is waited for, and noted."""
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        async with sending_on(peer, F(BINARY, bytes(10_000))):
            await listener.until("frame", 5)
            transport.send(WSMsgType.BINARY, LAST)
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
            transport.disconnect()
            seen = len(listener.frames)
            assert (await peer.read_frame()).payload == LAST
            assert (await peer.read_frame()).close_code == 1000
        assert len(listener.frames) == seen


@pytest.mark.parametrize(
    "rest", [[], [F(BINARY, b"late"), F(PING)]], ids=["alone", "behind others"]
)
async def test_close_of_the_peer_after_disconnecting(rest: list[F], setting: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        transport.send_close(WSCloseCode.GOING_AWAY)
        transport.disconnect()
        assert (await peer.read_frame()).close_code == 1001
        await peer.send(*rest, close(4000, "I see"))
        assert await peer.read_to_end() == b""
        await peer.close()
        await listener.until("disconnected")
        closing = transport.close_handshake
        assert closing is not None
        assert closing.recv is not None
        assert (closing.recv.code, closing.recv.reason) == (4000, "I see")
        assert not closing.recv_then_sent
    assert listener.events == ["connected", "disconnected"]


async def test_close_of_the_peer_in_the_read_that_disconnects(setting: Setting) -> None:
    """It may be parsed by then, or not yet."""
    for between in range(4):

        def end(transport: WSTransport, frame: object) -> None:
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()

        listener = Recorder(end)
        async with against_raw_peer(setting, listener) as (transport, peer):
            await peer.send(F(TEXT, b"end"), *[F(TEXT, b"late")] * between, close(1001))
            await peer.read_to_end()
            await peer.close()
            await listener.until("disconnected")
            assert transport.close_handshake is not None
            assert transport.close_handshake.recv is not None
            assert transport.close_handshake.recv.code == 1001
        assert listener.seen == [(TEXT, b"end")]


async def test_violation_after_disconnecting(setting: Setting) -> None:
    """Nobody is interested in it any more, nor in a CLOSE behind it."""
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        await peer.send(F(3), close(1000))
        await peer.read_frame()
        assert await peer.read_to_end() == b""
        await peer.close()
        await transport.wait_disconnected()
        assert transport.close_handshake is not None
        assert transport.close_handshake.recv is None


async def test_peer_that_waits_for_the_end_and_sends_no_close(setting: Setting) -> None:
    """It is shown our end of the connection a moment after the CLOSE."""
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        await peer.read_frame()
        assert await peer.read_to_end() == b""
        assert "disconnected" not in listener.events
        await peer.close()
        await listener.until("disconnected")
        assert transport.lost_exception is None


@pytest.mark.parametrize("close_first", [False, True], ids=["no close", "close"])
async def test_peer_that_reads_nothing_any_more(close_first: bool, setting: Setting) -> None:
    listener = Recorder()
    options = {"disconnect_timeout": 0.05}
    async with against_raw_peer(setting, listener, **options) as (transport, peer):
        peer.writer.transport.pause_reading()
        transport.send(WSMsgType.BINARY, bytes(64 << 20))
        if close_first:
            transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        await listener.until("disconnected")
        assert isinstance(transport.lost_exception, TimeoutError)


@pytest.mark.parametrize("close_first", [False, True], ids=["no close", "close"])
async def test_peer_that_never_ends(close_first: bool, setting: Setting) -> None:
    """It gets all, and neither closes nor answers the CLOSE; nothing is lost."""
    listener = Recorder()
    options = {"disconnect_timeout": 0.6}  # it may acknowledge what it gets after 0.2 seconds
    async with against_raw_peer(setting, listener, **options) as (transport, peer):
        transport.send(WSMsgType.BINARY, b"last")
        if close_first:
            transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        assert (await peer.read_frame()).payload == b"last"
        await listener.until("disconnected")
        assert transport.lost_exception is None


async def test_our_end_need_not_be_acknowledged(setting: Setting) -> None:
    """Our direction is ended in the last moment, if a timer of the loop fires a little early."""

    async def end(seconds: float) -> None:
        listener = Recorder()
        async with against_raw_peer(setting, listener, disconnect_timeout=seconds) as ends:
            transport, peer = ends
            transport.send(WSMsgType.BINARY, b"last")
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()
            assert (await peer.read_frame()).payload == b"last"
            await listener.until("disconnected")
            assert transport.lost_exception is None

    await asyncio.gather(*(end(0.4 + part / 10_000) for part in range(10)))


@pytest.mark.parametrize("close_first", [False, True], ids=["no close", "close"])
async def test_peer_that_never_stops_sending(close_first: bool, setting: Setting) -> None:
    listener = Recorder()
    options = {"disconnect_timeout": 0.05}
    async with against_raw_peer(setting, listener, **options) as (transport, peer):
        async with sending_on(peer, F(BINARY, bytes(10_000))):
            await listener.until("frame", 5)
            if close_first:
                transport.send_close(WSCloseCode.OK)
            transport.disconnect()
            seen = len(listener.frames)
            await listener.until("disconnected")
        assert len(listener.frames) == seen


async def test_reading_that_was_paused_goes_on_to_the_end(setting: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        transport.underlying_transport.pause_reading()
        await peer.send(F(BINARY, bytes(100_000)))
        transport.send(WSMsgType.BINARY, LAST)
        transport.disconnect()
        transport.underlying_transport.pause_reading()
        assert (await peer.read_frame()).payload == LAST
        await peer.close()
        await listener.until("disconnected")
        assert transport.lost_exception is None
    assert listener.frames == []


# The same on a transport of the loop's, as on systems where wscore has none


@contextlib.asynccontextmanager
async def on_the_loops_transport(
    tls: Tls | None, listener: Recorder, **options: Any
) -> AsyncIterator[tuple[WSTransport, RawPeer]]:
    """Yield an open connection: wscore is the server."""
    protocol = server_protocol(listener, **options)
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol, "127.0.0.1", 0, ssl=tls and tls.server
    )
    port = server.sockets[0].getsockname()[1]
    async with server, connecting(port, tls and tls.client) as peer:
        await peer.send(request())
        await peer.read_head()
        await listener.until("connected")
        try:
            yield protocol.transport, peer
        finally:
            protocol.transport.disconnect(graceful=False)
            await listener.until("disconnected")
            server.close()


@pytest.mark.parametrize("end", ["disconnect", "fail"])
async def test_end_on_the_loops_transport(end: str) -> None:
    """Over plain TCP: asyncio's TLS gives up when something comes after its close_notify."""
    listener = Recorder()
    async with on_the_loops_transport(None, listener) as (transport, peer):
        async with sending_on(peer, F(BINARY, bytes(10_000))):
            await listener.until("frame", 5)
            transport.send(WSMsgType.BINARY, LAST)
            ENDS[end](transport)
            seen = len(listener.frames)
            assert (await peer.read_frame()).payload == LAST
        await listener.until("disconnected")
        assert len(listener.frames) == seen


async def test_close_of_the_peer_on_the_loops_transport(security: Tls | None) -> None:
    listener = Recorder()
    async with on_the_loops_transport(security, listener) as (transport, peer):
        transport.underlying_transport.pause_reading()
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        assert (await peer.read_frame()).close_code == 1000
        await peer.send(F(TEXT, b"late"), close(4000))
        assert await peer.read_to_end() == b""
        await listener.until("disconnected")
        assert transport.close_handshake is not None
        assert transport.close_handshake.recv is not None
        assert transport.close_handshake.recv.code == 4000
    assert listener.frames == []


@pytest.mark.parametrize("close_first", [False, True], ids=["no close", "close"])
async def test_peer_that_never_ends_on_the_loops_transport(
    close_first: bool, security: Tls | None
) -> None:
    listener = Recorder()
    options = {"disconnect_timeout": 0.05}
    async with on_the_loops_transport(security, listener, **options) as (transport, peer):
        peer.writer.transport.pause_reading()
        transport.send(WSMsgType.BINARY, bytes(64 << 20))
        if close_first:
            transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        await listener.until("disconnected")


@pytest.mark.parametrize("value", [-1, float("nan")])
async def test_disconnect_timeout_that_is_none(value: float) -> None:
    with pytest.raises(ValueError, match="disconnect_timeout"):
        await ws_create_server(lambda _: None, "127.0.0.1", 0, disconnect_timeout=value)
    with pytest.raises(ValueError, match="disconnect_timeout"):
        await ws_connect(Recorder, "ws://127.0.0.1:9/", disconnect_timeout=value)


# Waiting for the end


async def test_wait_disconnected(setting: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        first, second, third = (
            asyncio.ensure_future(transport.wait_disconnected()) for _ in range(3)
        )
        await asyncio.sleep(0)
        third.cancel()
        await peer.close()
        async with asyncio.timeout(BOUND):
            await asyncio.gather(first, second)
        assert third.cancelled() or third.done()
        assert listener.events[-1] == "disconnected"
        await transport.wait_disconnected()


async def test_wait_disconnected_comes_after_the_callback(plain: Setting) -> None:
    order: list[str] = []

    class Listener(Recorder):
        def on_ws_disconnected(self, transport: WSTransport) -> None:
            order.append("callback")
            super().on_ws_disconnected(transport)

    async with against_raw_peer(plain, Listener()) as (transport, peer):
        waiting = asyncio.ensure_future(transport.wait_disconnected())
        waiting.add_done_callback(lambda _: order.append("waiter"))
        await peer.close()
        await waiting
        await asyncio.sleep(0)
    assert order == ["callback", "waiter"]


async def test_underlying_transport(setting: Setting) -> None:
    async with against_raw_peer(setting, Recorder()) as (transport, peer):
        below = transport.underlying_transport
        own = below.get_extra_info("sockname")
        assert own == peer.writer.get_extra_info("peername")
        assert below.get_extra_info("peername") == peer.writer.get_extra_info("sockname")
        assert below.get_extra_info("nonsense", "default") == "default"
        assert not below.is_closing()
        assert transport.is_secure == (setting.tls is not None)
        assert transport.is_client_side == (setting.side == "client")
        assert (below.get_extra_info("ssl_object") is not None) == transport.is_secure
        transport.disconnect()
        assert below.is_closing()


# Flow control


async def test_writing_is_paused_and_resumed(setting: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        transport.underlying_transport.set_write_buffer_limits(high=100_000, low=10_000)
        peer.writer.transport.pause_reading()
        count = 0
        async with asyncio.timeout(BOUND):
            while "paused" not in listener.events:
                transport.send(WSMsgType.BINARY, bytes(50_000))
                count += 1
                await asyncio.sleep(0)
        assert "resumed" not in listener.events
        assert transport.underlying_transport.get_write_buffer_size() > 100_000
        peer.writer.transport.resume_reading()
        for _ in range(count):
            await peer.read_frame()
        await listener.until("resumed")
        assert transport.underlying_transport.get_write_buffer_size() <= 10_000
    assert listener.events.count("paused") == listener.events.count("resumed") == 1


# Order


async def test_order_within_a_callback(setting: Setting) -> None:
    """Small and large, data, ping, pong and close keep their order, held back or not."""
    large = bytes(200_000)

    def on_frame(transport: WSTransport, frame: object) -> None:
        transport.send(WSMsgType.TEXT, "1")
        transport.send_ping(b"2")
        transport.send(WSMsgType.BINARY, large)
        transport.send(WSMsgType.TEXT, "4")
        transport.send_pong(b"5")
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()

    async with against_raw_peer(setting, Recorder(on_frame)) as (_, peer):
        await peer.send(F(TEXT, b"go"), F(PING, b"late"))
        got = [await peer.read_frame() for _ in range(6)]
        await peer.send(close(1000))
        assert await peer.read_to_end() == b""
    assert [(frame.opcode, frame.payload) for frame in got] == [
        (TEXT, b"1"),
        (PING, b"2"),
        (BINARY, large),
        (TEXT, b"4"),
        (PONG, b"5"),
        (CLOSE, b"\x03\xe8"),
    ]


async def test_many_frames_in_both_directions(both: Setting) -> None:
    async with connected_pair(both) as pair:
        for number in range(2_000):
            pair.client.send(WSMsgType.BINARY, number.to_bytes(4, "big") * 50)
            pair.server.send(WSMsgType.BINARY, number.to_bytes(4, "big") * 50)
        for listener in (pair.at_client, pair.at_server):
            await listener.until("frame", 2_000)
            assert [int.from_bytes(f.payload[:4], "big") for f in listener.frames] == [
                *range(2_000)
            ]


@pytest.mark.parametrize("size", [0, 10, 126, 70_000])
async def test_send_reuse_external_bytearray(size: int, setting: Setting) -> None:
    async with against_raw_peer(setting, Recorder()) as (transport, peer):
        buffer = bytearray(14) + bytes(range(256)) * 300
        del buffer[14 + size :]
        expected = bytes(buffer[14:])
        transport.send_reuse_external_bytearray(WSMsgType.BINARY, buffer, 14)
        assert (await peer.read_frame()).payload == expected
        with pytest.raises(ValueError):
            transport.send_reuse_external_bytearray(WSMsgType.BINARY, bytearray(20), 3)


async def test_fail(setting: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        transport.fail(WSCloseCode.POLICY_VIOLATION, "enough")
        frame = await peer.read_frame()
        assert (frame.close_code, frame.payload[2:]) == (1008, b"enough")
        assert await peer.read_to_end() == b""
    assert listener.events == ["connected", "disconnected"]


async def test_measure_roundtrip_time(both: Setting) -> None:
    async with connected_pair(both) as pair:
        async with asyncio.timeout(BOUND):
            times = await pair.client.measure_roundtrip_time(3)
    assert len(times) == 3
    assert all(0 < time < BOUND for time in times)


async def test_pausing_within_a_callback_is_taken_back(plain: Setting) -> None:
    """What is held back to the end of a callback counts, and stops counting when it has left."""

    def on_frame(transport: WSTransport, frame: object) -> None:
        transport.send(WSMsgType.BINARY, bytes(5_000))

    listener = Recorder(on_frame)
    async with against_raw_peer(plain, listener) as (transport, peer):
        transport.underlying_transport.set_write_buffer_limits(high=1_000, low=100)
        await peer.send(F(TEXT, b"go"))
        assert len((await peer.read_frame()).payload) == 5_000
        assert transport.underlying_transport.get_write_buffer_size() == 0
        assert listener.events.count("paused") == listener.events.count("resumed")


# One thread


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("send", (WSMsgType.TEXT, "x")),
        ("send_message", (WSMsgType.TEXT, "x")),
        ("send_reuse_external_bytearray", (WSMsgType.TEXT, bytearray(20), 14)),
        ("send_ping", ()),
        ("send_pong", ()),
        ("send_close", ()),
        ("fail", (1001,)),
        ("disconnect", ()),
        ("cork", ()),
        ("notify_user_specific_pong_received", ()),
    ],
)
async def test_only_in_the_thread_of_the_loop(
    method: str, arguments: tuple[object, ...], plain: Setting
) -> None:
    async with against_raw_peer(plain, Recorder()) as (transport, peer):
        with pytest.raises(RuntimeError, match="call_soon_threadsafe"):
            await asyncio.to_thread(getattr(transport, method), *arguments)
        assert transport.is_open
        transport.send(WSMsgType.TEXT, "still here")
        assert (await peer.read_frame()).payload == b"still here"


@pytest.mark.parametrize("way", ["end", "reset"])
@pytest.mark.parametrize("unread", [b"", b"some"])
async def test_peer_that_has_ended(both: Setting, way: str, unread: bytes) -> None:
    """It is known before it is read."""
    setting = Setting("server", both.tls)
    async with against_raw_peer(setting, Recorder()) as (transport, peer):
        transport.underlying_transport.pause_reading()  # type: ignore[attr-defined]
        assert not transport.peer_has_ended
        if unread:
            await peer.send(F(TEXT, unread))
        assert not transport.peer_has_ended
        if way == "reset":
            peer.reset()
        else:
            peer.writer.transport.abort()  # over TLS a close() waits for the other side first
        async with asyncio.timeout(BOUND):
            while not transport.peer_has_ended:
                await asyncio.sleep(0)
            transport.underlying_transport.resume_reading()  # type: ignore[attr-defined]
            await peer.close()
