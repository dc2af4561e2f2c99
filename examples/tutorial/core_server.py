"""Return every text in capitals: a server with the callback API of wscore.

Arguments: the port to listen on, 0 for any free one.
"""

import asyncio
import sys

from wscore import WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server


class Shouter(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            text = frame.get_payload_as_utf8_text()
            transport.send(WSMsgType.TEXT, text.upper())
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()


async def main(port: int) -> None:
    server = await ws_create_server(lambda request: Shouter(), "127.0.0.1", port)
    for listening in server.sockets:
        print("ws://127.0.0.1:{1}/".format(*listening.getsockname()), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
