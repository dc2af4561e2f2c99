"""Idle connections release memory, without any other effect."""

import asyncio
import contextlib
import gc
import os
import random
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.deflated import TAIL, Packer
from tests.wscore.message_recorder import DEFLATE, MessageRecorder, messages_to
from tests.wscore.pairs import Setting
from tests.wscore.wire import BINARY, CONTINUATION, F
from wscore import WSDeflate, WSMsgType

ENGINES = ["isal", "zlib-ng", "zlib"]
RSV1 = 4
PERIOD = 60  # seconds between two checks

# Only the clock of asyncio's loop can be changed by a test.
pytestmark = pytest.mark.asyncio(loop_factories=["asyncio"])


class Counting(WSDeflate):
    """Settings that count the objects created with them."""

    made: dict[str, int]

    def inflater(self) -> tuple[Callable[..., Any], type[Exception]]:
        make, error = super().inflater()

        def counted(*arguments: Any, **options: Any) -> Any:
            self.made["inflater"] += 1
            return make(*arguments, **options)

        return counted, error


def counting(**options: Any) -> Counting:
    settings = Counting(**options)
    object.__setattr__(settings, "made", {"inflater": 0})
    return settings


class Clock:
    """Advances the loop's time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._loop = asyncio.get_running_loop()
        self._time, self._offset = self._loop.time, 0.0
        monkeypatch.setattr(self._loop, "time", lambda: self._time() + self._offset)

    async def advance(self, seconds: float) -> None:
        self._offset += seconds
        for _ in range(20):
            await asyncio.sleep(0)

    async def idle(self) -> None:
        """Wait until all memory is released."""
        await self.advance(PERIOD + 1)
        await self.advance(PERIOD + 1)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_compressor_begins_anew(plain: Setting, engine: str, clock: Clock) -> None:
    noise, inflate = os.urandom(500), zlib.decompressobj(-15)
    sizes = []
    async with messages_to(plain, MessageRecorder(), DEFLATE, deflate=WSDeflate(engine=engine)) as (
        transport,
        peer,
    ):
        for pause in (0, 0, PERIOD + 1, 0, 2 * PERIOD + 2, 0):
            for _ in range(pause // PERIOD):
                await clock.advance(PERIOD + 1)
            transport.send_message(WSMsgType.BINARY, noise)
            frame = await peer.read_frame()
            assert inflate.decompress(frame.payload + TAIL) == noise
            sizes.append(len(frame.payload) > 400)
        assert sizes == [True, False, False, False, True, False]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("bits", [9, 12, 15])
async def test_the_window_is_kept(plain: Setting, engine: str, bits: int, clock: Clock) -> None:
    """A peer may refer to all of it, regardless of its size."""
    peer_is = "client" if plain.side == "server" else "server"
    header = DEFLATE.rstrip() + f"; {peer_is}_max_window_bits={bits}\r\n"
    settings = counting(engine=engine)
    rnd = random.Random(bits)
    for size in (0, 1, 2, 3, 257, 258, 259, 511, 513, 4096, 32767, 32768, 32769, 80_000):
        listener, pack = MessageRecorder(), Packer(bits)
        past = rnd.randbytes(size)
        end = past[-min(size, (1 << bits) - 262) :]  # zlib does not refer further back
        settings.made["inflater"] = 0
        async with messages_to(plain, listener, header, deflate=settings) as (_, peer):
            await peer.send(F(BINARY, pack(past), rsv=RSV1))
            await listener.until(1)
            for count in (2, 3, 4):
                await clock.idle()
                packed = pack(end)
                assert size < 511 or len(packed) < len(end) / 2
                await peer.send(F(BINARY, packed, rsv=RSV1))
                await listener.until(count)
            assert listener.seen == [past, end, end, end]
            assert settings.made["inflater"] == 4


async def test_not_within_a_message(plain: Setting, clock: Clock) -> None:
    listener, settings = MessageRecorder(), counting()
    packed = Packer()(b"abc" * 100)
    async with messages_to(plain, listener, DEFLATE, deflate=settings) as (transport, peer):
        await peer.send(F(BINARY, packed[:5], fin=False, rsv=RSV1))
        transport.send_message(WSMsgType.BINARY, b"abc" * 100, fin=False)
        parts = [await peer.read_frame()]
        await clock.idle()
        await clock.idle()
        await peer.send(F(CONTINUATION, packed[5:]))
        await listener.until(1)
        assert listener.seen == [b"abc" * 100]
        assert settings.made["inflater"] == 1
        transport.send_message(WSMsgType.CONTINUATION, b"abc")
        parts.append(await peer.read_frame())
        data = b"".join(part.payload for part in parts)
        assert zlib.decompressobj(-15).decompress(data + TAIL) == b"abc" * 101


async def test_few_are_looked_at_at_once(clock: Clock) -> None:
    """The loop iterates in between; connections that have ended by then are skipped."""
    made: list[int] = []
    iteration = 0

    class Seen(WSDeflate):
        def compressor(self, window_bits: int) -> Any:
            made.append(iteration)
            return super().compressor(window_bits)

    server = Setting("server", None)
    loop = asyncio.get_running_loop()

    def tick() -> None:
        nonlocal iteration
        iteration += 1
        loop.call_soon(tick)

    async with contextlib.AsyncExitStack() as stack, contextlib.AsyncExitStack() as gone:
        for i in range(50):
            listener = MessageRecorder()
            _, peer = await (gone if i % 10 == 9 else stack).enter_async_context(
                messages_to(server, listener, DEFLATE, deflate=Seen())
            )
            await peer.send(F(BINARY, Packer()(b"text"), rsv=RSV1))
            await listener.until(1)
        await clock.advance(PERIOD + 1)
        await gone.aclose()
        del peer, listener
        gc.collect()
        tick()
        await clock.advance(PERIOD + 1)
        assert len(made) == 45
        assert max(made.count(i) for i in made) <= 16
