"""Send one message to `echo_server.py`, print the answer and close the connection."""

import asyncio
import sys

from wscore import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect


class Client(WSListener):
    """Sends a message, waits for the echo, and closes."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, "Grüße, server")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            print("echo:", frame.get_payload_as_utf8_text())
            transport.send_close(WSCloseCode.OK, "that was all")
        elif frame.msg_type == WSMsgType.CLOSE:
            # The server closes the TCP connection after its CLOSE; a client may also do so.
            transport.disconnect()


async def main(url: str = "ws://127.0.0.1:9001/echo") -> None:
    """Run the client once."""
    transport, _ = await ws_connect(Client, url)
    await transport.wait_disconnected()
    print("closed:", transport.close_handshake)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
