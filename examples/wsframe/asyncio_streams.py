"""An echo server over asyncio streams: the frames of wsframe on `StreamReader` and `StreamWriter`.

    python asyncio_streams.py 8765

Port 0 selects a free port; the port in use is printed. For real servers use wscore, which is made
for asyncio and much faster; this shows how little code is needed to send WebSocket frames over any
stream, such as a pipe or a serial line.
"""

import asyncio
import base64
import hashlib
import sys

from wsframe import FrameError, FrameParser, FrameWriter, Opcode, Role

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


async def shake_hands(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer an upgrade request (RFC 6455, section 4.2); return False for any other request."""
    head = await reader.readuntil(b"\r\n\r\n")
    headers = {}
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        headers[name.strip().lower()] = value.strip()
    key = headers.get(b"sec-websocket-key")
    if key is None or headers.get(b"upgrade", b"").lower() != b"websocket":
        writer.write(b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n\r\n")
        return False
    accept = base64.b64encode(hashlib.sha1(key + GUID).digest())
    writer.write(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
    )
    return True


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Send every data frame back as it came, fragments included; answer pings and CLOSE."""
    parser = FrameParser(Role.SERVER, max_message_size=1 << 20)
    frames = FrameWriter(Role.SERVER)
    try:
        while not parser.closed and (data := await reader.read(65536)):
            for frame in parser.feed(data):
                if frame.opcode is Opcode.PING:
                    writer.write(frames.pong(bytes(frame)))
                elif frame.opcode is Opcode.CLOSE:
                    writer.write(frames.frame(Opcode.CLOSE, frame.payload))
                elif frame.opcode is not Opcode.PONG:
                    writer.write(frames.frame(frame.opcode, frame.payload, fin=frame.fin))
            await writer.drain()
    except FrameError as exc:
        writer.write(frames.close(exc.close_code, exc.args[0]))


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Handle one connection, from its first byte to its last."""
    try:
        if await shake_hands(reader, writer):
            await echo(reader, writer)
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        pass  # the peer disconnected, or did not send HTTP
    finally:
        writer.close()


async def main(port: int) -> None:
    """Serve on loopback until interrupted."""
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
