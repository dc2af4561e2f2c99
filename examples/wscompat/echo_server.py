"""Echo every message to its client, until interrupted.

Usage: python echo_server.py [PORT]
"""

import asyncio
import contextlib
import sys

from wscompat.asyncio.server import ServerConnection, serve


async def echo(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8765
    async with serve(echo, "localhost", port) as server:
        print("listening on port", server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
