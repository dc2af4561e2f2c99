"""An echo server with a graceful shutdown: on SIGTERM or Ctrl-C it closes all connections.

First it stops accepting connections, then it sends code 1001 (going away) to every client, which
has some seconds to answer. Argument: the port to listen on, 0 for any free one.
"""

import asyncio
import signal
import sys

from wscore import WSCloseCode, WSFrame, WSListener, WSMsgType, WSTransport, ws_create_server

PATIENCE = 5.0  # seconds for the clients' CLOSE frames

open_transports: set[WSTransport] = set()


class Echo(WSListener):
    """Serves one connection, and keeps the set of open connections."""

    def on_ws_connected(self, transport: WSTransport) -> None:
        open_transports.add(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())  # no effect if ours was already sent
            transport.disconnect()
        elif frame.msg_type != WSMsgType.PONG:
            transport.send(frame.msg_type, frame.get_payload_as_memoryview(), frame.fin)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        open_transports.discard(transport)


async def say_goodbye() -> None:
    """Close all connections, with a closing handshake while there is time."""
    leaving = list(open_transports)
    print("closing", len(leaving), "connections", flush=True)
    for transport in leaving:
        transport.send_close(WSCloseCode.GOING_AWAY, "the server is restarted")
    try:
        async with asyncio.timeout(PATIENCE):
            for transport in leaving:
                await transport.wait_disconnected()
    except TimeoutError:
        for transport in leaving:
            transport.disconnect(graceful=False)


async def main(port: str = "9001") -> None:
    """Serve until a signal arrives."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await ws_create_server(lambda _: Echo(), "127.0.0.1", int(port))
    for sock in server.sockets:
        print("ws://{}:{}/".format(*sock.getsockname()), flush=True)
    await stop.wait()
    server.close()
    await say_goodbye()
    await server.wait_closed()
    print("done")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
