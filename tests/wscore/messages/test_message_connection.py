"""Immediate sends, and delegation to the subclass; tests/wscompat tests it as a whole."""

import asyncio
import contextlib
import inspect
import sys
from collections.abc import AsyncIterator
from typing import Any
from unittest import mock

import pytest

from tests.wscore.packets import PacketPeer, packet_peer
from tests.wscore.recorder import BOUND
from tests.wscore.wire import BINARY, TEXT, F
from wscore import WSTransport
from wscore.messages.message_connection import WSMessageConnection


class Connection(WSMessageConnection):
    """Records the sends that are delegated to it."""

    def __init__(self) -> None:
        super().__init__()
        self.later: list[object] = []
        self.drains = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self._transport = transport

    async def _send_later(self, message: Any, text: bool | None) -> None:
        self.later.append((message, text))
        await asyncio.sleep(0)

    async def _drain(self) -> None:
        self.drains += 1
        assert self._drained is not None
        await self._drained


@contextlib.asynccontextmanager
async def connected(side: str) -> AsyncIterator[tuple[Connection, PacketPeer]]:
    connection = Connection()
    async with packet_peer(side, connection) as (_, peer), asyncio.timeout(BOUND):
        yield connection, peer


@pytest.mark.parametrize(
    ("message", "text", "msg_type", "payload"),
    [
        ("ä", None, TEXT, "ä".encode()),
        ("ä", True, TEXT, "ä".encode()),
        ("ä", False, BINARY, "ä".encode()),
        (b"a", None, BINARY, b"a"),
        (b"a", False, BINARY, b"a"),
        (b"a", True, TEXT, b"a"),
        (bytearray(b"a"), None, BINARY, b"a"),
        (memoryview(b"abc")[1:2], True, TEXT, b"b"),
    ],
)
async def test_sent_at_once(
    side: str, message: Any, text: bool | None, msg_type: int, payload: bytes
) -> None:
    async with connected(side) as (connection, peer):
        with pytest.raises(StopIteration) as ended:
            connection.send(message, text=text).send(None)
        assert ended.value.value is None
        assert await peer.frames() == [(msg_type, payload)]
        assert connection.later == []


@pytest.mark.parametrize("message", [["a", "b"], {"a": 1}, 1, None])
async def test_no_plain_message(side: str, message: Any) -> None:
    async with connected(side) as (connection, _):
        await connection.send(message, text=True)
        assert connection.later == [(message, True)]


async def test_while_fragments_are_sent(side: str) -> None:
    async with connected(side) as (connection, peer):
        connection._fragments_sent = asyncio.get_running_loop().create_future()
        await connection.send("a")
        connection._fragments_sent = None
        await connection.send("b")
        assert connection.later == [("a", None)]
        assert await peer.frames() == [(TEXT, b"b")]


async def test_after_the_end(side: str) -> None:
    async with connected(side) as (connection, _):
        connection._transport.send_close(1000)
        await connection.send("a")
        assert connection.later == [("a", None)]


async def test_through_something_else_than_a_transport(side: str) -> None:
    async with connected(side) as (connection, _):
        connection._transport = None
        await connection.send("a")
        assert connection.later == [("a", None)]


async def test_while_the_write_buffer_is_full(side: str) -> None:
    async with connected(side) as (connection, peer):
        connection._drained = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(connection.send("a"))
        assert await peer.frames() == [(TEXT, b"a")]
        await asyncio.sleep(0)
        assert not task.done()
        connection._drained.set_result(None)
        await task
        assert connection.drains == 1


async def test_nothing_is_sent_before_it_is_awaited(side: str) -> None:
    async with connected(side) as (connection, peer):
        first, second = connection.send("a"), connection.send("b")
        await second
        await first
        assert [*await peer.frames(), *await peer.frames()] == [(TEXT, b"b"), (TEXT, b"a")]


async def test_sending_that_was_never_awaited(side: str) -> None:
    async with connected(side) as (connection, peer):
        with pytest.warns(RuntimeWarning, match="coroutine 'send' was never awaited") as caught:
            connection.send("a")
        assert caught[0].filename == __file__
        await connection.send("b")
        assert await peer.frames() == [(TEXT, b"b")]


async def test_sending_as_a_task(side: str) -> None:
    async with connected(side) as (connection, peer):
        call = connection.send("a")
        assert asyncio.iscoroutine(call)
        await asyncio.wait_for(asyncio.create_task(call), BOUND)
        assert await peer.frames() == [(TEXT, b"a")]


async def test_exception_thrown_in_instead(side: str) -> None:
    async with connected(side) as (connection, peer):
        call = connection.send("a")
        with pytest.raises(ValueError, match="why"):
            call.throw(ValueError("why"))
        assert peer.nothing_more()
        await connection.send("b")
        assert await peer.frames() == [(TEXT, b"b")]


async def test_connection_alone() -> None:
    """Without a subclass a send that must wait raises."""
    connection = WSMessageConnection()
    with pytest.raises(NotImplementedError):
        await connection.send("a")
    with pytest.raises(NotImplementedError):
        await connection._drain()


async def test_both_ways(side: str) -> None:
    async with connected(side) as (connection, peer):

        async def echo() -> None:
            async for message in connection:
                await connection.send(message)

        task = asyncio.create_task(echo())
        await asyncio.sleep(0)
        await peer.send(F(TEXT, b"a"), F(BINARY, b"b"))
        assert await peer.frames() == [(TEXT, b"a"), (BINARY, b"b")]
        task.cancel()


def test_signature() -> None:
    assert str(inspect.signature(WSMessageConnection.send)) == "(self, message, *, text=None)"


@pytest.mark.parametrize("name", ["recv", "send"])
def test_it_is_said_that_they_are_awaited(name: str) -> None:
    """Checked by asyncio's function everywhere, inspect's since Python 3.12, mocks by either."""
    for function in (getattr(WSMessageConnection, name), getattr(WSMessageConnection(), name)):
        assert inspect.iscoroutinefunction(function) is (sys.version_info >= (3, 12))
        if sys.version_info < (3, 14):  # in versions where it is deprecated
            assert asyncio.iscoroutinefunction(function)
    double = getattr(mock.create_autospec(WSMessageConnection), name)
    assert isinstance(double, mock.AsyncMock)
    double = getattr(mock.AsyncMock(spec=WSMessageConnection), name)
    assert isinstance(double, mock.AsyncMock)
