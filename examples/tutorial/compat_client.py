"""Send one text, print the answer and close: a client with the awaitable API of wscompat.

Arguments: the server's URL, then the text.
"""

import asyncio
import sys

from wscompat.asyncio.client import connect


async def main(url: str, text: str) -> None:
    async with connect(url) as connection:
        await connection.send(text)
        print(await connection.recv())


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
