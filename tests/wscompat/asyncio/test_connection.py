"""Conversations that must look the same with websockets and with wscompat on either side."""

import asyncio
import contextlib
import importlib
import re
from collections.abc import AsyncIterator
from typing import Any
from unittest.mock import AsyncMock, patch

import pytest

from tests.support.garbage import no_cycles_of
from tests.support.tls import Tls
from tests.wscompat.libraries import (
    BOUND,
    MODEL,
    NO_SUPER_INIT,
    PAIRS,
    WEBSOCKETS,
    WSCOMPAT,
    Library,
    Options,
    Pair,
    Record,
    Script,
    converse,
    describe,
    port_of,
    serving,
    uri_of,
    without_super_init,
)
from tests.wscompat.raw import ACCEPTED, raw_server
from tests.wscore.raw_peer import RawPeer, connecting, sending_on
from tests.wscore.wire import BINARY, F, close, request
from wscompat.asyncio.connection import Connection
from wscompat.exceptions import InvalidStatus, PayloadTooBig

CONTROL = "é" * 62 + "x"  # 125 bytes


async def echo(connection: Any, record: Record) -> None:
    """Send back what comes, and note how it ended."""
    with contextlib.suppress(Exception):
        async for message in connection:
            await connection.send(message)
    await record.end(connection)


async def wait(connection: Any, record: Record) -> None:
    """Receive until it ends, and note how."""
    await record.attempt(connection.recv())
    await record.end(connection)


async def items(*fragments: Any) -> AsyncIterator[Any]:
    for fragment in fragments:
        yield fragment


# -- what is exchanged


async def exchange_messages(connection: Any, record: Record) -> None:
    big = "Žluťoučký kůň " * 5000
    for message in ("", "é", b"", b"\x00\xff", bytearray(b"array"), memoryview(b"view"), big):
        await connection.send(message)
        record.note(await connection.recv())
    for size in (125, 126, 65535, 65536):
        await connection.send(b"\xfe" * size)
        record.note(len(await connection.recv()))


async def exchange_fragments(connection: Any, record: Record) -> None:
    for message in (["a", "", "é"], [b"a"], (b"a", bytearray(b"b")), iter([""]), items("a", "b")):
        await connection.send(message)
        record.note(await connection.recv())
    await connection.send([])
    await connection.send(items())
    await connection.send(["a"], text=False)
    record.note(await connection.recv())


async def choose_types(connection: Any, record: Record) -> None:
    await connection.send("é", text=False)
    record.note(await connection.recv())
    await connection.send("é".encode(), text=True)
    record.note(await connection.recv())
    await connection.send("é")
    record.note(await connection.recv(decode=False))
    await connection.send("é".encode())
    record.note(await connection.recv(decode=True))
    await connection.send("é")
    record.note(await connection.recv(decode=True))
    await connection.send(b"\xff")
    await record.attempt(connection.recv(decode=True))
    await record.end(connection)


async def send_wrong_types(connection: Any, record: Record) -> None:
    for message in ({"a": 1}, 3, None):
        await record.attempt(connection.send(message))
    record.note(connection.state.name)
    await record.attempt(connection.ping(3))
    await record.attempt(connection.pong(3))


async def send_wrong_fragment(connection: Any, record: Record) -> None:
    await record.attempt(connection.send([3]))
    await record.attempt(connection.send("a"))
    await record.end(connection)


async def send_mixed_fragments(connection: Any, record: Record) -> None:
    await record.attempt(connection.send(["a", b"b"]))
    await record.attempt(connection.recv())


async def send_failing_fragments(connection: Any, record: Record) -> None:
    async def failing() -> AsyncIterator[str]:
        yield "a"
        raise ValueError("no more")

    await record.attempt(connection.send(failing()))
    await record.attempt(connection.send("a"))


async def send_fragments_of_a_closed_connection(connection: Any, record: Record) -> None:
    """Raise an exception from elsewhere, which must not leave the message open."""
    other = WEBSOCKETS.exceptions.ConnectionClosedOK(None, None)

    async def relay() -> AsyncIterator[str]:
        yield "a"
        raise WSCOMPAT.exceptions.ConnectionClosedOK(None, None) from other

    await record.attempt(connection.send(relay()))
    await record.end(connection)


async def close_between_fragments(connection: Any, record: Record) -> None:
    async def slow() -> AsyncIterator[str]:
        yield "a"
        await connection.close()
        yield "b"

    await record.attempt(connection.send(slow()))
    await record.end(connection)


async def send_between_fragments(connection: Any, record: Record) -> None:
    others = []

    async def slow() -> AsyncIterator[str]:
        yield "a"
        others.append(asyncio.ensure_future(connection.send("later")))
        others.append(asyncio.ensure_future(connection.send(["later", "still"])))
        await (await connection.ping())
        yield "b"

    await record.attempt(connection.send(slow()))
    await asyncio.wait(others)
    for _ in range(3):
        record.note(await connection.recv())


async def receive_by_fragments(connection: Any, record: Record) -> None:
    for message in ("whole", b"whole", ["é", "", "b"], [b"a", b"b"]):
        await connection.send(message)
        record.note([fragment async for fragment in connection.recv_streaming()])
    await connection.send(["é".encode(), b"\xc3", b"\xa9"])
    record.note([fragment async for fragment in connection.recv_streaming(decode=True)])
    await connection.send(["é", "b"])
    record.note([fragment async for fragment in connection.recv_streaming(decode=False)])


async def leave_fragments_unread(connection: Any, record: Record) -> None:
    await connection.send(["a", "b"])
    stream = connection.recv_streaming()
    record.note(await anext(stream))
    await stream.aclose()
    await record.attempt(connection.recv())


async def receive_twice_at_once(connection: Any, record: Record) -> None:
    first = asyncio.ensure_future(connection.recv())
    await asyncio.sleep(0)
    await record.attempt(connection.recv())
    await record.attempt(anext(connection.recv_streaming()))
    await connection.send("a")
    record.note(await first)


async def close_before_the_answer(connection: Any, record: Record) -> None:
    await connection.send("a")
    await connection.send("b")
    await connection.close()
    for _ in range(3):
        await record.attempt(connection.recv())


async def echo_fragments(connection: Any, record: Record) -> None:
    """Send back each message in the fragments it came in."""
    with contextlib.suppress(Exception):
        while True:
            await connection.send([f async for f in connection.recv_streaming()])


async def iterate_to_the_end(connection: Any, record: Record) -> None:
    await connection.send("a")
    async for message in connection:
        record.note(message)
        await connection.close()
    record.note("left the loop")


# -- pings


async def ping(connection: Any, record: Record) -> None:
    record.note(connection.latency == 0)
    for data in (None, "é", b"bytes", bytearray(b"array"), CONTROL):
        latency = await (await connection.ping(data))
        record.note(0 <= latency < BOUND, latency == connection.latency)
    await connection.pong()
    await connection.pong("é")
    await record.attempt(connection.ping(CONTROL + "x"))
    await record.attempt(connection.pong(CONTROL + "x"))
    record.note(connection.state.name)


async def ping_twice_the_same(connection: Any, record: Record) -> None:
    first = await connection.ping(b"same")
    await record.attempt(connection.ping(b"same"))
    await first
    record.note(await (await connection.ping(b"same")) >= 0)


async def ping_and_close(connection: Any, record: Record) -> None:
    await connection.close()
    await record.attempt(connection.ping())
    await record.attempt(connection.pong())


# -- the end


async def close_plainly(connection: Any, record: Record) -> None:
    await record.attempt(connection.close())
    await record.attempt(connection.close(4000, "too late"))
    await record.end(connection)
    await record.attempt(connection.recv())
    await record.attempt(connection.send("a"))


async def close_with_code(connection: Any, record: Record) -> None:
    await record.attempt(connection.close(4321, "víc"))
    await record.end(connection)
    await record.attempt(connection.recv())
    await record.attempt(connection.send("a"))


async def close_wrongly(connection: Any, record: Record) -> None:
    for code, reason in ((999, ""), (1005, ""), (1006, "a"), (5000, ""), (1000, "x" * 124)):
        await record.attempt(connection.close(code, reason))
        record.note(connection.state.name, connection.close_code, connection.close_reason)


async def close_going_away(connection: Any, record: Record) -> None:
    await connection.close(1001)
    await record.attempt(connection.recv())


async def close_while_receiving(connection: Any, record: Record) -> None:
    receiving = asyncio.ensure_future(record.attempt(connection.recv()))
    await asyncio.sleep(0)
    await connection.close()
    await receiving


async def close_with_messages_unread(connection: Any, record: Record) -> None:
    for number in range(3):
        await connection.send(str(number))
    await (await connection.ping())  # the answers are here now
    await connection.close()
    for _ in range(4):
        await record.attempt(connection.recv())


async def leave_context_with_exception(connection: Any, record: Record) -> None:
    try:
        async with connection:
            raise ValueError
    except ValueError:
        await record.end(connection)


async def receive_twice(connection: Any, record: Record) -> None:
    first = asyncio.ensure_future(connection.recv())
    await asyncio.sleep(0)
    await record.attempt(connection.recv())
    first.cancel()
    await asyncio.wait([first])
    await connection.send("a")
    await record.attempt(connection.recv())


async def give_up_receiving(connection: Any, record: Record) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(connection.recv(), 0.01)
    await connection.send("a")
    await record.attempt(connection.recv())


async def vanish(connection: Any, record: Record) -> None:
    connection.transport.abort()
    await record.attempt(connection.recv())
    await record.attempt(connection.send("a"))
    await record.end(connection)


# -- what the server does


async def serve_and_close(connection: Any, record: Record) -> None:
    await connection.send("bye")
    await connection.close(3456, "konec")
    await record.end(connection)


async def serve_and_return(connection: Any, record: Record) -> None:
    await connection.send("bye")


async def serve_and_fail(connection: Any, record: Record) -> None:
    raise RuntimeError("the handler's own error")


async def receive_to_the_end(connection: Any, record: Record) -> None:
    while connection.state.name == "OPEN":
        await record.attempt(connection.recv())
    await record.attempt(connection.recv())
    await record.end(connection)


async def fail_in_loop(connection: Any, record: Record) -> None:
    async def loop() -> None:
        async for message in connection:
            record.note(message)

    await record.attempt(loop())


CONVERSATIONS = [
    (exchange_messages, echo),
    (exchange_fragments, echo),
    (choose_types, echo),
    (send_wrong_types, echo),
    (send_wrong_fragment, wait),
    (send_mixed_fragments, wait),
    (send_failing_fragments, wait),
    (send_fragments_of_a_closed_connection, wait),
    (close_between_fragments, wait),
    (send_between_fragments, echo),
    (receive_by_fragments, echo_fragments),
    (leave_fragments_unread, echo_fragments),
    (receive_twice_at_once, echo),
    (close_before_the_answer, echo),
    (iterate_to_the_end, echo),
    (ping, wait),
    (ping_twice_the_same, wait),
    (ping_and_close, wait),
    (wait, ping),
    (close_plainly, wait),
    (close_plainly, echo),
    (close_with_code, wait),
    (close_wrongly, wait),
    (close_going_away, wait),
    (close_while_receiving, wait),
    (close_with_messages_unread, echo),
    (leave_context_with_exception, wait),
    (receive_twice, echo),
    (give_up_receiving, echo),
    (vanish, wait),
    (wait, vanish),
    (receive_to_the_end, serve_and_close),
    (receive_to_the_end, serve_and_return),
    (receive_to_the_end, serve_and_fail),
    (fail_in_loop, serve_and_close),
    (fail_in_loop, serve_and_return),
]


@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize(("client", "server"), CONVERSATIONS, ids=lambda script: script.__name__)
async def test_same_as_the_model(pair: Pair, client: Script, server: Script) -> None:
    assert await converse(pair, client, server) == await converse(MODEL, client, server)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize(("client", "server"), CONVERSATIONS, ids=lambda script: script.__name__)
async def test_same_as_the_model_compressed(pair: Pair, client: Script, server: Script) -> None:
    options = Options(compression="deflate")
    assert await converse(pair, client, server, options) == await converse(
        MODEL, client, server, options
    )


@pytest.mark.parametrize("pair", PAIRS, ids=str)
@pytest.mark.parametrize(
    ("client", "server"),
    [(exchange_messages, echo), (ping, wait), (close_with_code, wait), (vanish, wait)],
    ids=lambda script: script.__name__,
)
async def test_same_as_the_model_over_tls(
    pair: Pair, client: Script, server: Script, tls: Tls
) -> None:
    options = Options(client_tls=tls.client, server_tls=tls.server)
    assert await converse(pair, client, server, options) == await converse(
        MODEL, client, server, options
    )


# -- flow control


async def test_closing_with_a_full_queue() -> None:
    async def flood(connection: Any) -> None:
        with contextlib.suppress(WSCOMPAT.exceptions.ConnectionClosed):
            while True:
                await connection.send(b"x" * 10_000)

    async with serving(WSCOMPAT, flood) as server:
        connection = await WSCOMPAT.connect(uri_of(server), max_queue=4)
        assert len(await connection.recv()) == 10_000
        async with asyncio.timeout(BOUND / 2):
            await connection.close()
        assert connection.close_code == 1000


NUMBERS = [b"%04d" % number for number in range(400)]


async def receive_all(connection: Any, got: list[Any], pause: float = 0) -> None:
    """Receive to the end, with pauses."""
    async for message in connection:
        got.append(message[:4])
        await asyncio.sleep(pause)


@pytest.mark.parametrize("library", [WEBSOCKETS, WSCOMPAT], ids=str)
@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("limits", [{}, {"max_queue": 1}, {"max_queue": (8, 8)}], ids=str)
async def test_closing_while_another_task_receives(
    library: Library, fragments: int, limits: dict[str, Any]
) -> None:
    """It receives all that the peer sends before it answers."""
    got: list[Any] = []

    async def send_all(connection: Any) -> None:
        for number in NUMBERS:
            message = number + bytes(1000)
            await connection.send(message if fragments == 1 else [message] * (fragments - 1))

    async with serving(WEBSOCKETS, send_all) as server:
        connection = await library.connect(uri_of(server), compression=None, proxy=None, **limits)
        task = asyncio.ensure_future(receive_all(connection, got, 0.0001))
        while not got:
            await asyncio.sleep(0.001)
        async with asyncio.timeout(BOUND):
            await connection.close()
            await task
    assert got == NUMBERS[: len(got)]
    assert len(got) > 16


@pytest.mark.parametrize("pair", [MODEL, *PAIRS], ids=str)
async def test_server_closing_while_handlers_receive(pair: Pair) -> None:
    got: list[Any] = []
    begin = asyncio.Event()

    async def handler(connection: Any) -> None:
        await begin.wait()
        await receive_all(connection, got)

    async with serving(pair.server, handler) as server:
        connection = await pair.client.connect(uri_of(server), compression=None, proxy=None)
        for number in NUMBERS:
            await connection.send(number + bytes(100))
        server.close()
        await asyncio.sleep(0.01)
        begin.set()
        async with asyncio.timeout(BOUND):
            await server.wait_closed()
            await connection.close()
    assert got == NUMBERS


@pytest.mark.parametrize("who", ["receiver", "other"])
async def test_sending_on_while_the_connection_closes(who: str) -> None:
    """The task that receives waits for the end instead: nothing more need be kept for it."""

    async def flood(connection: Any) -> None:
        with contextlib.suppress(WEBSOCKETS.exceptions.ConnectionClosed):
            while True:
                await connection.send(b"x" * 10_000)

    async with serving(WEBSOCKETS, flood) as server:
        connection = await WSCOMPAT.connect(uri_of(server), max_queue=4, close_timeout=1000)
        await connection.recv()
        closing = asyncio.ensure_future(connection.close())
        await asyncio.sleep(0)
        async with asyncio.timeout(BOUND):
            sending = connection.send("a")
            with pytest.raises(WSCOMPAT.exceptions.ConnectionClosedOK):
                await (asyncio.create_task(sending) if who == "other" else sending)
            await closing


async def break_off_after(connection: Any, record: Record) -> None:
    await record.attempt(connection.recv())
    try:
        async for message in connection:
            record.note(message)
    except Exception as exc:
        record.note(describe(exc), str(exc.__cause__))
    await record.attempt(connection.recv())
    await record.end(connection)


@pytest.mark.parametrize("close", [b"\x88\x02\x03\xe8", b"\x88\x00", b"\x88\x02\x0b\xb8"])
@pytest.mark.parametrize("part", [b"\x01\x01a", b"\x01\x01a\x00\x01b"])
@pytest.mark.parametrize("library", [WEBSOCKETS, WSCOMPAT], ids=str)
async def test_close_within_a_message(library: Library, part: bytes, close: bytes) -> None:
    record = Record()
    answer = ACCEPTED + b"\r\n" + b"\x81\x01x" + part + close
    async with raw_server(answer, stays=None) as raw:
        connection = await library.connect(raw.uri, compression=None, proxy=None)
        await break_off_after(connection, record)
    code = {2: 1000 if close.endswith(b"\xe8") else 3000, 0: 1005}[close[1]]
    (closed, cause), again, end = record.events[1:]
    assert closed.startswith("ConnectionClosedError: received " + str(code))
    assert closed.endswith("then sent 1002 (protocol error) incomplete fragmented message")
    assert cause == "incomplete fragmented message"
    assert again[1].startswith("ConnectionClosedError")
    assert end[1] == code
    assert len(raw.received) == 2 + 4 + 2 + len(cause)


@pytest.mark.parametrize("library", [WEBSOCKETS, WSCOMPAT], ids=str)
async def test_an_overridden_recv_is_used_by_the_loop(library: Library) -> None:
    async def greet(connection: Any) -> None:
        await connection.send("a")

    def make_class() -> Any:
        base = importlib.import_module(f"{library}.asyncio.client").ClientConnection

        class Shouting(base):  # type: ignore[misc]
            async def recv(self, decode: bool | None = None) -> str:
                return str(await super().recv()).upper()

        return Shouting

    async with serving(WEBSOCKETS, greet) as server:
        connection = await library.connect(
            uri_of(server), proxy=None, create_connection=make_class()
        )
        assert [message async for message in connection] == ["A"]
        ok = library.exceptions.ConnectionClosedOK(None, None)
        with patch.object(connection, "recv", AsyncMock(side_effect=["b", ok])):
            assert [message async for message in connection] == ["b"]


def test_doubles_of_connections() -> None:
    double = AsyncMock(spec=Connection)
    for name in ("recv", "send", "close", "ping", "pong", "wait_closed"):
        assert isinstance(getattr(double, name), AsyncMock), name


async def test_sending_to_one_that_does_not_read_until_it_vanishes() -> None:
    async with serving(WSCOMPAT, hold) as server:
        connection = await WSCOMPAT.connect(uri_of(server))
        sending = asyncio.ensure_future(send_without_end(connection))
        done, _ = await asyncio.wait([sending], timeout=0.2)
        assert not done
        (other,) = server.connections
        other.transport.abort()
        await other.wait_closed()
        async with asyncio.timeout(BOUND):
            with pytest.raises(WSCOMPAT.exceptions.ConnectionClosedError):
                await sending


async def hold(connection: Any) -> None:
    """Read nothing."""
    connection.transport.pause_reading()
    await connection.wait_closed()


async def send_without_end(connection: Any) -> None:
    while True:
        await connection.send(b"x" * 100_000)


@pytest.mark.parametrize(
    ("write_limit", "low", "high"), [(1000, 250, 1000), ((1000, 10), 10, 1000)]
)
async def test_write_limit(write_limit: Any, low: int, high: int) -> None:
    async with (
        serving(WSCOMPAT, lambda connection: connection.wait_closed()) as server,
        WSCOMPAT.connect(uri_of(server), write_limit=write_limit) as connection,
    ):
        assert connection.transport.get_write_buffer_limits() == (low, high)


async def test_nothing_is_left_to_the_garbage_collector() -> None:
    """Neither at the client nor at the server, with keepalive and compression, too."""
    ends: asyncio.Queue[None] = asyncio.Queue()

    async def handler(connection: Any) -> None:
        async for message in connection:
            await connection.send(message)
        await connection.wait_closed()
        ends.put_nowait(None)

    async def connect_once(uri: str) -> None:
        async with WSCOMPAT.connect(uri) as connection:
            await connection.send("é" * 1000)
            assert await connection.recv() == "é" * 1000
        await ends.get()

    async with serving(WSCOMPAT, handler, compression="deflate") as server:
        await connect_once(uri_of(server))
        with no_cycles_of("wscompat", "wscore", "httptools", "socket"):
            async with asyncio.timeout(BOUND):
                await connect_once(uri_of(server))
            while server.handlers:
                await asyncio.sleep(0)


async def test_wait_closed_is_refused_in_another_thread() -> None:
    async with (
        serving(WSCOMPAT, lambda connection: connection.wait_closed()) as server,
        WSCOMPAT.connect(uri_of(server), proxy=None) as connection,
    ):
        with pytest.raises(RuntimeError, match="used only in the thread that runs its event loop"):
            await asyncio.to_thread(asyncio.run, connection.wait_closed())
        # And nothing is broken by it.
        await connection.close()
        assert await asyncio.to_thread(asyncio.run, connection.wait_closed()) is None


# -- why it ended


async def causes(library: Any, sent: bytes, **options: Any) -> Any:
    """Return the exception of `recv` after some bytes from the server, and its cause."""
    options = {"compression": None, "proxy": None, **options}
    answer = ACCEPTED + b"\r\n" + sent
    async with raw_server(answer, stays=None if sent else False) as server, asyncio.timeout(BOUND):
        websocket = await library.connect(server.uri, **options)
        with pytest.raises(library.exceptions.ConnectionClosed) as caught:
            await websocket.recv()
        await websocket.wait_closed()
        assert type(websocket.close_exc.__cause__) is type(caught.value.__cause__)
    return caught.value


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\x83\x00",
        b"\xc1\x00",
        b"\x09\x00",
        b"\x81\x80\0\0\0\0",
        b"\x80\x00",
        b"\x01\x01a\x81\x00",
        b"\x88\x01a",
        b"\x88\x02\x03\xe7",
        b"\x89\x7e\x00\x7e" + bytes(126),
    ],
    ids=range(10),
)
async def test_causes(sent: bytes) -> None:
    """Errors of the peer have the same close reasons, and are the cause of the exception."""
    ours, model = await causes(WSCOMPAT, sent), await causes(WEBSOCKETS, sent)
    assert (str(ours), repr(ours.__cause__)) == (str(model), repr(model.__cause__))


@pytest.mark.parametrize(
    ("sent", "options"),
    [
        (b"\x81\x02\xc3a", {}),
        (b"\x01\x01\xc3\x80\x01a", {}),
        (b"\x88\x03\x03\xe8\xff", {}),
        (b"\x81\x06123456", {"max_size": 5}),
        (b"\x81\x06123456", {"max_size": (None, 5)}),
        (b"\x01\x03123\x80\x03456", {"max_size": 5}),
        (b"\x01\x00" + b"\x00\x00" * 4095 + b"\x80\x00", {}),
        (b"\x01\x00" + b"\x00\x00" * 4095 + b"\x80\x00", {"max_queue": None}),
    ],
    ids=range(8),
)
async def test_kinds_of_causes(sent: bytes, options: dict[str, Any]) -> None:
    """The same codes and types, where the words say more with websockets."""
    ours = await causes(WSCOMPAT, sent, **options)
    model = await causes(WEBSOCKETS, sent, **options)
    assert ours.sent.code == model.sent.code
    assert type(ours.__cause__).__name__ == type(model.__cause__).__name__
    if isinstance(ours.__cause__, PayloadTooBig):
        assert str(ours.__cause__) == "frame exceeds limit of 5 bytes"


async def test_many_fragments() -> None:
    """A message that is joined may have 4096 frames, one that is received by parts any number."""
    frames = b"\x01\x01a" + b"\x00\x01b" * 5000 + b"\x80\x01c"
    whole = b"\x01\x01a" + b"\x00\x01b" * 4094 + b"\x80\x01c"
    for library in (WSCOMPAT, WEBSOCKETS):
        async with (
            raw_server(ACCEPTED + b"\r\n" + whole + frames, stays=True) as server,
            library.connect(server.uri, proxy=None, compression=None, close_timeout=0) as websocket,
            asyncio.timeout(BOUND),
        ):
            assert len(await websocket.recv()) == 4096
            assert len([part async for part in websocket.recv_streaming()]) == 5002
            websocket.transport.abort()


async def close_without_a_code(connection: Any, record: Record) -> None:
    await record.attempt(connection.close(None, "why"))
    await record.attempt(connection.close(None))
    await record.end(connection)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
async def test_close_without_a_code(pair: Pair) -> None:
    expected = await converse(MODEL, close_without_a_code, wait)
    assert await converse(pair, close_without_a_code, wait) == expected


# -- the end, against a client that is only a socket


@contextlib.asynccontextmanager
async def bare_client(handler: Any, tls: Tls | None, **options: Any) -> AsyncIterator[RawPeer]:
    """Connect a bare client to wscompat."""
    context = tls and tls.server
    async with (
        serving(WSCOMPAT, handler, ssl=context, **options) as server,
        connecting(port_of(server), tls and tls.client) as peer,
    ):
        await peer.send(request())
        await peer.read_head()
        yield peer


@pytest.mark.parametrize("end", ["return", "raise", "fail"])
@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_end_of_a_handler_while_the_client_is_sending(
    end: str, secure: bool, tls: Tls
) -> None:
    """All that the handler has sent arrives, the CLOSE included."""
    payload = bytes(range(256)) * 1200
    codes = {"return": 1000, "raise": 1011, "fail": 1011}

    async def handler(connection: Any) -> None:
        for _ in range(5):
            await connection.recv()
        await connection.send(payload)
        if end == "raise":
            raise RuntimeError("as the test wants it")
        if end == "fail":
            connection._fail(1011, "as the test wants it")

    async with (
        bare_client(handler, tls if secure else None) as peer,
        sending_on(peer, F(BINARY, bytes(10_000))),
    ):
        assert (await peer.read_frame()).payload == payload
        assert (await peer.read_frame()).close_code == codes[end]


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("answers", [False, True], ids=["silent", "answers"])
async def test_client_that_does_not_end(answers: bool, secure: bool, tls: Tls) -> None:
    """Neither its CLOSE nor the end of TCP or TLS is waited for longer than `close_timeout`."""
    closed = asyncio.Event()

    async def handler(connection: Any) -> None:
        await connection.close()
        closed.set()

    async with bare_client(handler, tls if secure else None, close_timeout=0.05) as peer:
        peer.writer.transport.pause_reading()  # so that TLS is not ended by asyncio either
        if answers:
            await peer.send(close(1000))
        async with asyncio.timeout(BOUND):
            await closed.wait()
        peer.writer.transport.resume_reading()


# -- classes of a program


async def test_a_client_connection_that_forgets_its_base() -> None:
    client = importlib.import_module("wscompat.asyncio.client")
    async with serving(WSCOMPAT, lambda connection: connection.wait_closed()) as server:
        with pytest.raises(RuntimeError, match=NO_SUPER_INIT):
            await client.connect(
                uri_of(server),
                proxy=None,
                create_connection=without_super_init(client.ClientConnection),
            )


async def test_a_server_connection_that_forgets_its_base(
    caplog: pytest.LogCaptureFixture,
) -> None:
    module = importlib.import_module("wscompat.asyncio.server")
    cls = without_super_init(module.ServerConnection)
    async with serving(
        WSCOMPAT, lambda connection: connection.wait_closed(), create_connection=cls
    ) as server:
        with pytest.raises(InvalidStatus, match="500"):
            await WSCOMPAT.connect(uri_of(server), proxy=None)
    (record,) = [record for record in caplog.records if record.exc_info]
    assert record.exc_info is not None
    assert re.search(NO_SUPER_INIT, str(record.exc_info[1]))
