"""Auto ping on real connections: the ping, its answer, and the end of a peer that stays silent."""

import asyncio
import logging
from typing import Any

import pytest

from tests.wscore.packets import packet_peer
from tests.wscore.pairs import Setting, against_raw_peer, connected_pair
from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.wire import BINARY, CLOSE, PING, PONG, TEXT, F, close
from wscore import (
    WSAutoPingStrategy,
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
    ws_create_server,
)
from wscore.connection.auto_ping import auto_ping_maker

# Seconds. A ping comes soon; what is answered on this side has enough time, on a busy machine too.
SOON, ENOUGH, LATE = 0.02, 0.5, 60.0


def auto_ping(idle: float = SOON, reply: float = LATE, **more: Any) -> dict[str, Any]:
    return {
        "enable_auto_ping": True,
        "auto_ping_idle_timeout": idle,
        "auto_ping_reply_timeout": reply,
        **more,
    }


async def test_silent_peer_is_pinged(setting: Setting) -> None:
    async with against_raw_peer(setting, Recorder(), **auto_ping()) as (_, peer):
        frame = await peer.read_frame()
        assert (frame.opcode, frame.payload, frame.fin) == (PING, b"", True)


@pytest.mark.parametrize("strategy", WSAutoPingStrategy)
async def test_pongs_keep_the_connection_and_are_not_shown(
    strategy: WSAutoPingStrategy, plain: Setting
) -> None:
    listener = Recorder()
    options = auto_ping(SOON, ENOUGH, auto_ping_strategy=strategy)
    async with against_raw_peer(plain, listener, **options) as (transport, peer):
        await peer.send(F(TEXT, b"first"))
        for _ in range(3):
            assert (await peer.read_frame()).opcode == PING
            await peer.send(F(PONG))
        await peer.send(F(TEXT, b"last"))
        await listener.until("frame", 2)
        assert transport.is_open
    assert listener.seen == [(TEXT, b"first"), (TEXT, b"last")]


async def test_silent_peer_is_closed(setting: Setting, caplog: pytest.LogCaptureFixture) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener, **auto_ping(SOON, SOON)) as (transport, peer):
        assert (await peer.read_frame()).opcode == PING
        frame = await peer.read_frame()
        assert frame.opcode == CLOSE
        assert frame.close_code == WSCloseCode.INTERNAL_ERROR
        assert frame.payload[2:] == b"no pong within 0.02 seconds"
        assert await peer.read_to_end() == b""
        await listener.until("disconnected")
        handshake = transport.close_handshake
        assert handshake is not None
        assert handshake.sent is not None
        assert handshake.sent.code == WSCloseCode.INTERNAL_ERROR
        assert handshake.recv is None
    assert listener.events == ["connected", "disconnected"]
    assert [r.levelno for r in caplog.records if "no pong within" in r.message] == [logging.INFO]


async def test_peer_that_does_not_even_close_its_end(plain: Setting) -> None:
    """It neither answers nor reads; the connection goes all the same."""
    listener = Recorder()
    async with against_raw_peer(plain, listener, **auto_ping(SOON, SOON)) as (transport, _):
        await listener.until("disconnected")
        await transport.wait_disconnected()
        assert transport.is_disconnected


async def test_data_is_no_answer(plain: Setting) -> None:
    """A peer may talk and yet not hear us."""
    listener = Recorder()
    async with against_raw_peer(plain, listener, **auto_ping(SOON, ENOUGH)) as (_, peer):
        assert (await peer.read_frame()).opcode == PING
        await peer.send(F(TEXT, b"data"), F(PING, b"mine"))
        assert (await peer.read_frame()).opcode == PONG
        assert (await peer.read_frame()).close_code == WSCloseCode.INTERNAL_ERROR
    assert listener.seen == [(TEXT, b"data")]


async def test_any_pong_answers(plain: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(plain, listener, **auto_ping(SOON, ENOUGH)) as (_, peer):
        assert (await peer.read_frame()).opcode == PING
        await peer.send(F(PONG, b"something else"))
        await peer.send(F(PONG, b"not asked for"))
        await listener.until("frame")
    assert listener.seen == [(PONG, b"not asked for")]


async def test_pong_before_the_ping_is_shown(plain: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(plain, listener, **auto_ping(LATE)) as (_, peer):
        await peer.send(F(PONG, b"early"))
        await listener.until("frame")
    assert listener.seen == [(PONG, b"early")]


async def test_off_unless_asked_for(plain: Setting) -> None:
    """With options that would ping at once, if they were looked at."""
    listener = Recorder()
    options = auto_ping(enable_auto_ping=False)
    async with against_raw_peer(plain, listener, **options) as (_, peer):
        await asyncio.sleep(3 * SOON)
        await peer.send(F(PING, b"only this"))
        frame = await peer.read_frame()
        assert (frame.opcode, frame.payload) == (PONG, b"only this")


@pytest.mark.parametrize("enable_auto_pong", [True, False])
async def test_two_wscores_keep_each_other_alive(both: Setting, enable_auto_pong: bool) -> None:
    def answer(transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.PING:
            transport.send_pong(frame.get_payload_as_bytes())

    options = auto_ping(SOON, LATE, enable_auto_pong=enable_auto_pong)
    options["auto_ping_strategy"] = WSAutoPingStrategy.PING_PERIODICALLY
    listener = Recorder(answer)
    async with connected_pair(
        both, Recorder(answer), listener, client_options=options, server_options=options
    ) as pair:
        if not enable_auto_pong:
            await pair.at_server.until("frame", 1)
            await pair.at_client.until("frame", 1)
        else:
            assert len(await pair.client.measure_roundtrip_time(2)) == 2
        assert pair.client.is_open
        assert pair.server.is_open


async def test_stops_with_the_connection(plain: Setting) -> None:
    """Nothing is left that looks, pings or logs; the fixture for leaks watches the loop."""
    listener = Recorder()
    async with against_raw_peer(plain, listener, **auto_ping(SOON, SOON)) as (transport, peer):
        await peer.send(close(1000))
        await listener.until("frame")
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        await transport.wait_disconnected()
        await asyncio.sleep(4 * SOON)
    assert listener.events == ["connected", "frame", "disconnected"]


async def test_peer_that_does_not_answer_our_close(plain: Setting) -> None:
    """Auto ping bounds how long the closing handshake may take."""
    listener = Recorder()
    async with against_raw_peer(plain, listener, **auto_ping(SOON, SOON)) as (transport, peer):
        transport.send_close(WSCloseCode.OK)
        await listener.until("disconnected")
        assert transport.close_handshake is not None
        assert transport.close_handshake.recv is None
        assert (await peer.read_frame()).close_code == WSCloseCode.OK
        assert await peer.read_to_end() == b""  # no second CLOSE, no ping (RFC 6455, 5.5.1)


# User-specific pings


class OwnPing(Recorder):
    """Pings by a text, as some exchanges want it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[bytes] = []

    def send_user_specific_ping(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, "are you there?")

    def is_user_specific_pong(self, frame: WSFrame) -> bool:
        self.asked.append(frame.get_payload_as_bytes())
        return frame.msg_type == WSMsgType.TEXT and self.asked[-1] == b"I am"


async def test_user_specific_ping_and_pong(plain: Setting) -> None:
    listener = OwnPing()
    async with against_raw_peer(plain, listener, **auto_ping(SOON, ENOUGH)) as (transport, peer):
        frame = await peer.read_frame()
        assert (frame.opcode, frame.payload) == (TEXT, b"are you there?")
        await peer.send(F(PONG, b"a pong"), F(TEXT, b"a text"), F(TEXT, b"I am"))
        frame = await peer.read_frame()
        assert (frame.opcode, frame.payload) == (TEXT, b"are you there?")
        assert transport.is_open
    assert listener.asked[:3] == [b"a pong", b"a text", b"I am"]
    assert listener.seen == [(PONG, b"a pong"), (TEXT, b"a text")]


async def test_user_specific_pong_is_asked_for_only_while_waiting(plain: Setting) -> None:
    listener = OwnPing()
    async with against_raw_peer(plain, listener, **auto_ping(LATE)) as (_, peer):
        await peer.send(F(TEXT, b"I am"))
        await listener.until("frame")
    assert listener.asked == []
    assert listener.seen == [(TEXT, b"I am")]


async def test_user_specific_pong_not_sent(plain: Setting) -> None:
    listener = OwnPing()
    async with against_raw_peer(plain, listener, **auto_ping(SOON, ENOUGH)) as (_, peer):
        assert (await peer.read_frame()).opcode == TEXT
        await peer.send(F(PONG))
        assert (await peer.read_frame()).close_code == WSCloseCode.INTERNAL_ERROR
    assert listener.seen == [(PONG, b"")]


async def test_user_finds_the_pong_by_itself(plain: Setting) -> None:
    """The frames are shown then, because nobody took them for an answer."""

    class Own(Recorder):
        def is_user_specific_pong(self, frame: WSFrame) -> bool:
            return False

    def look(transport: WSTransport, frame: WSFrame) -> None:
        if frame.get_payload_as_bytes() == b"I am":
            transport.notify_user_specific_pong_received()

    listener = Own(look)
    async with against_raw_peer(plain, listener, **auto_ping(SOON, ENOUGH)) as (_, peer):
        for _ in range(3):
            assert (await peer.read_frame()).opcode == PING
            await peer.send(F(BINARY, b"I am"))
        assert (await peer.read_frame()).opcode == PING
        assert (await peer.read_frame()).close_code == WSCloseCode.INTERNAL_ERROR
    assert listener.seen == [(BINARY, b"I am")] * 3


async def test_notifying_without_auto_ping(plain: Setting) -> None:
    async with against_raw_peer(plain, Recorder()) as (transport, peer):
        transport.notify_user_specific_pong_received()
        await peer.send(F(PING))
        assert (await peer.read_frame()).opcode == PONG


async def test_ping_that_raises(plain: Setting, caplog: pytest.LogCaptureFixture) -> None:
    class Raising(Recorder):
        def send_user_specific_ping(self, transport: WSTransport) -> None:
            raise ValueError("on purpose")

    listener = Raising()
    async with against_raw_peer(plain, listener, **auto_ping()) as (_, peer):
        assert (await peer.read_frame()).close_code == WSCloseCode.INTERNAL_ERROR
        assert await peer.read_to_end() == b""
        await listener.until("disconnected")
    assert "exception in send_user_specific_ping" in caplog.text
    assert "on purpose" in caplog.text


@pytest.mark.parametrize("disconnect_on_exception", [True, False])
async def test_pong_that_raises(
    plain: Setting, disconnect_on_exception: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class Raising(Recorder):
        def is_user_specific_pong(self, frame: WSFrame) -> bool:
            raise ValueError("on purpose")

    listener = Raising()
    options = auto_ping(disconnect_on_exception=disconnect_on_exception)
    async with against_raw_peer(plain, listener, **options) as (_, peer):
        assert (await peer.read_frame()).opcode == PING
        await peer.send(F(TEXT, b"what is it?"), F(TEXT, b"unread"))
        assert (await peer.read_frame()).close_code == WSCloseCode.INTERNAL_ERROR
        await peer.read_to_end()
        await listener.until("disconnected")
    assert "is_user_specific_pong" in caplog.text
    assert "on purpose" in caplog.text
    assert listener.frames == []


@pytest.mark.parametrize("graceful", [True, False])
async def test_ping_that_disconnects(plain: Setting, graceful: bool) -> None:
    class Leaving(Recorder):
        def send_user_specific_ping(self, transport: WSTransport) -> None:
            transport.disconnect(graceful)

    listener = Leaving()
    async with against_raw_peer(plain, listener, **auto_ping(SOON, SOON)) as (_, peer):
        assert await peer.read_to_end() == b""
        await peer.close()
        await listener.until("disconnected")


async def test_connection_refused_by_its_listener_has_no_heartbeat(
    plain: Setting, caplog: pytest.LogCaptureFixture
) -> None:
    class Refusing(Recorder):
        def on_ws_connected(self, transport: WSTransport) -> None:
            super().on_ws_connected(transport)
            raise ValueError("on purpose")

        def send_user_specific_ping(self, transport: WSTransport) -> None:
            self._happened("ping")

    listener = Refusing()
    async with against_raw_peer(plain, listener, **auto_ping(SOON, SOON)) as (_, peer):
        assert (await peer.read_frame()).close_code == WSCloseCode.INTERNAL_ERROR
        await peer.read_to_end()
        await listener.until("disconnected")
    assert listener.events == ["connected", "disconnected"]


# Arguments


@pytest.mark.parametrize("wrong", [{"idle": 0}, {"reply": 0}, {"idle": -1}, {"reply": -0.5}])
async def test_wrong_timeouts(wrong: dict[str, float]) -> None:
    """They are told to whom they come from, before anything is opened."""
    with pytest.raises(ValueError, match="auto ping timeouts must be positive"):
        await ws_connect(WSListener, "ws://127.0.0.1:1/", **auto_ping(**wrong))
    with pytest.raises(ValueError, match="auto ping timeouts must be positive"):
        await ws_create_server(lambda _: WSListener(), "127.0.0.1", 0, **auto_ping(**wrong))


async def test_ping_leaves_alone(side: str) -> None:
    """A timer is no callback that would hold it back."""
    make = auto_ping_maker(True, WSAutoPingStrategy.PING_WHEN_IDLE, SOON, LATE)
    async with packet_peer(side, Recorder(), make_auto_ping=make) as (_, peer):
        async with asyncio.timeout(BOUND):
            assert await peer.frames() == [(PING, b"")]
