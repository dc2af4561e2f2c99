"""Send one text through a proxy and print the answer.

Arguments: the server's URL, the proxy's URL, the text.
"""

import asyncio
import sys

from wscore import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_connect


class Asker(WSListener):
    def __init__(self, text: str) -> None:
        self.text = text

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, self.text)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            print(frame.get_payload_as_utf8_text())
            transport.send_close(WSCloseCode.OK)
            transport.disconnect()


async def main(url: str, proxy: str, text: str) -> None:
    transport, _ = await ws_connect(lambda: Asker(text), url, proxy=proxy)
    await transport.wait_disconnected()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
