"""The table of a connection's life: its shape, and every pair of state and event, really tried.

How a state is seen from outside: what is sent in it either arrives, or the lowest log level says
that it did not, and in which state.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.wscore import wire
from tests.wscore.pairs import Setting, against_raw_peer, raw_client
from tests.wscore.raw_peer import BOUND, RawPeer
from tests.wscore.recorder import Recorder
from tests.wscore.slow_peers import not_reading
from wscore import WSCORE_DEBUG_LL, WSCloseCode, WSCloseInfo, WSMsgType, WSTransport
from wscore.connection.state import TRANSITIONS, Event, State

# The shape of the table


def test_every_state_is_there() -> None:
    assert list(TRANSITIONS) == list(State)


def test_life_goes_one_way() -> None:
    for state, row in TRANSITIONS.items():
        for event, following in row.items():
            assert following > state, (state, event)


def test_every_state_can_be_reached_and_ends() -> None:
    reached = {State.HANDSHAKING}
    for state in State:
        if state in reached:
            reached |= set(TRANSITIONS[state].values())
    assert reached == set(State)
    assert TRANSITIONS[State.LOST] == {}
    for state in State:
        if state != State.LOST:
            assert TRANSITIONS[state][Event.LOSE] == State.LOST


def test_each_side_closes_once() -> None:
    for first, second in (
        (Event.SEND_CLOSE, Event.RECEIVE_CLOSE),
        (Event.RECEIVE_CLOSE, Event.SEND_CLOSE),
    ):
        after_first = TRANSITIONS[State.OPEN][first]
        assert first not in TRANSITIONS[after_first]
        assert TRANSITIONS[after_first][second] == State.CLOSED


# Every pair, on a real connection


@dataclass
class Life:
    """A connection under test; `protocol` is what the transport below calls."""

    transport: WSTransport
    protocol: Any
    peer: RawPeer
    listener: Recorder
    caplog: pytest.LogCaptureFixture

    def state(self) -> State:
        """Return what can be seen of the state, by trying to send."""
        self.caplog.clear()
        self.transport.send(WSMsgType.PONG, b"")
        for record in self.caplog.records:
            if "not sent" in record.getMessage():
                return State[record.getMessage().rsplit(" ", 1)[1]]
        handshake = self.transport.close_handshake
        return State.CLOSE_RECEIVED if handshake and handshake.recv else State.OPEN

    async def reaches(self, state: State) -> None:
        """Wait until the state is there."""
        async with asyncio.timeout(BOUND):
            while self.state() != state:
                await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def living(
    side: str, caplog: pytest.LogCaptureFixture, **options: Any
) -> AsyncIterator[Life]:
    """Yield a connection whose frames may fail it: a text "fail" makes the listener raise."""
    caplog.set_level(WSCORE_DEBUG_LL, "wscore")

    def on_frame(transport: WSTransport, frame: object) -> None:
        if listener.frames[-1].payload == b"fail":
            raise RuntimeError("as the test wants it")

    listener = Recorder(on_frame)
    async with against_raw_peer(Setting(side, None), listener, **options) as (transport, peer):
        protocol = transport.underlying_transport.get_protocol()
        yield Life(transport, protocol, peer, listener, caplog)


async def go_to_open(life: Life) -> None:
    pass


async def go_to_close_sent(life: Life) -> None:
    life.transport.send_close(WSCloseCode.OK)


async def go_to_close_received(life: Life) -> None:
    await life.peer.send(wire.close(1000))


async def go_to_closed(life: Life) -> None:
    await go_to_close_sent(life)
    await go_to_close_received(life)


async def go_to_awaiting_close(life: Life) -> None:
    life.transport.send_close(WSCloseCode.OK)
    life.transport.disconnect()


async def go_to_disconnecting(life: Life) -> None:
    # What cannot be sent, because the peer does not read, keeps the connection in this state.
    life.peer.writer.transport.pause_reading()
    life.transport.send(WSMsgType.BINARY, bytes(64 << 20))
    life.transport.disconnect()


async def go_to_lost(life: Life) -> None:
    life.peer.reset()
    await life.listener.until("disconnected")


GO_TO: dict[State, Callable[[Life], Awaitable[None]]] = {
    State.OPEN: go_to_open,
    State.CLOSE_SENT: go_to_close_sent,
    State.CLOSE_RECEIVED: go_to_close_received,
    State.CLOSED: go_to_closed,
    State.AWAITING_CLOSE: go_to_awaiting_close,
    State.DISCONNECTING: go_to_disconnecting,
    State.LOST: go_to_lost,
}


async def cause_upgrade(life: Life) -> None:
    protocol = life.protocol
    with pytest.raises(RuntimeError, match="UPGRADE"):
        protocol.upgraded(life.listener, life.transport.request, life.transport.response, 0)


async def cause_send_close(life: Life) -> None:
    life.transport.send_close(WSCloseCode.GOING_AWAY)


async def cause_receive_close(life: Life) -> None:
    await life.peer.send(wire.close(1001))


async def cause_fail(life: Life) -> None:
    await life.peer.send(wire.F(wire.TEXT, b"fail"))


async def cause_disconnect(life: Life) -> None:
    life.transport.disconnect()


async def cause_lose(life: Life) -> None:
    life.peer.reset()
    await life.listener.until("disconnected")


CAUSE: dict[Event, Callable[[Life], Awaitable[None]]] = {
    Event.UPGRADE: cause_upgrade,
    Event.SEND_CLOSE: cause_send_close,
    Event.RECEIVE_CLOSE: cause_receive_close,
    Event.FAIL: cause_fail,
    Event.DISCONNECT: cause_disconnect,
    Event.LOSE: cause_lose,
}


#: With nothing left to send, and nothing that can still come, the connection is closed at once.
GONE_AT_ONCE = {
    (State.CLOSE_RECEIVED, Event.DISCONNECT),
    (State.CLOSED, Event.DISCONNECT),
    (State.AWAITING_CLOSE, Event.RECEIVE_CLOSE),
}


@pytest.mark.parametrize("event", Event, ids=lambda event: event.name)
@pytest.mark.parametrize("state", list(GO_TO), ids=lambda state: state.name)
async def test_pair(
    state: State, event: Event, side: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A legal event changes the state as the table says; an illegal one changes nothing."""
    async with living(side, caplog) as life:
        await GO_TO[state](life)
        await life.reaches(state)
        before = str(life.transport.close_handshake)
        frames = len(life.listener.frames)
        await CAUSE[event](life)
        following = TRANSITIONS[state].get(event, state)
        if state in (State.CLOSE_RECEIVED, State.CLOSED) and event == Event.FAIL:
            following = state  # after the peer's CLOSE no frame can do any harm
        if state == State.AWAITING_CLOSE and event == Event.FAIL:
            following = state  # the listener is not called any more
        if (state, event) in GONE_AT_ONCE:
            following = State.LOST
        await life.reaches(following)
        if following == state:
            # Give what was sent the time to be looked at.
            for _ in range(10):
                await asyncio.sleep(0)
            assert life.state() == state
            assert str(life.transport.close_handshake) == before
            assert len(life.listener.frames) == frames
    assert life.listener.events.count("connected") == 1
    assert life.listener.events.count("disconnected") == 1
    assert life.state() == State.LOST


HANDSHAKES: dict[Event, Callable[[RawPeer], Awaitable[None]]] = {
    Event.UPGRADE: lambda peer: peer.send(wire.request()),
    Event.FAIL: lambda peer: peer.send(wire.request(("Upgrade", None))),
    Event.LOSE: lambda peer: peer.close(),
}


@pytest.mark.parametrize("event", HANDSHAKES, ids=lambda event: event.name)
async def test_handshaking(event: Event) -> None:
    """What may happen before a connection is open."""
    listener = Recorder()
    async with raw_client(lambda _: listener) as peer:
        await HANDSHAKES[event](peer)
        if event == Event.UPGRADE:
            await listener.until("connected")
        else:
            await peer.read_to_end()
    if event == Event.UPGRADE:
        await listener.until("disconnected")
    assert listener.events == (["connected", "disconnected"] if event == Event.UPGRADE else [])


async def test_handshaking_ends_by_disconnecting() -> None:
    """The deadline of the handshake disconnects."""
    async with raw_client(lambda _: Recorder(), websocket_handshake_timeout=0.01) as peer:
        assert await peer.read_to_end() == b""


# The record


async def test_record_of_a_close_by_us(setting: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        assert transport.close_handshake is None
        assert not transport.is_close_frame_sent
        transport.send_close(WSCloseCode.GOING_AWAY, "so long")
        assert transport.is_close_frame_sent
        handshake = transport.close_handshake
        assert handshake is not None
        assert handshake.recv is None
        assert not handshake.recv_then_sent
        assert told(handshake.sent) == (WSCloseCode.GOING_AWAY, "so long")
        await peer.send(wire.close(1001, "so short"))
        await listener.until("frame")
        assert transport.close_handshake is handshake
        assert told(handshake.recv) == (1001, "so short")
        assert not handshake.recv_then_sent
    assert listener.events.count("disconnected") == 1


async def test_record_of_a_close_by_the_peer(setting: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        await peer.send(wire.close(4000))
        await listener.until("frame")
        handshake = transport.close_handshake
        assert handshake is not None
        assert told(handshake.recv) == (4000, None)
        assert handshake.sent is None
        assert handshake.recv_then_sent
        assert not transport.is_close_frame_sent
        transport.send_close(4001, b"\xe2\x82\xac")
        assert told(handshake.sent) == (4001, "€")
        assert handshake.recv_then_sent


async def test_record_of_empty_closes(plain: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(plain, listener) as (transport, peer):
        await peer.send(wire.F(wire.CLOSE))
        await listener.until("frame")
        transport.send_close()
        assert transport.close_handshake is not None
        for info in (transport.close_handshake.recv, transport.close_handshake.sent):
            assert told(info) == (WSCloseCode.NO_INFO, None)
        assert (await peer.read_frame()).payload == b""


async def test_no_record_of_a_connection_that_just_ends(setting: Setting) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        peer.reset()
        await listener.until("disconnected")
        assert transport.close_handshake is None


def test_record_can_be_read(caplog: pytest.LogCaptureFixture) -> None:
    assert repr(WSCloseInfo(WSCloseCode.OK, "bye")) == (
        "WSCloseInfo(code=<WSCloseCode.OK: 1000>, reason='bye')"
    )


async def test_record_cannot_be_changed(plain: Setting) -> None:
    async with against_raw_peer(plain, Recorder()) as (transport, _):
        transport.send_close(WSCloseCode.OK)
        assert transport.close_handshake is not None
        for record in (transport.close_handshake, transport.close_handshake.sent):
            for name in ("recv", "sent", "code", "reason"):
                with pytest.raises(AttributeError):
                    setattr(record, name, None)
        assert "sent=WSCloseInfo(code=" in repr(transport.close_handshake)


def told(info: WSCloseInfo | None) -> tuple[int, str | None]:
    assert info is not None
    return info.code, info.reason


async def test_sending_to_a_peer_that_is_gone_ends_at_once(setting: Setting) -> None:
    """A program that sends until the connection is gone must see it before the loop iterates."""
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        peer.reset()
        await asyncio.sleep(0)  # the socket is closed then
        for _ in range(1000):
            transport.send(WSMsgType.BINARY, bytes(1000))
            if transport.is_disconnected:
                break
        assert transport.is_disconnected
        assert not transport.is_open
        transport.send(WSMsgType.BINARY, b"nothing is sent")
        transport.send_close(1000)
        assert transport.close_handshake is None
        await listener.until("disconnected")


@pytest.mark.parametrize("how", ["send_close", "fail"])
async def test_a_close_that_cannot_be_sent(setting: Setting, how: str) -> None:
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        peer.reset()
        await asyncio.sleep(0)  # the socket is closed then
        getattr(transport, how)(1000)
        await listener.until("disconnected")


async def test_nothing_resumes_when_the_connection_is_gone(setting: Setting) -> None:
    """A program that sends whenever it may would do so for ever."""
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (transport, peer):
        with not_reading(peer):
            transport.send(WSMsgType.BINARY, bytes(20 << 20))
            assert transport.is_writing_paused
            peer.reset()
            await listener.until("disconnected")
        assert "resumed" not in listener.events
