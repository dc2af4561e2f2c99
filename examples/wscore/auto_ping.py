"""Detect a lost peer with application-level pings.

Some services expect the text `{"op": "ping"}` instead of the protocol's PING. Messages are parsed
only once: the listener itself reports the answer.
"""

import asyncio
import json

from wscore import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
    ws_create_server,
)

IDLE = 0.1  # seconds of silence before a ping; tens of seconds are usual
REPLY = 0.2  # seconds for the answer


class Server(WSListener):
    """Pings a silent client with its own messages."""

    def send_user_specific_ping(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, '{"op": "ping"}')

    def is_user_specific_pong(self, frame: WSFrame) -> bool:
        return False  # parsing is left to on_ws_frame

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            message = json.loads(frame.get_payload_as_utf8_text())
            if message["op"] == "pong":
                transport.notify_user_specific_pong_received()
                print("the client is there")


class Client(WSListener):
    """Answers twice, and then stops answering."""

    def __init__(self) -> None:
        self._answers_left = 2

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT and self._answers_left:
            self._answers_left -= 1
            if json.loads(frame.get_payload_as_utf8_text())["op"] == "ping":
                transport.send(WSMsgType.TEXT, '{"op": "pong"}')
        elif frame.msg_type == WSMsgType.CLOSE:
            code, reason = frame.get_close_code(), frame.get_close_message()
            print("the server gave up:", int(code), (reason or b"").decode())
            transport.disconnect()


async def main() -> None:
    """Run both endpoints."""
    server = await ws_create_server(
        lambda _: Server(),
        "127.0.0.1",
        0,
        enable_auto_ping=True,
        auto_ping_idle_timeout=IDLE,
        auto_ping_reply_timeout=REPLY,
    )
    port = server.sockets[0].getsockname()[1]
    transport, _ = await ws_connect(Client, f"ws://127.0.0.1:{port}/")
    await transport.wait_disconnected()
    server.close()
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
