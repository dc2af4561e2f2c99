"""Return every text in capitals: a server with the awaitable API of wscompat.

Arguments: the port to listen on, 0 for any free one.
"""

import asyncio
import sys

from wscompat.asyncio.server import ServerConnection, serve


async def shout(connection: ServerConnection) -> None:
    async for message in connection:
        if isinstance(message, str):
            await connection.send(message.upper())


async def main(port: int) -> None:
    async with serve(shout, "127.0.0.1", port) as server:
        for listening in server.sockets:
            print("ws://127.0.0.1:{1}/".format(*listening.getsockname()), flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
