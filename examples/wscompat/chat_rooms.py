"""A chat with rooms at /room/NAME: each message of a member is sent to all the others.

Usage: python chat_rooms.py [PORT]

werkzeug's rules select the room (pip install 'wscompat[router]').
"""

import asyncio
import contextlib
import sys
from collections import defaultdict

from werkzeug.routing import Map, Rule

from wscompat.asyncio.router import route
from wscompat.asyncio.server import ServerConnection, broadcast

rooms: defaultdict[str, set[ServerConnection]] = defaultdict(set)


async def chat(connection: ServerConnection, name: str) -> None:
    members = rooms[name]
    members.add(connection)
    try:
        async for message in connection:
            broadcast(members - {connection}, message)
    finally:
        members.remove(connection)


async def count(connection: ServerConnection) -> None:
    await connection.send(", ".join(f"{name}: {len(rooms[name])}" for name in sorted(rooms)))


url_map = Map([Rule("/rooms", endpoint=count), Rule("/room/<name>", endpoint=chat)])


async def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8765
    async with route(url_map, "localhost", port) as server:
        print("listening on port", server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
