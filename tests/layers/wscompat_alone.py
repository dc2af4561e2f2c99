"""Run in an environment where wscompat was installed, and with it what it stands on."""

import asyncio
from importlib.util import find_spec

import wscompat
from wscompat.asyncio.client import connect
from wscompat.asyncio.server import ServerConnection, serve

for peer in ("websockets", "picows"):
    assert find_spec(peer) is None, f"{peer} came along"


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def main() -> None:
    async with serve(echo, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}/", proxy=None) as connection:
            for message in ("grüße", b"\x00\xff"):
                await connection.send(message)
                assert await connection.recv() == message


asyncio.run(asyncio.wait_for(main(), 20))
print(f"wscompat {wscompat.__version__} with what it stands on: ok")
