"""A listener factory that waits for something before it answers."""

import asyncio
import sys
from collections.abc import Awaitable
from typing import Any

import pytest

from tests.support.leaks import LoopErrors
from tests.support.skips import lacking
from tests.support.tls import Tls
from tests.wscore.pairs import Setting, raw_client
from tests.wscore.raw_peer import BOUND, connecting
from tests.wscore.recorder import Recorder
from tests.wscore.wire import BINARY, TEXT, F, request, status_of
from wscore import (
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)

HELD_BACK = 64 * 1024


class Gate:
    """A factory that answers on demand.

    Attributes:
        asked: set when the factory was called.
        answer: its result; a future.
        requests: the requests that it was called with.
        cancelled: set when it was cancelled.
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.requests: list[WSUpgradeRequest] = []

    async def __call__(self, asked: WSUpgradeRequest) -> Any:
        self.requests.append(asked)
        self.asked.set()
        try:
            return await self.answer
        except asyncio.CancelledError:
            self.cancelled.set()
            raise


async def bounded(awaitable: Awaitable[object]) -> None:
    async with asyncio.timeout(BOUND):
        await awaitable


async def test_the_client_waits_for_the_answer(security: Tls | None) -> None:
    gate, listener = Gate(), Recorder()
    async with raw_client(gate, security) as peer:
        await peer.send(request())
        await bounded(gate.asked.wait())
        assert not listener.events
        gate.answer.set_result(listener)
        assert status_of(await peer.read_head()) == 101
        await peer.send(F(TEXT, b"hello"))
        await listener.until("frame")
    await listener.until("disconnected")


async def test_frames_that_come_early_are_kept(security: Tls | None, each_byte: bool) -> None:
    gate, listener = Gate(), Recorder()
    async with raw_client(gate, security) as peer:
        await peer.send(request(), F(TEXT, b"one"), each_byte=each_byte)
        await bounded(gate.asked.wait())
        await peer.send(F(TEXT, b"two"), F(BINARY, b"three"), each_byte=each_byte)
        gate.answer.set_result(listener)
        assert status_of(await peer.read_head()) == 101
        await listener.until("frame", 3)
        assert listener.seen == [(TEXT, b"one"), (TEXT, b"two"), (BINARY, b"three")]
    await listener.until("disconnected")


@pytest.mark.skipif(sys.version_info < (3, 12), reason=lacking("eager tasks before Python 3.12"))
async def test_an_eager_task_decides_at_once(security: Tls | None, each_byte: bool) -> None:
    """The response is then sent while the request is still being read."""
    listener = Recorder()

    async def decide(_: WSUpgradeRequest) -> Recorder:
        return listener

    def make_task(loop: Any, coro: Any, **kwargs: Any) -> Any:
        return asyncio.Task(coro, loop=loop, **(kwargs | {"eager_start": True}))

    loop = asyncio.get_running_loop()
    async with raw_client(decide, security) as peer:
        loop.set_task_factory(make_task)
        try:
            await peer.send(request(), F(TEXT, b"one"), each_byte=each_byte)
            assert status_of(await peer.read_head()) == 101
        finally:
            loop.set_task_factory(None)
        await peer.send(F(TEXT, b"two"))
        await listener.until("frame", 2)
        assert listener.seen == [(TEXT, b"one"), (TEXT, b"two")]
    await listener.until("disconnected")


async def test_reading_pauses_when_too_much_comes_early(security: Tls | None) -> None:
    """The buffered data is limited; none of it is lost."""
    gate, listener = Gate(), Recorder()
    frame = F(BINARY, bytes(50_000))
    async with raw_client(gate, security, max_frame_size=None) as peer:
        await peer.send(request())
        await bounded(gate.asked.wait())
        for _ in range(200):
            peer.writer.write(frame.wire(masked=True))
        transport = gate.requests[0].transport
        assert transport is not None
        below = transport.underlying_transport
        async with asyncio.timeout(BOUND):
            while below.is_reading():
                await asyncio.sleep(0)
        assert peer.writer.transport.get_write_buffer_size() > HELD_BACK
        gate.answer.set_result(listener)
        await listener.until("frame", 200)
        assert {seen.payload for seen in listener.frames} == {bytes(50_000)}
    await listener.until("disconnected")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (None, 404),
        (
            WSUpgradeResponseWithListener(WSUpgradeResponse.create_ok_response(b"fine"), None),
            200,
        ),
        (ValueError("the database is away"), 500),
        ("no listener", 500),
    ],
)
async def test_other_answers(
    answer: object, status: int, security: Tls | None, no_leaks: LoopErrors
) -> None:
    gate = Gate()
    async with raw_client(gate, security) as peer:
        await peer.send(request(), F(TEXT, b"never read"))
        await bounded(gate.asked.wait())
        if isinstance(answer, Exception):
            gate.answer.set_exception(answer)
        else:
            gate.answer.set_result(answer)
        assert status_of(await peer.read_head()) == status
        await peer.read_to_end()
    assert not no_leaks


async def test_a_lost_connection_cancels(security: Tls | None) -> None:
    gate = Gate()
    async with raw_client(gate, security) as peer:
        await peer.send(request())
        await bounded(gate.asked.wait())
        peer.reset()
        await bounded(gate.cancelled.wait())


async def test_a_client_that_hangs_up_cancels(security: Tls | None) -> None:
    gate = Gate()
    async with raw_client(gate, security) as peer:
        await peer.send(request())
        await bounded(gate.asked.wait())
        await peer.close()
        await bounded(gate.cancelled.wait())


async def test_the_deadline_goes_on(security: Tls | None) -> None:
    gate = Gate()
    async with raw_client(gate, security, websocket_handshake_timeout=0.2) as peer:
        await peer.send(request())
        await bounded(gate.cancelled.wait())
        assert await peer.read_to_end() == b""


async def test_a_factory_that_is_cancelled_ends_the_connection(security: Tls | None) -> None:
    gate = Gate()
    async with raw_client(gate, security) as peer:
        await peer.send(request())
        await bounded(gate.asked.wait())
        gate.answer.cancel()
        assert await peer.read_to_end() == b""


async def test_disconnecting_a_client_that_waits(security: Tls | None) -> None:
    gate = Gate()
    async with raw_client(gate, security) as peer:
        await peer.send(request())
        await bounded(gate.asked.wait())
        transport = gate.requests[0].transport
        assert transport is not None
        transport.disconnect()
        assert await peer.read_to_end() == b""
        await peer.close()
        await bounded(gate.cancelled.wait())


async def test_the_addresses_are_known_while_it_decides(security: Tls | None) -> None:
    gate, listener = Gate(), Recorder()
    async with raw_client(gate, security) as peer:
        await peer.send(request())
        await bounded(gate.asked.wait())
        (asked,) = gate.requests
        assert asked.transport is not None
        below = asked.transport.underlying_transport
        assert below.get_extra_info("peername") == peer.writer.get_extra_info("sockname")
        gate.answer.set_result(listener)
        await peer.read_head()
        assert asked.transport is None
    await listener.until("disconnected")


async def test_a_server_that_was_closed_meanwhile_says_so(both: Setting) -> None:
    gate = Gate()
    server = await ws_create_server(gate, "127.0.0.1", 0, **both.server_options)
    port = server.sockets[0].getsockname()[1]
    async with connecting(port, both.tls.client if both.tls else None) as peer:
        await peer.send(request())
        await bounded(gate.asked.wait())
        server.close()
        gate.answer.set_result(Recorder())
        assert status_of(await peer.read_head()) == 503
        await peer.read_to_end()
    await bounded(server.wait_closed())
