"""Sends the same to many clients: a chat room in which everybody hears what one says.

`ws_broadcast` makes the frame once, however many connections it goes to, and is told what to do
with clients that do not keep up.
"""

import asyncio

from wscore import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMessageReader,
    WSMsgType,
    WSSlowPeer,
    WSTransport,
    ws_broadcast,
    ws_connect,
    ws_create_server,
)

CLIENTS = 100

room: set[WSTransport] = set()


class Member(WSListener):
    """The server's end of one connection."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        room.add(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            text = frame.get_payload_as_bytes()
            # A client that lets messages pile up misses some, and delays nobody else.
            missed = ws_broadcast(room, WSMsgType.TEXT, text, when_slow=WSSlowPeer.SKIP)
            print("said:", text.decode(), "- missed by", len(missed))
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        room.discard(transport)


async def main() -> None:
    """Let many come in, and one of them speak."""
    server = await ws_create_server(lambda _: Member(), "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    clients = [await ws_connect(WSMessageReader, url) for _ in range(CLIENTS)]
    speaker, _ = clients[0]
    speaker.send(WSMsgType.TEXT, "good evening")
    heard = [await reader.recv() for _, reader in clients]
    print(heard.count("good evening"), "heard it")
    for transport, _ in clients:
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()
        await transport.wait_disconnected()
    server.close()
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
