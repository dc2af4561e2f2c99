"""The base class of listeners: callbacks that do nothing, called with the same transport."""

from collections.abc import Callable

import pytest

from tests.wscore.packets import frames_in, packet_peer
from tests.wscore.pairs import Setting, against_raw_peer, connected_pair, serving
from tests.wscore.recorder import Recorder
from tests.wscore.wire import CLOSE, PING, PONG, TEXT, F
from wscore import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect


async def test_base_class_does_nothing(both: Setting) -> None:
    """Every callback may be left out."""
    at_server = Recorder()
    async with serving(both, lambda _: at_server) as port:
        transport, listener = await ws_connect(WSListener, both.url(port), **both.client_options)
        assert type(listener) is WSListener
        await at_server.until("connected")
        assert at_server.transport is not None
        at_server.transport.send(WSMsgType.TEXT, "ignored")
        at_server.transport.send_ping(b"answered all the same")
        await at_server.until("frame")
        assert at_server.seen == [(WSMsgType.PONG, b"answered all the same")]
        transport.disconnect()
        await transport.wait_disconnected()
        await at_server.until("disconnected")


async def test_each_callback_gets_the_transport_of_the_connection(both: Setting) -> None:
    seen: list[tuple[str, WSTransport]] = []

    class Listener(Recorder):
        def on_ws_connected(self, transport: WSTransport) -> None:
            seen.append(("connected", transport))
            super().on_ws_connected(transport)

        def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
            seen.append(("frame", transport))
            super().on_ws_frame(transport, frame)

        def on_ws_disconnected(self, transport: WSTransport) -> None:
            seen.append(("disconnected", transport))
            super().on_ws_disconnected(transport)

    async with connected_pair(both, at_client=Listener()) as pair:
        pair.server.send(WSMsgType.TEXT, "x")
        pair.server.send_close(WSCloseCode.OK)
        await pair.at_client.until("frame", 2)
    assert [name for name, _ in seen] == ["connected", "frame", "frame", "disconnected"]
    assert all(transport is pair.client for _, transport in seen)


async def test_listener_is_connected_before_ws_connect_returns(both: Setting) -> None:
    async with serving(both, lambda _: WSListener()) as port:
        transport, listener = await ws_connect(Recorder, both.url(port), **both.client_options)
        assert isinstance(listener, Recorder)
        assert listener.events == ["connected"]
        transport.disconnect()
        await transport.wait_disconnected()
        assert listener.events == ["connected", "disconnected"]


@pytest.mark.parametrize("name", ["pause_writing", "resume_writing"])
def test_flow_control_may_be_left_out(name: str) -> None:
    assert getattr(WSListener(), name)() is None


def test_listener_can_be_made_with_arguments() -> None:
    class Named(WSListener):
        def __init__(self, name: str) -> None:
            self.name = name

    assert Named("x").name == "x"


async def test_callback_that_is_replaced(setting: Setting) -> None:
    """An attribute of the instance counts, from the next read on."""
    seen: list[bytes] = []
    listener = Recorder()
    async with against_raw_peer(setting, listener) as (_, peer):
        await peer.send(F(TEXT, b"a"))
        await listener.until("frame")
        listener.on_ws_frame = (  # type: ignore[method-assign]
            lambda transport, frame: seen.append(frame.get_payload_as_bytes())
        )
        await peer.send(F(TEXT, b"b"))
        await peer.send(F(PING, b"c"))
        await peer.read_frame()
    assert listener.seen == [(TEXT, b"a")]
    assert seen == [b"b"]


async def test_the_words_for_a_fault_of_the_peer(setting: Setting) -> None:
    """A listener may say it otherwise; what fails there is logged, and wscore's words are sent."""
    asked: list[tuple[int, str, str | None]] = []

    class Listener(Recorder):
        def fault_reason(self, code: int, text: str, name: str | None) -> str:
            asked.append((code, text, name))
            return f"{name} again" if len(asked) == 1 else 1 / 0  # type: ignore[return-value]

    for reason in ("OPCODE again", "reserved opcode"):
        async with against_raw_peer(setting, Listener()) as (_, peer):
            await peer.send(F(3, b""))
            assert (await peer.read_frame()).payload[2:].decode() == reason
    assert asked == [(1002, "reserved opcode", "OPCODE")] * 2


class Unready(WSListener):
    """Has no handler the first time it is asked for one."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []
        self.asked = 0

    @property
    def on_ws_frame(self) -> Callable[[WSTransport, WSFrame], None]:
        self.asked += 1
        if self.asked == 1:
            raise LookupError("no handler yet")
        return lambda _, frame: self.seen.append(frame.get_payload_as_bytes())


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.parametrize("count", [1, 6])
async def test_handler_that_cannot_be_had(
    count: int, goes_on: bool, side: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is the failure of the frame that it was wanted for, however many come together."""
    listener = Unready()
    payloads = [b"%d" % number for number in range(count)]
    async with packet_peer(side, listener, disconnect_on_exception=not goes_on) as (_, peer):
        await peer.send(*(F(TEXT, payload) for payload in payloads))
        if goes_on:
            await peer.send(F(PING, b"last"))
            assert frames_in(await peer.read()) == [(PONG, b"last")]
            assert listener.seen == payloads[1:]
        else:
            [(opcode, payload)] = frames_in(await peer.read())
            assert (opcode, payload[:2]) == (CLOSE, (1011).to_bytes(2, "big"))
            assert listener.seen == []
    assert [record.levelname for record in caplog.records].count("ERROR") == 1
