"""A forked child cannot affect its parent's connections, and gets an exception for trying."""

import asyncio
import contextlib
import os
from collections.abc import Callable
from typing import Any

import pytest

from tests.wscore.pairs import Setting, serving, until_gone
from tests.wscore.raw_peer import BOUND
from wscore import WSMessageReader, WSMsgType, WSTransport, ws_connect


def in_a_child(function: Callable[[], str]) -> str:
    """Return a function's result in a forked child, or the exception that it raises."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            try:
                text = function()
            except BaseException as exc:
                text = f"{type(exc).__name__}: {exc}"
            os.write(writer, text.encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        text = answer.read()
    assert os.waitpid(child, 0) == (child, 0)
    return text


class Echo(WSMessageReader):
    """Echoes frames."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.task = asyncio.get_running_loop().create_task(self.run(transport))

    async def run(self, transport: WSTransport) -> None:
        async for message in self:
            transport.send(WSMsgType.TEXT, message)


USES: dict[str, Callable[[WSTransport], Any]] = {
    "send": lambda transport: transport.send(WSMsgType.TEXT, b"from the child"),
    "send_message": lambda transport: transport.send_message(WSMsgType.TEXT, b"from the child"),
    "send_ping": lambda transport: transport.send_ping(),
    "send_close": lambda transport: transport.send_close(),
    "fail": lambda transport: transport.fail(1011),
    "disconnect": lambda transport: transport.disconnect(),
    "abort": lambda transport: transport.disconnect(graceful=False),
    "cork": lambda transport: transport.cork(),
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_connections_in_a_forked_child(both: Setting, use: Any) -> None:
    echoes = [Echo()]
    async with serving(both, lambda _: echoes[0]) as port:
        reader = WSMessageReader()
        transport, _ = await ws_connect(lambda: reader, both.url(port), **both.client_options)
        try:
            for _ in range(2):
                text = in_a_child(lambda: str(use(transport)))
                assert text.startswith("RuntimeError: this connection belongs to the parent")
                transport.send(WSMsgType.TEXT, b"from the parent")
                async with asyncio.timeout(BOUND):
                    assert await reader.recv() == "from the parent"
        finally:
            transport.disconnect(graceful=False)
            await until_gone(transport)
            with contextlib.suppress(EOFError):
                await echoes[0].task
