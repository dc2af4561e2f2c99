"""Run in an environment where only wscore was installed: a client and a server exchange a frame."""

import asyncio
from importlib.util import find_spec

import wscore
from wscore import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect, ws_create_server

for above in ("wsproxy", "wscompat"):
    assert find_spec(above) is None, f"{above} came along"


class Echo(WSListener):
    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        transport.send(frame.msg_type, frame.get_payload_as_bytes())


class Client(WSListener):
    def __init__(self) -> None:
        self.reply = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.BINARY, b"\x00\xff")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self.reply.set_result(frame.get_payload_as_bytes())
        transport.disconnect()


async def main() -> None:
    server = await ws_create_server(lambda _request: Echo(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, client = await ws_connect(Client, f"ws://127.0.0.1:{port}/")
    assert await client.reply == b"\x00\xff"
    await transport.wait_disconnected()
    server.close()
    await server.wait_closed()


asyncio.run(asyncio.wait_for(main(), 20))
print(f"wscore {wscore.__version__} alone: ok")
