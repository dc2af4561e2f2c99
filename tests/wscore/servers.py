"""A server that echoes, and a client that talks to it and closes well."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from tests.wscore.recorder import BOUND, Recorder
from tests.wscore.wire import CLOSE, TEXT
from wscore import WSListener, WSMsgType, WSTransport, ws_connect, ws_create_server

LOOPBACK = "127.0.0.1"


class Echo(WSListener):
    """Replies with what it got, and answers a CLOSE."""

    def on_ws_frame(self, transport: WSTransport, frame: Any) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        else:
            transport.send(frame.msg_type, frame.get_payload_as_bytes())


@contextlib.asynccontextmanager
async def serving(*address: Any, **options: Any) -> AsyncIterator[asyncio.Server]:
    server = await ws_create_server(lambda _: Echo(), *address, **options)
    try:
        yield server
    finally:
        server.close()
        async with asyncio.timeout(BOUND):
            await server.wait_closed()


def port_of(server: asyncio.Server) -> int:
    port: int = server.sockets[0].getsockname()[1]
    return port


async def talk(url: str, **options: Any) -> WSTransport:
    """Open a connection, send and get a message, and close it well."""
    listener = Recorder()
    transport, _ = await ws_connect(lambda: listener, url, **options)
    transport.send(WSMsgType.TEXT, "hello")
    await listener.until("frame")
    transport.send_close(1000)
    await listener.until("disconnected")
    assert [opcode for opcode, _ in listener.seen] == [TEXT, CLOSE]
    return transport


async def talk_to(server: asyncio.Server, host: str = LOOPBACK, **options: Any) -> WSTransport:
    return await talk(f"ws://{host}:{port_of(server)}/", **options)
