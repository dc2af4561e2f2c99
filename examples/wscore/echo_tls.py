"""The same conversation over TLS, both ends in one program.

It needs a certificate for the server and the authority that issued it: give the paths of two PEM
files, the server's certificate chain with its key, and the authority's certificate.
"""

import asyncio
import ssl
import sys

from wscore import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
    ws_create_server,
)


class Echo(WSListener):
    """The server's end."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        else:
            transport.send(frame.msg_type, frame.get_payload_as_memoryview(), frame.fin)


class Client(WSListener):
    """The client's end."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        tls = transport.underlying_transport.get_extra_info("ssl_object")
        print("secured by", tls.version())
        transport.send(WSMsgType.TEXT, "nobody else can read this")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            print("echo:", frame.get_payload_as_utf8_text())
            transport.send_close(WSCloseCode.OK)


async def main(certificate: str, authority: str) -> None:
    """Serve, connect, talk, and end."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(certificate)
    server = await ws_create_server(lambda _: Echo(), "localhost", 0, ssl=server_context)
    port = server.sockets[0].getsockname()[1]

    client_context = ssl.create_default_context(cafile=authority)
    transport, _ = await ws_connect(Client, f"wss://localhost:{port}/", ssl_context=client_context)
    await transport.wait_disconnected()
    server.close()
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
