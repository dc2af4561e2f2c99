"""The waiting task is resumed within the read: immediately, once, without losing a message."""

import asyncio
import contextlib
import contextvars
import time
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from tests.wscore.packets import PacketPeer, packet_peer
from tests.wscore.recorder import BOUND
from tests.wscore.wire import CLOSE, PING, PONG, TEXT, F, close
from wscore import WSMessageReader, WSMsgType


@contextlib.asynccontextmanager
async def reading(side: str) -> AsyncIterator[tuple[WSMessageReader, PacketPeer]]:
    reader = WSMessageReader()
    async with packet_peer(side, reader) as (_, peer), asyncio.timeout(BOUND):
        yield reader, peer


async def turns(count: int = 1) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


# Ways to wait


async def plain(reader: WSMessageReader) -> str | bytes:
    return await reader.recv()


async def wait_for(reader: WSMessageReader) -> str | bytes:
    return await asyncio.wait_for(reader.recv(), BOUND)


async def under_timeout(reader: WSMessageReader) -> str | bytes:
    async with asyncio.timeout(BOUND):
        return await reader.recv()


async def as_task(reader: WSMessageReader) -> str | bytes:
    return await asyncio.create_task(reader.recv())


async def shielded(reader: WSMessageReader) -> str | bytes:
    return await asyncio.shield(reader.recv())


async def gathered(reader: WSMessageReader) -> str | bytes:
    received, _ = await asyncio.gather(reader.recv(), asyncio.sleep(0))
    return received


async def grouped(reader: WSMessageReader) -> str | bytes:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(reader.recv())
    return task.result()


async def first_of(reader: WSMessageReader) -> str | bytes:
    never = asyncio.get_running_loop().create_future()
    done, _ = await asyncio.wait(
        [asyncio.create_task(reader.recv()), never], return_when=asyncio.FIRST_COMPLETED
    )
    return done.pop().result()


async def as_completed(reader: WSMessageReader) -> str | bytes:
    for soonest in asyncio.as_completed([reader.recv()]):
        return await soonest
    raise AssertionError


async def iterated(reader: WSMessageReader) -> str | bytes:
    return await anext(aiter(reader))


async def streamed(reader: WSMessageReader) -> str | bytes:
    return "".join([str(part) async for part in reader.recv_streaming()])


WAYS = [
    plain, wait_for, under_timeout, as_task, shielded, gathered, grouped, first_of, as_completed,
    iterated, streamed,
]  # fmt: skip
Way = Callable[[WSMessageReader], Awaitable[str | bytes]]


@pytest.mark.parametrize("way", WAYS)
async def test_message_that_comes_while_waiting(side: str, way: Way) -> None:
    async with reading(side) as (reader, peer):
        for text in ("a", "b", "c"):
            task = asyncio.ensure_future(way(reader))
            await turns(5)
            await peer.send(F(TEXT, text.encode()))
            assert await task == text


@pytest.mark.parametrize("way", WAYS)
async def test_message_that_is_there_already(side: str, way: Way) -> None:
    async with reading(side) as (reader, peer):
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"))
        await turns(5)
        assert await way(reader) == "a"
        assert await way(reader) == "b"


@pytest.mark.parametrize("way", WAYS)
async def test_message_at_every_moment(side: str, way: Way) -> None:
    """It arrives a number of iterations of the loop after the wait began, or before it."""
    async with reading(side) as (reader, peer):
        for count in range(8):
            task = asyncio.ensure_future(way(reader))
            await turns(count)
            peer.sock.send(F(TEXT, b"%d" % count).wire(peer.masks))
            assert await task == str(count)
            peer.sock.send(F(TEXT, b"%d" % count).wire(peer.masks))
            await turns(count)
            assert await way(reader) == str(count)


@pytest.mark.parametrize("way", WAYS)
async def test_end_of_the_connection_while_waiting(side: str, way: Way) -> None:
    async with reading(side) as (reader, peer):
        task = asyncio.ensure_future(way(reader))
        await turns(5)
        peer.sock.close()
        with pytest.raises((EOFError, BaseExceptionGroup)) as caught:
            await task
        if isinstance(caught.value, BaseExceptionGroup):
            assert isinstance(caught.value.exceptions[0], EOFError)


# Cancellation


@pytest.mark.parametrize("way", WAYS)
async def test_cancelled_while_waiting(side: str, way: Way) -> None:
    async with reading(side) as (reader, peer):
        task = asyncio.ensure_future(way(reader))
        await turns(5)
        inner = asyncio.all_tasks() - {task, asyncio.current_task()}
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        for left in inner:  # shield and wait leave their inner tasks running
            left.cancel()
        await asyncio.gather(*inner, return_exceptions=True)
        await peer.send(F(TEXT, b"still there"))
        assert await reader.recv() == "still there"


@pytest.mark.parametrize("way", [plain, wait_for, under_timeout, iterated, streamed])
@pytest.mark.parametrize("before", range(7))
@pytest.mark.parametrize("between", range(5))
async def test_no_message_is_lost_by_cancellation(way: Way, before: int, between: int) -> None:
    """In any order of events a message is either returned or left for the next call.

    A further task in between, as with `gather`, may drop the result of a call that has ended.
    """
    async with reading("server") as (reader, peer):
        received = []
        for number in range(4):
            task = asyncio.ensure_future(way(reader))
            await turns(before)
            peer.sock.send(F(TEXT, b"%d" % number).wire(True))
            await turns(between)
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                received.append(await task)
        await peer.send(F(TEXT, b"last"))
        while not received or received[-1] != "last":
            received.append(await reader.recv())
        assert received == ["0", "1", "2", "3", "last"]


@pytest.mark.parametrize("before", range(7))
async def test_cancelled_before_the_message(side: str, before: int) -> None:
    """Both in one iteration of the loop, the cancellation first."""
    async with reading(side) as (reader, peer):
        task = asyncio.create_task(reader.recv())
        await turns(before)
        task.cancel()
        peer.sock.send(F(TEXT, b"a").wire(peer.masks))
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await reader.recv() == "a"


async def test_message_of_the_cancellation(side: str) -> None:
    async with reading(side) as (reader, _):
        task = asyncio.create_task(reader.recv())
        await turns()
        task.cancel("why")
        with pytest.raises(asyncio.CancelledError, match="why"):
            await task


async def test_timeout_that_expires(side: str) -> None:
    async with reading(side) as (reader, peer):
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(reader.recv(), 0.001)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await reader.recv()
        await peer.send(F(TEXT, b"a"))
        assert await reader.recv() == "a"


async def test_shielded_wait_survives(side: str) -> None:
    async with reading(side) as (reader, peer):
        inner = asyncio.create_task(reader.recv())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(inner), 0.001)
        await peer.send(F(TEXT, b"a"))
        assert await inner == "a"


async def test_cancelling_a_group_ends_the_wait(side: str) -> None:
    async with reading(side) as (reader, peer):

        async def fail() -> None:
            await turns(3)
            raise ValueError("on purpose")

        async def both() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(reader.recv())
                group.create_task(fail())

        with pytest.raises(ExceptionGroup) as caught:
            await both()
        assert [type(exc) for exc in caught.value.exceptions] == [ValueError]
        await peer.send(F(TEXT, b"a"))
        assert await reader.recv() == "a"


async def test_handler_that_survives_cancellation(side: str) -> None:
    async with reading(side) as (reader, peer):
        received = []

        async def handle() -> None:
            while len(received) < 2:
                try:
                    received.append(await reader.recv())
                except asyncio.CancelledError:
                    received.append("cancelled")

        task = asyncio.create_task(handle())
        await turns()
        task.cancel()
        await peer.send(F(TEXT, b"a"))
        await task
        assert received == ["cancelled", "a"]


# Resumed in the callback


async def test_replies_leave_with_the_callback(side: str) -> None:
    """One read, one wake-up, one send: the purpose of the waiter."""
    async with reading(side) as (reader, peer):

        async def handle() -> None:
            async for message in reader:
                reader.transport.send(WSMsgType.TEXT, message)

        task = asyncio.create_task(handle())
        await turns(2)
        await peer.send(F(PING, b"x"), *(F(TEXT, b"%d" % n) for n in range(10)))
        assert await peer.frames() == [(PONG, b"x"), *((TEXT, b"%d" % n) for n in range(10))]
        task.cancel()


async def test_no_turn_of_the_loop_between(side: str) -> None:
    """Callbacks scheduled before the message arrived run after its handler."""
    async with reading(side) as (reader, peer):
        happened = []

        async def handle() -> None:
            while True:
                happened.append(await reader.recv())
                asyncio.get_running_loop().call_soon(happened.append, "turn")

        task = asyncio.create_task(handle())
        await turns(2)
        for number in range(3):
            await peer.send(F(TEXT, b"%da" % number), F(TEXT, b"%db" % number))
            while happened[-1:] != ["turn"] or len(happened) % 4:
                await turns()
            assert happened == [f"{number}a", f"{number}b", "turn", "turn"]
            happened.clear()
        task.cancel()


async def test_current_task_while_resumed(side: str) -> None:
    async with reading(side) as (reader, peer):
        seen = []

        async def handle() -> None:
            await reader.recv()
            seen.append(asyncio.current_task())
            await turns()
            seen.append(asyncio.current_task())

        task = asyncio.create_task(handle())
        await turns(2)
        await peer.send(F(TEXT))
        await task
        assert seen == [task, task]
        assert asyncio.current_task() is not task


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="none")


async def test_context_of_the_task_is_kept(side: str) -> None:
    async with reading(side) as (reader, peer):
        variable.set("of the test")
        seen = []

        async def handle(own: str) -> None:
            variable.set(own)
            for _ in range(3):
                await reader.recv()
                seen.append(variable.get())
                variable.set(own + str(len(seen)))

        task = asyncio.create_task(handle("of the task"))
        await turns(2)
        for _ in range(3):
            await peer.send(F(TEXT))
            await turns(5)
            assert variable.get() == "of the test"
        await task
        assert seen == ["of the task", "of the task1", "of the task2"]


async def test_task_with_a_context_of_its_own(side: str) -> None:
    async with reading(side) as (reader, peer):
        context = contextvars.copy_context()

        async def handle() -> None:
            for text in ("a", "b"):
                variable.set(str(await reader.recv()) + text)

        task = asyncio.create_task(handle(), context=context)
        await turns(2)
        await peer.send(F(TEXT, b"a"))
        await turns(5)
        await peer.send(F(TEXT, b"b"))
        await task
        assert context[variable] == "bb"
        assert variable.get() == "none"


async def test_exception_reaches_the_task(side: str) -> None:
    """It affects neither the connection nor the loop."""
    async with reading(side) as (reader, peer):

        async def handle() -> None:
            await reader.recv()
            raise ValueError("on purpose")

        task = asyncio.create_task(handle())
        await turns(2)
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"))
        with pytest.raises(ValueError, match="on purpose"):
            await task
        assert reader.transport.is_open
        assert await reader.recv() == "b"


class EndOfAll(SystemExit):
    """An exception that tasks pass on to the loop, like KeyboardInterrupt."""


def test_exception_that_ends_the_loop() -> None:
    """It leaves the loop usable: nothing stays corked, and later messages arrive."""
    connections = contextlib.AsyncExitStack()

    async def begin() -> tuple[WSMessageReader, PacketPeer]:
        reader = WSMessageReader()
        _, peer = await connections.enter_async_context(packet_peer("server", reader))
        return reader, peer

    async def provoke(reader: WSMessageReader, peer: PacketPeer) -> None:
        async def handle() -> None:
            reader.transport.send(WSMsgType.TEXT, await reader.recv())
            raise EndOfAll

        task = asyncio.create_task(handle())
        await turns(2)
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"))
        await asyncio.wait([task])

    async def go_on(reader: WSMessageReader, peer: PacketPeer) -> None:
        assert await peer.frames() == [(TEXT, b"a")]
        reader.transport.send(WSMsgType.TEXT, "later")
        assert await peer.frames() == [(TEXT, b"later")]
        await peer.send(F(TEXT, b"c"))
        assert [await reader.recv(), await reader.recv()] == ["b", "c"]
        await connections.aclose()

    with asyncio.Runner() as runner:
        reader, peer = runner.run(begin())
        with pytest.raises(EndOfAll):
            runner.run(provoke(reader, peer))
        runner.run(go_on(reader, peer))


# What the resumed step may do


async def test_handler_that_closes_its_connection(side: str) -> None:
    async with reading(side) as (reader, peer):

        async def handle() -> str | bytes:
            message = await reader.recv()
            reader.transport.send_close(1000)
            reader.transport.disconnect()
            return message

        task = asyncio.create_task(handle())
        await turns(2)
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"))
        assert await task == "a"
        assert await peer.frames() == [(CLOSE, close(1000).payload)]
        assert await peer.read() == b""
        peer.sock.close()
        await reader.transport.wait_disconnected()
        assert await reader.recv() == "b"
        with pytest.raises(EOFError):
            await reader.recv()


@pytest.mark.parametrize("graceful", [True, False])
async def test_handler_that_waits_for_the_end(side: str, graceful: bool) -> None:
    async with reading(side) as (reader, peer):

        async def handle() -> None:
            await reader.recv()
            reader.transport.disconnect(graceful)
            await reader.transport.wait_disconnected()
            with pytest.raises(EOFError):
                await reader.recv()

        task = asyncio.create_task(handle())
        await turns(2)
        await peer.send(F(TEXT, b"a"))
        if graceful:
            assert await peer.read() == b""
            peer.sock.close()
        await task


async def test_two_readers_that_wake_each_other(side: str) -> None:
    """Each is resumed inside the other's callback, by a socket and by the other reader."""
    async with reading(side) as (one, first), reading(side) as (two, second):

        async def handle(own: WSMessageReader, other: WSMessageReader) -> None:
            async for message in own:
                other.transport.send(WSMsgType.TEXT, message)

        tasks = [asyncio.create_task(handle(one, two)), asyncio.create_task(handle(two, one))]
        await turns(2)
        for number in range(20):
            await first.send(F(TEXT, b"a%d" % number), F(TEXT, b"b"))
            await second.send(F(TEXT, b"c%d" % number))
            assert await second.frames() == [(TEXT, b"a%d" % number), (TEXT, b"b")]
            assert await first.frames() == [(TEXT, b"c%d" % number)]
        for task in tasks:
            task.cancel()


async def test_one_task_that_ends_the_other_connection(side: str) -> None:
    """The second reader is woken while the first's task runs, so in a later iteration."""
    async with reading(side) as (one, first), reading(side) as (two, _):

        async def wait() -> str:
            with pytest.raises(EOFError):
                await two.recv()
            return "ended"

        async def end() -> None:
            await one.recv()
            two.transport.disconnect(graceful=False)

        waiting, ending = asyncio.create_task(wait()), asyncio.create_task(end())
        await turns(2)
        await first.send(F(TEXT))
        await ending
        assert await waiting == "ended"


async def test_tasks_that_hand_over_inside_the_callback(side: str) -> None:
    """A chain of ordinary futures, events and queues after the resumed task works as usual."""
    async with reading(side) as (reader, peer):
        queue: asyncio.Queue[str | bytes] = asyncio.Queue()

        async def receive() -> None:
            async for message in reader:
                await queue.put(message)

        async def reply() -> None:
            while True:
                reader.transport.send(WSMsgType.TEXT, await queue.get())

        tasks = [asyncio.create_task(receive()), asyncio.create_task(reply())]
        await turns(2)
        for number in range(10):
            await peer.send(F(TEXT, b"%d" % number))
            assert await peer.frames() == [(TEXT, b"%d" % number)]
        for task in tasks:
            task.cancel()


async def test_fragments_of_one_message(side: str) -> None:
    """The task is not resumed by the first ones, nor disturbed by frames in between."""
    async with reading(side) as (reader, peer):
        task = asyncio.create_task(reader.recv())
        await turns(2)
        await peer.send(F(TEXT, b"a", fin=False))
        await turns(5)
        await peer.send(F(PING, b"x"))
        assert await peer.frames() == [(PONG, b"x")]
        await peer.send(F(0, b"b"), F(TEXT, b"next"))
        assert await task == "ab"
        assert await reader.recv() == "next"


# What the task waits on


async def test_another_task_waits_after_a_cancelled_one(side: str) -> None:
    """It begins before the cancelled task is notified."""
    async with reading(side) as (reader, peer):
        for text in ("a", "b"):
            first = asyncio.create_task(reader.recv())
            await turns(2)
            second = asyncio.create_task(reader.recv())
            first.cancel()
            await turns(2)
            assert first.cancelled()
            assert not second.done()
            await peer.send(F(TEXT, text.encode()))
            assert await second == text


async def test_cancelled_in_the_turn_of_the_message(side: str) -> None:
    """The cancellation was scheduled before the read, and the task is not resumed twice."""
    async with reading(side) as (reader, peer):
        resumed = []

        async def handle() -> None:
            try:
                resumed.append(await reader.recv())
            except asyncio.CancelledError:
                resumed.append("cancelled")
                resumed.append(await reader.recv())

        task = asyncio.create_task(handle())
        await turns(2)
        peer.sock.send(F(TEXT, b"a").wire(peer.masks))
        task.cancel()
        await task
        assert resumed == ["cancelled", "a"]


async def test_wait_that_others_watch(side: str) -> None:
    """The yielded object is a future, and all its done callbacks are called."""
    async with reading(side) as (reader, peer):
        call = reader.recv()
        future = call.send(None)
        assert asyncio.isfuture(future)
        called = asyncio.Event()
        future.add_done_callback(lambda _: called.set())
        future.add_done_callback(lambda _: called.set())
        await peer.send(F(TEXT, b"a"))
        await called.wait()
        with pytest.raises(StopIteration) as ended:
            call.send(None)
        assert ended.value.value == "a"


async def test_wait_that_nobody_watches(side: str) -> None:
    async with reading(side) as (reader, peer):
        call = reader.recv()
        future = call.send(None)
        await peer.send(F(TEXT, b"a"))
        while not future.done():
            await turns()
        with pytest.raises(StopIteration) as ended:
            call.send(None)
        assert ended.value.value == "a"


async def test_reader_of_no_connection() -> None:
    reader = WSMessageReader()
    with pytest.raises(RuntimeError, match="not open"):
        await reader.recv()


async def test_debug_mode_names_the_task_that_takes_long(
    side: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def handle_slowly(reader: WSMessageReader) -> None:
        await reader.recv()
        time.sleep(0.02)

    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.01
    async with reading(side) as (reader, peer):
        task = asyncio.create_task(handle_slowly(reader))
        await asyncio.sleep(0)
        await peer.send(F(TEXT, b"a"))
        await task
    slow = [text for text in caplog.messages if text.startswith("Executing")]
    assert any("handle_slowly" in text for text in slow), slow
    assert all(text.startswith("Executing <Task") for text in slow), slow
