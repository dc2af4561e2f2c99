"""Send compressed messages, to a callback at one endpoint and to a queue at the other.

`WSMessageListener` is called with whole messages, `WSMessageReader` queues them; both support
permessage-deflate if it is enabled. A file is sent in fragments, and read in pieces: neither
endpoint ever has all of it in memory.
"""

import asyncio

from wscore import (
    WSCloseCode,
    WSDeflate,
    WSMessageListener,
    WSMessageReader,
    WSMsgType,
    WSTransport,
    ws_connect,
    ws_create_server,
)

LINE = b"timber 410 oak 22 copper 9870\n"


class Archive(WSMessageListener):
    """The server's listener."""

    def on_ws_message(
        self, transport: WSTransport, msg_type: WSMsgType, message: str | bytes
    ) -> None:
        """Answer a request with a text, and then with a large file."""
        transport.send_message(WSMsgType.TEXT, f"you asked for {message}")
        transport.send_message(WSMsgType.BINARY, LINE * 1000, fin=False)
        for _ in range(98):
            transport.send_message(WSMsgType.CONTINUATION, LINE * 1000, fin=False)
        transport.send_message(WSMsgType.CONTINUATION, LINE * 1000)


async def main() -> None:
    """Run both endpoints."""
    deflate = WSDeflate(server_max_window_bits=12, client_max_window_bits=12)
    server = await ws_create_server(lambda _: Archive(), "127.0.0.1", 0, deflate=deflate)
    port = server.sockets[0].getsockname()[1]
    transport, reader = await ws_connect(
        lambda: WSMessageReader(stream=True), f"ws://127.0.0.1:{port}/", deflate=WSDeflate()
    )
    print("agreed on:", transport.response.headers["Sec-WebSocket-Extensions"])
    transport.send_message(WSMsgType.TEXT, "the stock of last year")
    print(await reader.recv())
    print("bytes:", sum([len(piece) async for piece in reader.recv_streaming()]))
    transport.send_close(WSCloseCode.OK)
    transport.disconnect()
    await transport.wait_disconnected()
    server.close()
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
