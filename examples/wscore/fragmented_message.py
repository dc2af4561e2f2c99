"""Send a message in several frames, and join the frames of a received one.

A listener gets each frame as it arrives. For whole messages, join the frames, as here, or use
`WSMessageListener` or `WSMessageReader`, which also do more.
"""

import asyncio

from wscore import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
    ws_create_server,
)

MAX_MESSAGE = 1 << 20  # bytes; ws_create_server(max_message_size=…) lets wscore check it


class Joining(WSListener):
    """Calls `on_message` once per message."""

    def __init__(self) -> None:
        self._type = WSMsgType.TEXT
        self._parts = bytearray()

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type in (WSMsgType.TEXT, WSMsgType.BINARY):
            self._type = frame.msg_type  # the first frame has the type of the message
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
            return
        elif frame.msg_type != WSMsgType.CONTINUATION:
            return  # PING and PONG may come between the frames of a message
        self._parts += frame.get_payload_as_memoryview()
        if frame.fin:
            message = bytes(self._parts)
            self._parts.clear()
            self.on_message(transport, self._type, message)

    def on_message(self, transport: WSTransport, msg_type: WSMsgType, message: bytes) -> None:
        """Handle a whole message; override this method."""


class Server(Joining):
    """Prints messages and says thanks."""

    def on_message(self, transport: WSTransport, msg_type: WSMsgType, message: bytes) -> None:
        print(msg_type.name, "message:", message.decode())
        transport.send(WSMsgType.TEXT, "thanks")


class Client(Joining):
    """Sends a text in three frames, with a PING in between."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, "a message ", fin=False)
        transport.send(WSMsgType.CONTINUATION, "in three ", fin=False)
        transport.send_ping(b"still there?")
        transport.send(WSMsgType.CONTINUATION, "frames")

    def on_message(self, transport: WSTransport, msg_type: WSMsgType, message: bytes) -> None:
        print("server says:", message.decode())
        transport.send_close(WSCloseCode.OK)


async def main() -> None:
    """Run both endpoints."""
    server = await ws_create_server(
        lambda _: Server(), "127.0.0.1", 0, max_message_size=MAX_MESSAGE
    )
    port = server.sockets[0].getsockname()[1]
    transport, _ = await ws_connect(Client, f"ws://127.0.0.1:{port}/")
    await transport.wait_disconnected()
    server.close()
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
