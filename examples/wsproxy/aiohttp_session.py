"""aiohttp through a SOCKS proxy, or any other that wsproxy supports: fetch a page and print it.

    python aiohttp_session.py PROXY URL

aiohttp connects to the addresses that its resolver returns. The resolver here returns the address
of a small loopback server, one for each host and port, which forwards every connection through the
proxy. aiohttp still uses the real host name, so TLS and cookies work as usual. The same works for
any library whose resolver can be replaced. While these servers run, other programs on this machine
can use them, too.
"""

import asyncio
import socket
import sys

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from wsproxy import ProxyError, open_tunnel_transport


class TunnelResolver(AbstractResolver):
    """Send every connection through a proxy, which also resolves the names."""

    def __init__(self, proxy: str) -> None:
        self._proxy = proxy
        self._servers: dict[tuple[str, int], asyncio.Server] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the address of the server that forwards connections to the host and port."""
        if (host, port) not in self._servers:
            self._servers[host, port] = await asyncio.start_server(
                lambda reader, writer: self._pass_on(reader, writer, host, port), "127.0.0.1", 0
            )
        address, local_port = self._servers[host, port].sockets[0].getsockname()
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=local_port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Stop accepting connections."""
        for server in self._servers.values():
            server.close()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int
    ) -> None:
        far_reader = asyncio.StreamReader()
        try:
            transport, protocol = await open_tunnel_transport(
                lambda: asyncio.StreamReaderProtocol(far_reader), self._proxy, host, port
            )
        except ProxyError as exc:
            print(f"no tunnel: {exc}", file=sys.stderr)
            writer.close()
            return
        loop = asyncio.get_running_loop()
        far_writer = asyncio.StreamWriter(transport, protocol, far_reader, loop)
        try:
            await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))
        finally:
            far_writer.close()
            writer.close()


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy one direction of a connection until its end, or until either endpoint disconnects."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    if writer.can_write_eof() and not writer.is_closing():
        writer.write_eof()
    else:
        writer.close()


async def main(proxy: str, url: str) -> None:
    connector = aiohttp.TCPConnector(resolver=TunnelResolver(proxy))
    async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as response:
        print(response.status, await response.text())


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
