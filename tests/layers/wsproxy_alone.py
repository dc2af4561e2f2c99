"""Run in an environment where only wsproxy was installed: talks through an HTTP proxy."""

import asyncio
from importlib.util import find_spec

import wsproxy

for other in ("wsframe", "wscore", "wscompat"):
    assert find_spec(other) is None, f"{other} came along"


async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept a CONNECT, and then be the target too: an echo."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"CONNECT example.invalid:7 HTTP/1.1\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    writer.write(await reader.readexactly(4))
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def main() -> None:
    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    tunnel = await wsproxy.open_tunnel(f"http://127.0.0.1:{port}", "example.invalid", 7)
    reader, writer = await asyncio.open_connection(sock=tunnel)
    writer.write(b"ping")
    assert await reader.read() == b"ping"
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()


asyncio.run(asyncio.wait_for(main(), 20))
print(f"wsproxy {wsproxy.__version__} alone: ok")
