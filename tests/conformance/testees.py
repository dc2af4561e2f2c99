"""What the Autobahn test suite talks with: echo servers and clients on each API offered here.

A testee says back what it hears, as a program that follows the documentation would. It must not
know which case is being run, nor help the package under test to pass it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import wscompat
import wscore
from wscompat.asyncio.client import connect
from wscompat.asyncio.server import ServerConnection, serve

HOST = "127.0.0.1"

# The largest messages of section 9 have 16 MiB.
MAX_SIZE = 32 << 20

# Seconds for one case. The suite itself gives up earlier, and its slowest cases take ten or so.
CASE_TIMEOUT = 120

# Two cases of it send 65537 fragments, one more than is allowed unless one asks for it.
_LIMITS: dict[str, Any] = {
    "max_frame_size": MAX_SIZE,
    "max_message_size": MAX_SIZE,
    "max_fragments": None,
}


@dataclass(frozen=True)
class Testee:
    """One implementation in both roles.

    Attributes:
        name: what the reports call it.
        serve: starts an echo server, and gives its port.
        echo: connects to a URL, and echoes until the connection has ended.
        compresses: whether it speaks permessage-deflate.
    """

    name: str
    serve: Callable[[], AbstractAsyncContextManager[int]]
    echo: Callable[[str], Awaitable[None]]
    compresses: bool


# --- wscore, frame by frame ---------------------------------------------------------------------


class FrameEcho(wscore.WSListener):
    """Echoes each frame as it comes: a fragment as a fragment."""

    def on_ws_frame(self, transport: wscore.WSTransport, frame: wscore.WSFrame) -> None:
        if frame.msg_type == wscore.WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        elif frame.msg_type != wscore.WSMsgType.PONG:
            transport.send(frame.msg_type, frame.get_payload_as_memoryview(), frame.fin)


# --- wscore, message by message -----------------------------------------------------------------


class MessageEcho(wscore.WSMessageReader):
    """Echoes whole messages, from a task of its own."""

    def on_ws_connected(self, transport: wscore.WSTransport) -> None:
        self.task = asyncio.get_running_loop().create_task(self._echo())

    async def _echo(self) -> None:
        with contextlib.suppress(EOFError):  # the connection failed
            async for message in self:
                kinds = wscore.WSMsgType
                kind = kinds.TEXT if isinstance(message, str) else kinds.BINARY
                self.transport.send_message(kind, message)


class CallbackEcho(wscore.WSMessageListener):
    """Echoes whole messages, as they come."""

    def on_ws_message(
        self, transport: wscore.WSTransport, msg_type: wscore.WSMsgType, message: str | bytes
    ) -> None:
        transport.send_message(msg_type, message)


def _transport(
    name: str,
    listener: Callable[[], wscore.WSListener],
    deflate: wscore.WSDeflate | None = None,
) -> Testee:
    options = {**_LIMITS, "deflate": deflate}

    @contextlib.asynccontextmanager
    async def serve_listener() -> AsyncIterator[int]:
        server = await wscore.ws_create_server(lambda _: listener(), HOST, 0, **options)
        async with server:
            yield server.sockets[0].getsockname()[1]

    async def echo(url: str) -> None:
        transport, _ = await wscore.ws_connect(listener, url, **options)
        async with asyncio.timeout(CASE_TIMEOUT):
            with contextlib.suppress(wscore.WSProtocolError):  # many cases provoke one
                await transport.wait_disconnected()

    return Testee(name, serve_listener, echo, deflate is not None)


# --- wscompat -----------------------------------------------------------------------------------


async def _echo_all(connection: Any) -> None:
    with contextlib.suppress(wscompat.ConnectionClosed):
        async for message in connection:
            await connection.send(message)


@contextlib.asynccontextmanager
async def _serve_compat() -> AsyncIterator[int]:
    async def handler(connection: ServerConnection) -> None:
        await _echo_all(connection)

    async with serve(handler, HOST, 0, max_size=MAX_SIZE) as server:
        yield next(iter(server.sockets)).getsockname()[1]


async def _echo_compat(url: str) -> None:
    async with (
        asyncio.timeout(CASE_TIMEOUT),
        connect(url, max_size=MAX_SIZE) as connection,
    ):
        await _echo_all(connection)


TESTEES = {
    testee.name: testee
    for testee in (
        _transport("wscore", FrameEcho),
        _transport("wscore-messages", MessageEcho, wscore.WSDeflate(min_size=0)),
        _transport("wscore-callbacks", CallbackEcho, wscore.WSDeflate(min_size=0)),
        Testee("wscompat", _serve_compat, _echo_compat, True),
    )
}


async def ask(url: str) -> str:
    """Connect, and return the one message that the fuzzing server sends; empty if it sends none."""
    async with connect(url, compression=None) as connection:
        with contextlib.suppress(wscompat.ConnectionClosed):
            return str(await connection.recv())
    return ""
