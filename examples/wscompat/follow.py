"""Print the messages of a server, and reconnect whenever the connection is lost.

Usage: python follow.py ws://HOST/PATH
"""

import asyncio
import contextlib
import sys

from wscompat.asyncio.client import connect
from wscompat.exceptions import ConnectionClosed


async def main(uri: str) -> None:
    async for connection in connect(uri):
        print("connected", flush=True)
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                print(message, flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(sys.argv[1]))
