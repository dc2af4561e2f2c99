"""Negotiate a subprotocol: the client offers some, the server selects one, or refuses."""

import asyncio

from wscore import (
    WSCloseCode,
    WSInvalidStatusError,
    WSListener,
    WSTransport,
    WSUpgradeRequest,
    WSUpgradeResponse,
    WSUpgradeResponseWithListener,
    ws_connect,
    ws_create_server,
)

HEADER = "Sec-WebSocket-Protocol"
SPOKEN = ("chat.v2", "chat.v1")  # the preferred one first


class Client(WSListener):
    """Sends the negotiated subprotocol, and closes."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        print("agreed on:", transport.response.headers[HEADER])
        transport.send_close(WSCloseCode.OK)
        transport.disconnect()


def choose(request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
    """Select the best subprotocol that is offered; refuse if there is none."""
    offered = {name.strip() for name in request.headers.get(HEADER, "").split(",")}
    for name in SPOKEN:
        if name in offered:
            response = WSUpgradeResponse.create_101_response({HEADER: name})
            return WSUpgradeResponseWithListener(response, WSListener())
    refusal = WSUpgradeResponse.create_error_response(400, b"speak chat.v1 or chat.v2")
    return WSUpgradeResponseWithListener(refusal, None)


async def main() -> None:
    """Try a supported offer, and an unsupported one."""
    server = await ws_create_server(choose, "127.0.0.1", 0)
    url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    transport, _ = await ws_connect(Client, url, extra_headers={HEADER: "chat.v1, chat.v2"})
    await transport.wait_disconnected()
    try:
        await ws_connect(Client, url, extra_headers={HEADER: "telegraph"})
    except WSInvalidStatusError as exc:
        print("refused:", exc.raw_body)
    server.close()
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
