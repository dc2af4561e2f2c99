"""Answer from coroutines: an `async def` for each message, started before its callback returns.

An eager task runs immediately, up to the first `await` that blocks, without an iteration of the
event loop. A handler that does not wait therefore costs little more than a plain callback, and one
that waits blocks nothing. Needs Python 3.12.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

from wscore import (
    WSCloseCode,
    WSFrame,
    WSListener,
    WSMsgType,
    WSTransport,
    ws_connect,
    ws_create_server,
)


class AsyncListener(WSListener):
    """Calls `on_message`, a coroutine function, with each text."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    async def on_message(self, transport: WSTransport, text: str) -> None:
        """Handle a received text; override this method."""

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type == WSMsgType.TEXT:
            self._begin(self.on_message(transport, frame.get_payload_as_utf8_text()))
        elif frame.msg_type == WSMsgType.CLOSE:
            transport.send_close(frame.get_close_code())
            transport.disconnect()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        for task in self._tasks:
            task.cancel()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.Task(work, loop=asyncio.get_running_loop(), eager_start=True)
        if task.done():
            task.result()  # an exception becomes one of the callback, and closes the connection
        else:
            self._tasks.add(task)  # the event loop itself does not keep a task alive
            task.add_done_callback(self._tasks.discard)


class Server(AsyncListener):
    """Has some prices in memory, and must request the others."""

    def __init__(self) -> None:
        super().__init__()
        self._known = {"copper": 9870}
        self._reply = asyncio.get_running_loop().create_future()
        self._is_in_callback = False

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        self._is_in_callback = True
        super().on_ws_frame(transport, frame)
        self._is_in_callback = False

    async def on_message(self, transport: WSTransport, text: str) -> None:
        if text == "reply":  # stands for a database, or another service
            self._reply.set_result(31245)
            return
        price = self._known.get(text)
        if price is None:
            price = await self._reply
        when = "at once" if self._is_in_callback else "later"
        transport.send(WSMsgType.TEXT, f"{text}: {price}, {when}")


class Client(WSListener):
    """Requests a price that takes time, then one that does not."""

    def __init__(self) -> None:
        self._expected = 2

    def on_ws_connected(self, transport: WSTransport) -> None:
        transport.send(WSMsgType.TEXT, "tin")
        transport.send(WSMsgType.TEXT, "copper")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            return
        print(frame.get_payload_as_utf8_text())
        self._expected -= 1
        if self._expected == 1:
            transport.send(WSMsgType.TEXT, "reply")
        else:
            transport.send_close(WSCloseCode.OK)


async def main() -> None:
    """Run both endpoints."""
    server = await ws_create_server(lambda _: Server(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    transport, _ = await ws_connect(Client, f"ws://127.0.0.1:{port}/")
    await transport.wait_disconnected()
    server.close()
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(main())
