"""asyncio's streams through any kind of proxy: send a line to a server, print its first answer.

    python streams.py PROXY HOST PORT LINE

PROXY is a URL, or several, separated by commas, for a chain. The code is the same for all kinds.
"""

import asyncio
import sys
from ssl import SSLContext

from wsproxy import ProxyError, open_tunnel_transport


async def open_connection_through(
    proxy: str, host: str, port: int, ssl: SSLContext | None = None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Do the same as `asyncio.open_connection()`, through a proxy."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, protocol = await open_tunnel_transport(
        lambda: asyncio.StreamReaderProtocol(reader), proxy.split(","), host, port, ssl=ssl
    )
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def main(proxy: str, host: str, port: str, line: str) -> None:
    try:
        reader, writer = await open_connection_through(proxy, host, int(port))
    except ProxyError as exc:
        sys.exit(f"no tunnel: {exc}")
    writer.write(line.encode() + b"\n")
    print((await reader.readline()).decode().rstrip())
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
