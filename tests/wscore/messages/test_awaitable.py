"""The awaitable of `recv` passes for a coroutine everywhere, and can be awaited once."""

import asyncio
import contextlib
import gc
import inspect
import sys
from collections.abc import AsyncIterator, Coroutine
from traceback import walk_tb
from typing import Any

import pytest

from tests.wscore.packets import PacketPeer, packet_peer
from tests.wscore.recorder import BOUND
from tests.wscore.wire import CONTINUATION, TEXT, F
from wscore import WSMessageReader


class ExpectedError(Exception):
    """Thrown in by a test."""


@contextlib.asynccontextmanager
async def reading() -> AsyncIterator[tuple[WSMessageReader, PacketPeer]]:
    reader = WSMessageReader()
    async with packet_peer("server", reader) as (_, peer), asyncio.timeout(BOUND):
        yield reader, peer


async def test_it_is_a_coroutine() -> None:
    async with reading() as (reader, peer):
        await peer.send(F(TEXT, b"a"))
        call: Any = reader.recv()
        assert isinstance(call, Coroutine)
        assert asyncio.iscoroutine(call)
        assert inspect.isawaitable(call)
        assert not asyncio.isfuture(call)
        assert getattr(call, "__name__", None) == getattr(call, "__qualname__", None) == "recv"
        task = asyncio.create_task(call)
        assert "recv" in repr(task)
        assert await task == "a"


async def test_it_does_nothing_before_it_is_awaited() -> None:
    async with reading() as (reader, peer):
        first, second = reader.recv(), reader.recv()
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"))
        assert await second == "a"
        assert await first == "b"


async def test_it_is_used_once() -> None:
    async with reading() as (reader, peer):
        await peer.send(F(TEXT, b"a"), F(TEXT, b"b"))
        call = reader.recv()
        assert await call == "a"
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            await call
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            call.throw(ExpectedError())
        call.close()
        assert await reader.recv() == "b"


async def test_one_that_was_never_awaited() -> None:
    """The warning is for the line that dropped it, as with other coroutines."""
    async with reading() as (reader, peer):
        for _ in range(2):  # of a new one, and of a reused one
            with pytest.warns(
                RuntimeWarning, match=r"coroutine 'recv' was never awaited$"
            ) as caught:
                forget(reader)
            assert [warning.filename for warning in caught] == [__file__]
            assert caught[0].lineno == forget.__code__.co_firstlineno + 1
            await peer.send(F(TEXT, b"a"))
            assert await reader.recv() == "a"


def forget(reader: WSMessageReader) -> None:
    reader.recv()


async def test_where_one_that_was_never_awaited_comes_from() -> None:
    async with reading() as (reader, _):
        sys.set_coroutine_origin_tracking_depth(2)
        try:
            with pytest.warns(RuntimeWarning, match="was never awaited") as caught:
                forget(reader)
        finally:
            sys.set_coroutine_origin_tracking_depth(0)
        text = str(caught[0].message)
        assert "\nCoroutine created at (most recent call last)\n" in text
        assert text.index("in test_where_one") < text.index("in forget\n    reader.recv()")


async def test_one_that_was_closed_was_not_forgotten(
    recwarn: pytest.WarningsRecorder,
) -> None:
    async with reading() as (reader, _):
        for _ in range(2):
            reader.recv().close()
            gc.collect()
        assert recwarn.list == []


class Finite:
    """An awaitable in C, Cython or Python is driven by `next` if there is nothing faster."""

    def __init__(self, call: Any) -> None:
        self.call = call

    def __await__(self) -> Any:
        result = yield from iter(self.call)
        return result


@pytest.mark.parametrize("comes_before", [True, False])
async def test_driven_by_next(comes_before: bool) -> None:
    async def wait(reader: WSMessageReader) -> Any:
        return await Finite(reader.recv())

    async with reading() as (reader, peer):
        if comes_before:
            await peer.send(F(TEXT, b"a"))
        task = asyncio.create_task(wait(reader))
        await asyncio.sleep(0)
        if not comes_before:
            await peer.send(F(TEXT, b"a"))
        assert await task == "a"


@pytest.mark.parametrize(
    "arguments",
    [
        (ExpectedError(),),
        (ExpectedError,),
        (ExpectedError, "why"),
        (ExpectedError, ExpectedError("why"), None),
    ],
)
async def test_exception_thrown_in(arguments: tuple[Any, ...]) -> None:
    async with reading() as (reader, peer):
        call = reader.recv()
        with pytest.raises(ExpectedError):
            call.throw(*arguments)
        await peer.send(F(TEXT, b"a"))
        assert await reader.recv() == "a"


@pytest.mark.parametrize("way", ["throw", "close", "drop"])
@pytest.mark.parametrize("within", [False, True], ids=["before a message", "within a message"])
@pytest.mark.parametrize("name", ["recv", "iteration", "recv_streaming"])
async def test_one_that_waits_is_ended_from_outside(name: str, within: bool, way: str) -> None:
    """Later calls do not wait for it, and nothing is lost."""
    if name == "recv_streaming" and way == "drop":
        return  # no asynchronous generator can be used after that
    async with reading() as (reader, peer):
        if within:
            await peer.send(F(TEXT, b"a", fin=False))
            await asyncio.sleep(0.01)
        stream = reader.recv_streaming()
        begin: Any = {
            "recv": reader.recv,
            "iteration": reader.__aiter__().__anext__,
            "recv_streaming": stream.__anext__,
        }[name]
        if name == "recv_streaming" and within:
            assert await anext(stream) == "a"
            await stream.aclose()  # it must be read to its end, as always
            with pytest.raises(RuntimeError, match="another call"):
                await reader.recv()
            return
        call = begin()
        if name == "recv_streaming":
            call = call.__await__()
        call.send(None)
        if way == "throw":
            with pytest.raises(ExpectedError):
                call.throw(ExpectedError())
        elif way == "close":
            call.close()
        del call
        await stream.aclose()
        await peer.send(F(CONTINUATION if within else TEXT, b"b"))
        assert await reader.recv() == ("ab" if within else "b")


async def test_one_that_waits_is_ended_after_another_has_begun() -> None:
    async with reading() as (reader, peer):
        first = asyncio.create_task(reader.recv())
        await asyncio.sleep(0)
        first.cancel()
        second = reader.recv()
        future = second.send(None)  # before the first task is notified
        with contextlib.suppress(asyncio.CancelledError):
            await first
        await peer.send(F(TEXT, b"a"))
        await asyncio.wait([future])
        with pytest.raises(StopIteration) as caught:
            second.send(None)
        assert caught.value.value == "a"


async def test_one_that_nobody_has_called_for() -> None:
    async with reading() as (reader, _):
        call = reader.recv()
        call.close()
        kind: Any = type(call)
        for make in (kind, lambda: kind.__new__(kind), lambda: object.__new__(kind)):
            with pytest.raises(TypeError):
                make()


async def test_traceback_thrown_in() -> None:
    async with reading() as (reader, _):
        try:
            raise ExpectedError
        except ExpectedError as exc:
            traceback = exc.__traceback__
        with pytest.raises(ExpectedError) as caught:
            reader.recv().throw(ExpectedError, ExpectedError(), traceback)
        assert traceback is not None
        lines = [line for _, line in walk_tb(caught.tb)]
        assert traceback.tb_lineno in lines


# Delegation to another coroutine


async def begin_fragments(reader: WSMessageReader, peer: PacketPeer) -> Any:
    await peer.send(F(TEXT, b"a", fin=False))
    await asyncio.sleep(0)
    call = reader.recv()
    future = call.send(None)
    assert asyncio.isfuture(future)
    return call


async def test_exception_thrown_into_the_rest() -> None:
    async with reading() as (reader, peer):
        call = await begin_fragments(reader, peer)
        with pytest.raises(ExpectedError):
            call.throw(ExpectedError())
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            call.send(None)


async def test_rest_that_is_closed() -> None:
    async with reading() as (reader, peer):
        call = await begin_fragments(reader, peer)
        call.close()
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            call.send(None)


async def test_nothing_is_kept_of_a_call_that_has_ended() -> None:
    """Freeing a connection must not need the garbage collector."""
    async with reading() as (reader, peer):
        await peer.send(F(TEXT, b"a"))
        await reader.recv()
        peer.sock.close()
        with pytest.raises(EOFError):
            await reader.recv()
        assert reader not in gc.get_referrers(reader)
        assert not [
            found for found in gc.get_referrers(reader) if type(found).__name__ == "RecvCall"
        ]
