"""Every method with an effect is refused in other threads than the loop's; nothing breaks."""

import asyncio
import contextlib
import inspect
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.wscore.pairs import Setting, serving, until_gone
from tests.wscore.raw_peer import BOUND
from wscore import WSMsgType, WSTransport, ws_connect
from wscore.messages.message_connection import WSMessageConnection

# The arguments of each method; the others take none.
ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "send": (WSMsgType.TEXT, b"a"),
    "send_message": (WSMsgType.TEXT, b"a"),
    "send_reuse_external_bytearray": (WSMsgType.BINARY, bytearray(100), 20),
    "fail": (1011,),
    "measure_roundtrip_time": (1,),
    "write": (b"raw",),
    "writelines": ([b"raw"],),
    "get_extra_info": ("socket",),
    "set_write_buffer_limits": (100, 10),
    "feed": (True, True, b"a"),
    "fragments_error": (5,),
    "on_ws_frame": (None, None),
    "discard": (0.1,),
}

# Methods that only return something, or do nothing unless overridden.
ALLOWED = {
    *("can_write_eof", "get_extra_info", "get_protocol", "get_write_buffer_limits"),
    *("get_write_buffer_size", "is_closing", "is_reading"),
    *("closed_error", "closed_well", "concurrency_error", "decode_error", "ends_iteration"),
    *("on_close", "on_incomplete_message", "on_pong", "on_ws_connected", "on_ws_disconnected"),
    *("is_user_specific_pong", "send_user_specific_ping", "pause_writing", "resume_writing"),
    "fault_reason",
}
# Methods that only wait, in a loop that never ends the wait, or are impossible in any thread.
LEFT_OUT = {"wait_disconnected", "set_protocol", "set_server", "write_eof"}


class Connection(WSMessageConnection):
    """A subclass like that of wscompat."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self._transport = transport


class Echo(Connection):
    """Echoes frames."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        super().on_ws_connected(transport)
        self.task = asyncio.get_running_loop().create_task(self.run(transport))

    async def run(self, transport: WSTransport) -> None:
        with contextlib.suppress(EOFError):
            async for message in self:
                transport.send_message(WSMsgType.TEXT, message)


def methods(item: Any) -> list[str]:
    """Return the names of the public methods."""
    names = [name for name in dir(item) if not name.startswith("_")]
    return [name for name in names if callable(getattr(item, name)) and name not in LEFT_OUT]


def outcome(item: Any, name: str) -> BaseException | None:
    """Return the exception that a method raises in another thread, where a loop runs."""
    caught: list[BaseException] = []

    async def call() -> None:
        function = getattr(item, name)
        given = (
            ("a",) if name == "send" and isinstance(item, Connection) else ARGUMENTS.get(name, ())
        )
        result = function(*given)
        if inspect.isawaitable(result):
            await result
        elif hasattr(result, "__anext__"):
            await anext(result)

    def run() -> None:
        try:
            asyncio.run(call())
        except BaseException as exc:
            caught.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(BOUND)
    assert not thread.is_alive()
    return caught[0] if caught else None


@pytest.mark.parametrize(
    "chosen",
    [
        lambda client: client.transport,
        lambda client: client.transport.underlying_transport,
        lambda client: client,
    ],
    ids=["transport", "below", "reader"],
)
@pytest.mark.parametrize("has_message", [False, True])
async def test_another_thread(
    both: Setting, chosen: Callable[[Connection], Any], has_message: bool
) -> None:
    async with serving(both, lambda _: Echo()) as port:
        transport, client = await ws_connect(Connection, both.url(port), **both.client_options)
        item = chosen(client)
        for name in methods(item):
            if has_message:
                transport.send(WSMsgType.TEXT, name.encode())
                await asyncio.sleep(0.002)
            exc = outcome(item, name)
            if name in ALLOWED:
                assert exc is None or isinstance(exc, TypeError), name
            else:
                assert isinstance(exc, RuntimeError), name
                assert "call_soon_threadsafe" in str(exc), name
            # The connection still works.
            transport.send(WSMsgType.TEXT, name.encode())
            async with asyncio.timeout(BOUND):
                for _ in range(1 + has_message):
                    assert await client.recv() == name
        transport.disconnect()
        await until_gone(transport)
