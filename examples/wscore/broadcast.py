"""Send the same message to many clients: a chat room in which all members get each message.

`ws_broadcast` builds the frame once for any number of connections, and has an option for clients
that do not keep up.
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
    """The server's listener of one connection."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        room.add(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            text = frame.get_payload_as_bytes()
            # A slow client misses some messages, and does not delay the others.
            missed = ws_broadcast(room, WSMsgType.TEXT, text, when_slow=WSSlowPeer.SKIP)
            print("said:", text.decode(), "- missed by", len(missed))
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        room.discard(transport)


async def main() -> None:
    """Let many clients connect, and one of them send."""
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
