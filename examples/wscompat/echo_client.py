"""Send each line of input to an echo server, and print the echo.

Usage: python echo_client.py [URI]
"""

import asyncio
import sys

from wscompat.asyncio.client import connect
from wscompat.exceptions import ConnectionClosed


async def main() -> None:
    uri = sys.argv[1] if len(sys.argv) > 1 else "ws://localhost:8765"
    async with connect(uri) as connection:
        while line := await asyncio.to_thread(sys.stdin.readline):
            try:
                await connection.send(line.rstrip("\n"))
                print(await connection.recv(), flush=True)
            except ConnectionClosed as exc:
                print("the server left:", exc)
                return


if __name__ == "__main__":
    asyncio.run(main())
