"""Tests of `wscompat.legacy.protocol`: every case has the same record with websockets."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.wscompat.legacy.models import (
    MODEL,
    OURS,
    Legacy,
    Peer,
    Record,
    closing,
    describe,
    frame,
    run_case,
    same,
    serving,
)
from tests.wscompat.libraries import BOUND
from tests.wscompat.raw import ACCEPTED, raw_server

BOTH = pytest.mark.parametrize("library", [MODEL, OURS], ids=str)


# -- in


async def test_messages() -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        peer.send(frame(1, b"text"), frame(2, b"bytes"), frame(1, b"in ", fin=False))
        peer.send(frame(9, b"between"), frame(0, b"two"))
        for _ in range(3):
            await record.attempt(websocket.recv())
        await peer.frames(1)

    events = await same(case)
    assert [event[1] for event in events[:3]] == ["text", b"bytes", "in two"]


async def test_one_task_receives_at_a_time_and_cancelling_loses_nothing() -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        first = asyncio.ensure_future(websocket.recv())
        await asyncio.sleep(0)
        await record.attempt(websocket.recv())
        first.cancel()
        await record.attempt(first)
        peer.send(frame(1, b"a"))
        await record.attempt(websocket.recv())

    assert ("gave", "a") in await same(case)


async def test_timeouts_around_recv() -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        await record.attempt(asyncio.wait_for(websocket.recv(), 0.001))
        peer.send(frame(1, b"a"))
        await record.attempt(asyncio.wait_for(websocket.recv(), BOUND))

    await same(case)


@pytest.mark.parametrize(
    "sent",
    [
        closing(1000),
        closing(1000, b"bye"),
        closing(1001),
        closing(1011, b"oh"),
        closing(3000),
        closing(4999),
        frame(8),
    ],
)
async def test_the_peer_closes(sent: bytes) -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        waiter = await websocket.ping(b"unanswered")
        peer.send(frame(1, b"last"), sent)
        await record.attempt(websocket.recv())
        await record.attempt(websocket.recv())
        record.state(websocket)
        record.note(websocket.close_rcvd, websocket.close_sent, websocket.close_rcvd_then_sent)
        await record.attempt(websocket.recv())
        await record.attempt(websocket.send("x"))
        await record.attempt(websocket.ping())
        await record.attempt(websocket.pong())
        await record.attempt(waiter)
        await record.attempt(websocket.ensure_open())
        await record.attempt(websocket.close())
        record.note(describe(websocket.connection_closed_exc()))

    model, ours = await run_case(MODEL, case), await run_case(OURS, case)
    assert repr_of_values(ours) == repr_of_values(model)


def repr_of_values(events: list[Any]) -> str:
    """Return events without the types of either library."""
    return repr(events).replace("<CloseCode.NO_STATUS_RCVD: 1005>", "1005")


@pytest.mark.parametrize(
    "sent",
    [
        frame(8, b"\x03"),
        closing(1005),
        closing(999),
        closing(1000, b"\xff"),
        frame(1, b"\xff"),
        frame(1, b"a", fin=False) + frame(0, b"\xff"),
        frame(3),
        frame(11),
        frame(1, b"a", rsv=4),
        b"\x81\x01a",
        frame(0, b"a"),
        frame(1, b"a", fin=False) + frame(1, b"b"),
        frame(9, b"a", fin=False),
        frame(1, b"x" * 101),
        frame(1, b"x" * 60, fin=False) + frame(0, b"x" * 60),
        frame(1, b"a", fin=False) + frame(0, b"", fin=False) * 4100,
    ],
)
async def test_bad_input(sent: bytes) -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        peer.send(frame(1, b"good"), sent)
        await record.attempt(websocket.recv())
        await record.attempt(websocket.recv())
        record.state(websocket)

    events = await same(case, max_size=100)
    assert events[1][1].startswith("ConnectionClosedError: sent 10")


async def test_the_stream_ends_without_a_close() -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        peer.writer.write_eof()
        await record.attempt(websocket.recv())
        await record.attempt(websocket.send("x"))
        record.state(websocket)

    await same(case)


@pytest.mark.parametrize("code", [1000, 1001, 1011])
async def test_iterating(code: int) -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        peer.send(frame(1, b"a"), frame(2, b"b"), closing(code))
        async for message in websocket:
            record.note(message)

    await same(case)


@pytest.mark.parametrize("code", [1000, 3000])
async def test_iterating_over_an_incomplete_message(code: int) -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        peer.send(frame(1, b"a"), frame(1, b"b", fin=False), closing(code))
        async for message in websocket:
            record.note(message)

    await same(case)


@BOTH
async def test_an_overridden_recv_is_used_by_the_loop(library: Legacy) -> None:
    class Shouting(library.server.WebSocketServerProtocol):  # type: ignore[misc,name-defined]
        async def recv(self) -> str:
            return str(await super().recv()).upper()

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        peer.send(frame(1, b"a"), closing(1000))
        async for message in websocket:
            record.note(message)

    events = await run_case(library, case, create_protocol=Shouting)
    assert events[0] == ("A",)


@BOTH
async def test_recv_that_returns_none(library: Legacy) -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        peer.send(frame(1, b"a"), closing(1011))
        await record.attempt(websocket.recv())
        await record.attempt(websocket.recv())

    with pytest.warns(DeprecationWarning, match="legacy_recv is deprecated"):
        events = await run_case(library, case, legacy_recv=True)
    assert events[:2] == [("gave", "a"), ("gave", None)]


# -- out


async def test_sending() -> None:
    async def three() -> AsyncIterator[str]:
        for part in "xyz":
            yield part

    async def none() -> AsyncIterator[str]:
        for part in "":
            yield part

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        for message in (
            *("text", b"bytes", bytearray(b"array"), memoryview(b"view"), "", b""),
            *(["a", "b"], [b"a", bytearray(b"b"), memoryview(b"c")], iter(["one"]), []),
            *(three(), none()),
        ):
            await record.attempt(websocket.send(message))
        await peer.frames(18)

    await same(case)


@pytest.mark.parametrize(
    "message", [3, None, {"a": "b"}, object(), [3], [["x"]], ["a", b"b"], [b"a", "b"], ["a", 3]]
)
async def test_messages_of_other_types(message: Any) -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        await record.attempt(websocket.send(message))
        record.state(websocket)

    events = await same(case)
    assert events[0][1].startswith("TypeError: ")


async def test_a_message_that_cannot_be_completed_ends_the_connection() -> None:
    async def breaks() -> AsyncIterator[str]:
        yield "a"
        raise ValueError("on purpose")

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        await record.attempt(websocket.send(breaks()))
        await peer.rest()
        await record.attempt(websocket.recv())

    await same(case)


async def test_cancelling_a_fragmented_message_ends_the_connection() -> None:
    async def waits() -> AsyncIterator[str]:
        yield "a"
        await asyncio.Event().wait()

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        sending = asyncio.ensure_future(websocket.send(waits()))
        await peer.frames(1)
        sending.cancel()
        await record.attempt(sending)
        await peer.rest()

    await same(case)


async def test_messages_wait_for_a_fragmented_one() -> None:
    go_on = asyncio.Event()

    async def waits() -> AsyncIterator[str]:
        yield "a"
        await go_on.wait()
        yield "b"

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        go_on.clear()
        sending = [asyncio.ensure_future(websocket.send(waits())) for _ in range(2)]
        await peer.frames(1)
        sending.append(asyncio.ensure_future(websocket.send("whole")))
        go_on.set()
        await asyncio.gather(*sending)
        await peer.frames(6)

    await same(case)


async def test_pings() -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        record.note(websocket.latency)
        first = await websocket.ping()
        second = await websocket.ping("said twice")
        await record.attempt(websocket.ping(b"said twice"))
        await record.attempt(websocket.ping(b"x" * 126))
        await record.attempt(websocket.ping(3))
        await record.attempt(websocket.pong())
        await record.attempt(websocket.pong("h\xe9"))
        await record.attempt(websocket.pong(b"x" * 126))
        peer.send(frame(10, b"unsolicited"), frame(10, b"said twice"))
        latency = await asyncio.wait_for(second, BOUND)
        record.note(first.done(), latency == websocket.latency, type(latency))
        await peer.frames(4)
        assert len(peer.record.events.pop(0)[1]) == 4  # it is random

    await same(case)


@BOTH
async def test_send_waits_while_the_buffer_is_full(library: Legacy) -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        async def fill() -> None:
            while True:
                await websocket.send(b"x" * 100_000)

        filling = asyncio.ensure_future(fill())
        while websocket.transport.get_write_buffer_size() < 1000:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        record.note(filling.done())
        peer.writer.transport.abort()
        await record.attempt(filling)

    events = await run_case(library, case, write_limit=1000)
    assert events[0] == (False,)
    assert events[1] == ("raised", "ConnectionClosedError: no close frame received or sent")


async def test_fragments_whose_connection_closes() -> None:
    """The model raises its error for an impossible state."""

    async def fragments(peer: Peer) -> AsyncIterator[str]:
        yield "a"
        peer.send(b"\x88\x82\0\0\0\0\x03\xe8")
        await asyncio.wait_for(peer.rest(), 5)
        yield "b"

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        await record.attempt(websocket.send(fragments(peer)))

    assert "ConnectionClosedOK" in str(await run_case(OURS, case))


async def test_peer_that_closes_before_the_last_fragment_is_known_to_be_the_last() -> None:
    async def fragments(peer: Peer) -> AsyncIterator[str]:
        yield "a"
        peer.send(b"\x88\x82\0\0\0\0\x03\xe8")
        await asyncio.wait_for(peer.rest(), 5)

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        await record.attempt(websocket.send(fragments(peer)))

    assert "InvalidState" in str(await run_case(MODEL, case))  # for a state thought impossible
    assert "ConnectionClosedOK" in str(await run_case(OURS, case))


# -- the end


async def test_closing() -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        closing_task = asyncio.ensure_future(websocket.close(3000, "why"))
        await peer.frames(1)
        record.state(websocket)
        sending = asyncio.ensure_future(websocket.send("x"))
        peer.send(frame(1, b"late"), closing(4000, b"because"))
        await record.attempt(closing_task)
        await record.attempt(sending)
        await record.attempt(websocket.recv())
        await record.attempt(websocket.recv())
        record.state(websocket)

    assert ("gave", "late") in await same(case)


@pytest.mark.parametrize("arguments", [(1005,), (999,), (5000,), (1000, "x" * 124)])
async def test_what_cannot_stand_in_a_close(arguments: tuple[Any, ...]) -> None:
    """The model raises too, but is left in a state from which it cannot close."""

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        await record.attempt(websocket.close(*arguments))
        record.state(websocket)

    events = await run_case(OURS, case)
    assert events[0][1].startswith("ProtocolError: ")
    assert events[1] == ("state", 1, True, False, None, None)


async def test_cancelling_close_does_not_stop_the_closing() -> None:
    """The model's `close` swallows the cancellation, and returns when the connection is gone."""

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        closing_task = asyncio.ensure_future(websocket.close())
        await peer.frames(1)
        closing_task.cancel()
        await record.attempt(closing_task)
        peer.send(closing(1000))
        await record.attempt(websocket.wait_closed())
        record.state(websocket)

    events = await run_case(OURS, case)
    assert events[:3] == [("cancelled",), ("gave", None), ("state", 3, False, True, 1000, "")]


async def test_closing_in_the_middle_of_a_message() -> None:
    """The message is not completed."""

    class Fragments:
        def __init__(self) -> None:
            self.go_on = asyncio.Event()
            self.given = 0

        def __aiter__(self) -> "Fragments":
            return self

        async def __anext__(self) -> str:
            if self.given == 1:
                await self.go_on.wait()
            self.given += 1
            return "fragment"

    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        fragments = Fragments()
        sending = asyncio.ensure_future(websocket.send(fragments))
        await peer.frames(1)
        closing_task = asyncio.ensure_future(websocket.close())
        await peer.frames(1)
        peer.send(closing(1000))
        await record.attempt(closing_task)
        fragments.go_on.set()
        with pytest.raises(Exception, match=r"."):
            await sending

    await same(case)


async def test_failing() -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        receiving = asyncio.ensure_future(websocket.recv())
        await asyncio.sleep(0)
        websocket.fail_connection(1012, "restart")
        await peer.rest()
        await record.attempt(receiving)

    await same(case)


async def test_waiting_for_the_end() -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        waiting = asyncio.ensure_future(websocket.wait_closed())
        await asyncio.sleep(0)
        record.note(waiting.done())
        peer.send(closing(1000))
        await record.attempt(waiting)
        await record.attempt(websocket.wait_closed())
        record.state(websocket)

    await same(case)


async def test_waiting_for_the_end_in_another_thread() -> None:
    async with (
        serving(OURS, lambda websocket: websocket.wait_closed()) as port,
        OURS.client.connect(f"ws://127.0.0.1:{port}", compression=None) as websocket,
    ):
        with pytest.raises(RuntimeError, match="used only in the thread that runs its event loop"):
            await asyncio.to_thread(asyncio.run, websocket.wait_closed())
        # And nothing is broken by it.
        await websocket.close()
        assert await asyncio.to_thread(asyncio.run, websocket.wait_closed()) is None


@BOTH
async def test_a_silent_peer_is_given_up(library: Legacy) -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        await websocket.close()
        await record.attempt(websocket.recv())

    events = await run_case(library, case, close_timeout=0.01)
    assert events[0] == (
        "raised",
        "ConnectionClosedError: sent 1000 (OK); no close frame received",
    )


@BOTH
async def test_a_peer_that_does_not_answer_pings_is_given_up(library: Legacy) -> None:
    async def case(websocket: Any, peer: Peer, record: Record) -> None:
        await peer.frames(2)
        await record.attempt(websocket.recv())

    events = await run_case(
        library, case, ping_interval=0.01, ping_timeout=0.01, close_timeout=0.01
    )
    assert events[0][1].startswith("ConnectionClosedError: sent 1011 (internal error) keepalive")
    assert [name for name, *_ in events[2:4]] == ["frame 89", "frame 88"]
    assert events[3][1] == b"\x03\xf3keepalive ping timeout"


@pytest.mark.parametrize(
    "sent",
    [
        b"\x81\x01a\x88\x02\x03\xe8",
        b"\x01\x01a\x89\x00\x80\x01b\x88\x05\x03\xf3bye",
        b"\x81\x81\0\0\0\0a",
        b"\x81\x01\xff",
        b"\x83\x00",
        b"\x88\x02\x03\xed",
        b"\x82\x7e\x00\xff" + b"x" * 255,
        b"\x00\x00",
    ],
)
async def test_what_a_client_receives(sent: bytes) -> None:
    async def attempt(library: Legacy) -> Any:
        record = Record()
        async with raw_server(ACCEPTED + b"\r\n" + sent, stays=True) as server:
            websocket = await library.client.connect(
                server.uri, compression=None, max_size=100, close_timeout=0.01
            )
            await record.attempt(websocket.recv())
            await record.attempt(websocket.recv())
            record.state(websocket)
            await record.attempt(websocket.close())
        return record.events, [frame[0] for frame in (server.received[:1], b"\0") if frame]

    assert await attempt(OURS) == await attempt(MODEL)


async def test_client_and_server_close_in_either_order() -> None:
    async def handler(websocket: Any) -> None:
        async for message in websocket:
            await websocket.send(message)

    for server in (MODEL, OURS):
        for client in (MODEL, OURS):
            async with serving(server, handler) as port:
                websocket = await client.client.connect(f"ws://127.0.0.1:{port}", compression=None)
                await websocket.send("x")
                assert await websocket.recv() == "x"
                await websocket.close(1001, "enough")
                assert (websocket.close_code, websocket.close_reason) == (1001, "enough")
                again = await client.client.connect(f"ws://127.0.0.1:{port}", compression=None)
            with pytest.raises(client.errors.ConnectionClosedOK, match="received 1001"):
                await again.recv()


# -- what it says about itself


@BOTH
async def test_before_the_connection(library: Legacy) -> None:
    protocol = library.protocol.WebSocketCommonProtocol()
    assert protocol.close_timeout == 10
    assert (int(protocol.state), protocol.open, protocol.closed) == (0, False, False)
    assert (protocol.close_code, protocol.close_reason) == (None, None)
    assert (protocol.local_address, protocol.remote_address) == (None, None)
    assert protocol.latency == 0
    assert protocol.subprotocol is None
    for action in (protocol.send("x"), protocol.ping(), protocol.pong()):
        with pytest.raises(library.errors.InvalidState):
            await action


@BOTH
@pytest.mark.parametrize(
    ("options", "text", "close_timeout"),
    [
        ({"timeout": 3}, "rename timeout to close_timeout", 3),
        ({"timeout": 3, "close_timeout": 4}, "rename timeout to close_timeout", 4),
        ({"legacy_recv": True}, "legacy_recv is deprecated", 10),
    ],
)
async def test_former_arguments(
    library: Legacy, options: dict[str, Any], text: str, close_timeout: int
) -> None:
    with pytest.warns(DeprecationWarning, match=text):
        protocol = library.protocol.WebSocketCommonProtocol(**options)
    assert protocol.close_timeout == close_timeout


@BOTH
async def test_the_loop_is_no_argument_any_more(library: Legacy) -> None:
    with pytest.warns(DeprecationWarning, match="remove loop argument"):
        library.protocol.WebSocketCommonProtocol(loop=asyncio.get_running_loop())


@BOTH
async def test_host_port_and_secure(library: Legacy) -> None:
    class Protocol(library.protocol.WebSocketCommonProtocol):  # type: ignore[misc,name-defined]
        is_client = True

    protocol = Protocol(host="h", port=1, secure=True)
    with pytest.warns(DeprecationWarning, match=r"use remote_address\[0\] instead of host"):
        assert protocol.host == "h"
    with pytest.warns(DeprecationWarning, match=r"use remote_address\[1\] instead of port"):
        assert protocol.port == 1
    with pytest.warns(DeprecationWarning, match="don't use secure"):
        assert protocol.secure is True


def test_every_public_name_is_there() -> None:
    """Except the steps of the model's own machinery."""
    machinery = {
        *("abort_pings", "close_connection", "close_transport", "drain", "keepalive_ping"),
        *("read_data_frame", "read_frame", "read_message", "transfer_data"),
        *("wait_for_connection_lost", "write_close_frame", "write_frame", "write_frame_sync"),
    }
    for module, name in (
        ("protocol", "WebSocketCommonProtocol"),
        ("client", "WebSocketClientProtocol"),
        ("client", "connect"),
        ("server", "WebSocketServerProtocol"),
        ("server", "WebSocketServer"),
        ("server", "serve"),
        ("auth", "BasicAuthWebSocketServerProtocol"),
    ):
        model = getattr(getattr(MODEL, module), name)
        ours = getattr(getattr(OURS, module), name)
        public = {attribute for attribute in dir(model) if not attribute.startswith("_")}
        assert public - set(dir(ours)) - machinery == set(), name
