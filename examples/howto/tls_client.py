"""Send one text over TLS and print the answer, trusting only one certificate authority.

Arguments: the server's wss:// URL, the authority's certificate as a PEM file, the text.
"""

import asyncio
import ssl
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


async def main(url: str, authority: str, text: str) -> None:
    context = ssl.create_default_context(cafile=authority)
    transport, _ = await ws_connect(lambda: Asker(text), url, ssl_context=context)
    await transport.wait_disconnected()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
