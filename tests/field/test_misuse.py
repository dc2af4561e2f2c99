"""Misuse raises an exception of Python that says what is wrong; it never crashes.

In which words each extension type says it, is in the tests of its module.
"""

import asyncio
import contextlib
import threading
from collections.abc import Awaitable

import pytest

from tests.field.ends import CompatEnd, CoreEnd, Setting, accept_upgrade
from tests.field.peer import BOUND, Peer, connected, listening
from tests.support.leaks import LoopErrors
from tests.wscore import wire


def without_init(cls: type) -> type:
    """Derive a class that forgets to initialize its base."""

    def init(self: object, *args: object, **kwargs: object) -> None:
        for name, value in zip(("deliver",), args, strict=False):
            setattr(self, name, value)

    return type("Forgetful", (cls,), {"__init__": init})


@pytest.mark.field("a subclass without __init__")
async def test_a_subclass_that_forgets_its_base(setting: Setting, no_leaks: LoopErrors) -> None:
    """No connection is made, with an exception, or it works as far as a message and a CLOSE."""
    if setting.side == "client":
        with listening(setting.tls and setting.tls.server) as listener:
            opening = asyncio.create_task(setting.connect(listener.port, subclass=without_init))
            accepting = asyncio.create_task(listener.accept())
            await asyncio.wait([opening, accepting], return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)
            if accepting.done():
                with accepting.result().sock:
                    await talk(accepting.result(), accept_upgrade(accepting.result()))
            accepting.cancel()
            (result,) = await asyncio.gather(opening, return_exceptions=True)
            assert result is None or isinstance(result, Exception)
    else:
        async with (
            setting.serving(lambda end: end.over.set(), subclass=without_init) as port,
            connected(port, setting.tls and setting.tls.client) as peer,
        ):
            await talk(peer, ask_for_upgrade(peer))
    no_leaks.clear()  # where a transport calls the protocol, its exception is the loop's


async def ask_for_upgrade(peer: Peer) -> None:
    await peer.shake_hands()
    await peer.send(wire.request())
    if not (await peer.read_head()).startswith(b"HTTP/1.1 101"):
        raise ConnectionError("no connection is made")


async def talk(peer: Peer, handshake: Awaitable[None]) -> None:
    """Say something, as far as the other side is there."""
    with contextlib.suppress(EOFError, ConnectionError):
        await handshake
        await peer.send(wire.F(wire.TEXT, b"hello"), wire.close(1000))
        await peer.read_frames()


@pytest.mark.field("before or after its time")
async def test_a_connection_that_is_over_raises(setting: Setting) -> None:
    async with setting.pair() as (end, peer):
        await peer.send(wire.F(wire.TEXT, b"the last one"), wire.close(1000))
        async with asyncio.timeout(BOUND):
            await peer.read_frames()
            peer.sock.close()
            await end.wait_closed()
            assert await end.receive() == "the last one"
            for _ in range(2):
                with pytest.raises(end.closed_errors):
                    await end.receive()
            if isinstance(end, CoreEnd):
                await end.send("nothing is sent")
                end.core.send_close(1000)
                end.core.disconnect()
            else:
                with pytest.raises(end.closed_errors):
                    await end.send("nothing is sent")
                await end.close()


@pytest.mark.field("another thread")
async def test_another_thread_is_refused(setting: Setting) -> None:
    async with setting.pair() as (end, peer):
        caught: list[BaseException] = []

        def use() -> None:
            try:
                if isinstance(end, CompatEnd):
                    asyncio.run(end.send("hello"))
                elif isinstance(end, CoreEnd):
                    end.core.send_ping()
            except BaseException as exc:
                caught.append(exc)

        thread = threading.Thread(target=use)
        thread.start()
        while thread.is_alive():
            await asyncio.sleep(0)
        thread.join()
        assert [type(exc) for exc in caught] == [RuntimeError]
        # And nothing is broken by it.
        await end.send("still here")
        async with asyncio.timeout(BOUND):
            assert (await peer.read_frame()).payload == b"still here"
