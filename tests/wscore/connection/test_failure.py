"""How this side ends a connection that it gives up on: the CLOSE, the log, and who is told why."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.leaks import LoopErrors
from tests.wscore.pairs import Setting, against_raw_peer, raw_client, serving, until_gone
from tests.wscore.raw_peer import BOUND
from tests.wscore.recorder import Recorder
from tests.wscore.wire import BINARY, CLOSE, TEXT, F, close, request, status_of
from wscore import (
    WSFrame,
    WSListener,
    WSProtocolError,
    WSTransport,
    ws_connect,
)

FAULTS = [ValueError("the listener is at fault"), WSProtocolError(4321, "own")]
CALLBACKS = [
    "on_ws_connected",
    "on_ws_frame",
    "on_ws_disconnected",
    "pause_writing",
    "send_user_specific_ping",
    "is_user_specific_pong",
]
SOON = {"enable_auto_ping": True, "auto_ping_idle_timeout": 0.02}


def at_fault(where: str, exc: BaseException) -> Recorder:
    """Return a listener one of whose callbacks raises, the first time that it is called."""
    raised: list[bool] = []

    def fail(listener: Recorder, *arguments: Any) -> None:
        result = getattr(Recorder, where)(listener, *arguments)
        if not raised:
            raised.append(True)
            raise exc
        return result

    kind: type[Recorder] = type("AtFault", (Recorder,), {where: fail})
    return kind()


async def provoke(where: str, transport: WSTransport, peer: Any) -> None:
    """Have a callback called."""
    match where:
        case "on_ws_frame":
            await peer.send(F(TEXT, b"a"), F(TEXT, b"b"))
        case "is_user_specific_pong":
            await peer.read_frame()  # the ping; what comes now may be its answer
            await peer.send(F(TEXT, b"a"))
        case "pause_writing":
            transport.underlying_transport.set_write_buffer_limits(high=0)
            transport.send(BINARY, bytes(20_000_000))
        case "on_ws_disconnected":
            await peer.close()


async def outcome(transport: WSTransport) -> BaseException | None:
    """Return what waiting for the end raises."""
    async with asyncio.timeout(BOUND):
        try:
            await transport.wait_disconnected()
        except Exception as exc:
            return exc
    return None


@pytest.mark.parametrize("exc", FAULTS, ids=lambda exc: type(exc).__name__)
@pytest.mark.parametrize("where", CALLBACKS)
async def test_a_client_is_told_what_a_callback_raised(
    where: str, exc: Exception, security: Any
) -> None:
    options = SOON if "specific" in where else {}
    listener = at_fault(where, exc)
    async with against_raw_peer(Setting("client", security), listener, **options) as (
        transport,
        peer,
    ):
        await provoke(where, transport, peer)
        waiting = [asyncio.ensure_future(outcome(transport)) for _ in range(2)]
        if where == "pause_writing":
            await peer.close()
        assert [await waiter for waiter in waiting] == [exc, exc]
        assert await outcome(transport) is exc


@pytest.mark.parametrize("where", CALLBACKS)
async def test_a_server_logs_it_only(
    where: str, security: Any, caplog: pytest.LogCaptureFixture
) -> None:
    options = SOON if "specific" in where else {}
    listener = at_fault(where, FAULTS[0])
    async with against_raw_peer(Setting("server", security), listener, **options) as (
        transport,
        peer,
    ):
        await provoke(where, transport, peer)
        if where == "pause_writing":
            await peer.close()
        assert await outcome(transport) is None
    assert [r.levelname for r in caplog.records if r.exc_info and r.exc_info[1] is FAULTS[0]] == [
        "ERROR"
    ]


@pytest.mark.parametrize(
    ("frame", "code"),
    [(F(3), 1002), (F(TEXT, b"\xff"), 1007), (F(BINARY, bytes(200)), 1009), (close(1005), 1002)],
    ids=lambda value: repr(value)[:30],
)
async def test_a_violation(frame: F, code: int, setting: Setting) -> None:
    async with against_raw_peer(setting, Recorder(), max_frame_size=100) as (transport, peer):
        await peer.send(frame)
        assert (await peer.read_frame()).close_code == code
        await peer.close()
        exc = await outcome(transport)
        if setting.side == "server":
            assert exc is None
        else:
            assert isinstance(exc, WSProtocolError)
            assert (exc.code, exc.message) == (code, transport.close_handshake.sent.reason)


async def test_the_first_one_counts(caplog: pytest.LogCaptureFixture) -> None:
    class Listener(Recorder):
        def on_ws_disconnected(self, transport: WSTransport) -> None:
            raise RuntimeError("later")

    def on_frame(transport: WSTransport, frame: WSFrame) -> None:
        raise FAULTS[0]

    async with against_raw_peer(Setting("client", None), Listener(on_frame)) as (transport, peer):
        await peer.send(F(TEXT))
        await peer.close()
        assert await outcome(transport) is FAULTS[0]
    assert "later" in caplog.text


async def test_what_is_tolerated_is_not_raised(plain: Setting) -> None:
    def on_frame(transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != CLOSE:
            raise FAULTS[0]
        transport.disconnect()

    async with against_raw_peer(plain, Recorder(on_frame), disconnect_on_exception=False) as (
        transport,
        peer,
    ):
        await peer.send(F(TEXT), close(1000))
        assert await outcome(transport) is None


@pytest.mark.parametrize("how", ["close", "end", "reset", "silence"])
async def test_what_the_peer_does_is_not_raised(how: str, plain: Setting) -> None:
    def on_frame(transport: WSTransport, frame: WSFrame) -> None:
        transport.disconnect()

    options = {**SOON, "auto_ping_reply_timeout": 0.02} if how == "silence" else {}
    async with against_raw_peer(plain, Recorder(on_frame), **options) as (transport, peer):
        if how == "close":
            await peer.send(close(1011, "the peer is at fault"))
        elif how == "reset":
            peer.reset()
        elif how == "end":
            await peer.close()
        assert await outcome(transport) is None


# What is not an `Exception`


class EndOfAll(BaseException):
    """Like KeyboardInterrupt, which test runners treat in their own way."""


@pytest.mark.parametrize("where", [name for name in CALLBACKS if "disconnected" not in name])
async def test_a_cancelled_future_is_an_exception_like_any_other(
    where: str, plain: Setting
) -> None:
    """It is what asking for some task's result raises; nobody has cancelled the connection."""
    options = SOON if "specific" in where else {}
    listener = at_fault(where, asyncio.CancelledError())
    async with against_raw_peer(plain, listener, **options) as (transport, peer):
        await provoke(where, transport, peer)
        if where == "pause_writing":
            await peer.close()
        assert await outcome(transport) is None
        assert transport.close_handshake.sent.code == 1011
    assert len(listener.frames) == (where == "on_ws_frame")


async def test_a_cancelled_future_is_tolerated_if_exceptions_are(plain: Setting) -> None:
    listener = at_fault("on_ws_frame", asyncio.CancelledError())
    async with against_raw_peer(plain, listener, disconnect_on_exception=False) as (_, peer):
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"), F(TEXT, b"c"))
        await listener.until("frame", 3)


@pytest.mark.parametrize("disconnect_on_exception", [True, False])
@pytest.mark.parametrize("where", ["on_ws_connected", "on_ws_frame"])
async def test_what_ends_the_program_ends_the_connection_first(
    where: str, disconnect_on_exception: bool, setting: Setting, no_leaks: LoopErrors
) -> None:
    listener = at_fault(where, EndOfAll())
    async with against_raw_peer(
        setting, listener, disconnect_on_exception=disconnect_on_exception
    ) as (transport, peer):
        await provoke(where, transport, peer)
        assert (await peer.read_frame()).close_code == 1011
        await until_gone(transport)
    assert [type(error["exception"]) for error in no_leaks] == [EndOfAll]
    no_leaks.clear()


@pytest.mark.parametrize("kind", [asyncio.CancelledError, EndOfAll])
async def test_a_servers_factory(
    kind: type[BaseException], security: Any, no_leaks: LoopErrors
) -> None:
    def factory(_: object) -> WSListener:
        raise kind

    async with raw_client(factory, security) as peer:
        await peer.send(request())
        assert status_of(await peer.read_to_end()) == 500
    assert [type(error["exception"]) for error in no_leaks] == [EndOfAll] * (kind is EndOfAll)
    no_leaks.clear()


def _cancelled() -> WSListener:
    raise asyncio.CancelledError


def _ended() -> WSListener:
    raise EndOfAll


@pytest.mark.parametrize("factory", [_cancelled, _ended])
async def test_a_clients_factory(
    factory: Callable[[], WSListener], both: Setting, no_leaks: LoopErrors
) -> None:
    """It leaves nobody waiting for the connection."""
    async with serving(both, lambda _: Recorder()) as port, asyncio.timeout(BOUND):
        with pytest.raises(BaseException) as caught:
            await ws_connect(
                factory, both.url(port), **both.client_options, websocket_handshake_timeout=None
            )
    assert not isinstance(caught.value, TimeoutError)
    assert [type(error["exception"]) for error in no_leaks] == [EndOfAll] * (factory is _ended)
    no_leaks.clear()
