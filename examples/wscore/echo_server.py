"""Echo every received frame, until stopped with Ctrl-C.

Run it with `python echo_server.py`, then `echo_client.py` in another terminal. Argument: the port
to listen on, 0 for any free one.
"""

import asyncio
import sys

from wscore import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    ws_create_server,
)


class Echo(WSListener):
    """Serves one connection."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        peer = transport.underlying_transport.get_extra_info("peername")
        print("connected:", peer, flush=True)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_message())
            transport.disconnect()
        else:
            # The view is valid until this method returns; send() is done with it before.
            transport.send(frame.msg_type, frame.get_payload_as_memoryview(), frame.fin)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        print("disconnected:", transport.close_handshake, flush=True)


def choose_listener(request: WSUpgradeRequest) -> WSListener | None:
    """Serve one path; for others the client gets status 404."""
    return Echo() if request.path == b"/echo" else None


async def main(port: str = "9001") -> None:
    """Serve until cancelled."""
    server = await ws_create_server(choose_listener, "127.0.0.1", int(port))
    for sock in server.sockets:
        print("ws://{}:{}/echo".format(*sock.getsockname()), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        pass
