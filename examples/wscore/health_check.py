"""WebSocket connections and plain HTTP responses on one port: a health check, and a redirect.

The listener factory is called for every request, even one that does not request an upgrade.
Argument: the port to listen on, 0 for any free one.
"""

import asyncio
import sys
from http import HTTPStatus

from wscore import (
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_create_server,
)


class Echo(WSListener):
    """The server's WebSocket service."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()
        elif frame.msg_type != WSMsgType.PONG:
            transport.send(frame.msg_type, frame.get_payload_as_memoryview(), frame.fin)


def answer(request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener | None:
    """Select by the path; None results in 404."""
    path, _, _ = request.path.partition(b"?")
    if path == b"/echo":
        return Echo()
    if path == b"/health":
        response = WSUpgradeResponse.create_ok_response(b"well\n", {"Cache-Control": "no-store"})
        return WSUpgradeResponseWithListener(response, None)
    if path == b"/":
        response = WSUpgradeResponse.create_redirect_response(
            HTTPStatus.TEMPORARY_REDIRECT, "/echo"
        )
        return WSUpgradeResponseWithListener(response, None)
    return None


async def main(port: str = "9001") -> None:
    """Serve until cancelled."""
    server = await ws_create_server(answer, "127.0.0.1", int(port))
    for sock in server.sockets:
        print("127.0.0.1:{1}".format(*sock.getsockname()), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KeyboardInterrupt:
        pass
