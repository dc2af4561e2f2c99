"""A program that ends while connections are open, or uses them when it is too late.

Run as ``python -m tests.wscompat.exits WAY LOOP FOLDER``. Whatever happens is at most an
exception of Python; nothing may crash. The folder is for certificates.
"""

import asyncio
import atexit
import builtins
import contextlib
import faulthandler
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvloop

import wscore
from tests.support.tls import Tls, make_tls
from wscompat.asyncio.client import connect
from wscompat.asyncio.server import serve

LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
SECONDS = 0.05  # in which connections are busy


class Echo(wscore.WSListener):
    """Echoes for ever, and prints when it is deleted."""

    leaves = False

    def on_ws_connected(self, transport: wscore.WSTransport) -> None:
        self.transport = transport
        transport.send(wscore.WSMsgType.TEXT, b"hello")

    def on_ws_frame(self, transport: wscore.WSTransport, frame: wscore.WSFrame) -> None:
        self.frame = frame
        if self.leaves:
            sys.exit()
        transport.send(frame.msg_type, frame.get_payload_as_bytes())

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.transport.send(wscore.WSMsgType.TEXT, b"too late")
            self.transport.disconnect()


class Items:
    """The open connections.

    Args:
        listener: the class of the server's listeners.
    """

    def __init__(self, listener: type[Echo] = Echo) -> None:
        self.listener = listener
        self.kept: list[Any] = []

    async def open(self, tls: Tls) -> None:
        """Open connections of all kinds, and let them be busy for a while."""
        for context, client_options in ((None, {}), (tls.server, {"ssl_context": tls.client})):
            server = await wscore.ws_create_server(
                lambda _: self.listener(), "127.0.0.1", 0, ssl=context
            )
            scheme = "ws" if context is None else "wss"
            url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            options: dict[str, Any] = {"enable_auto_ping": True, "auto_ping_idle_timeout": 0.01}
            self.kept.append(server)
            self.kept += await wscore.ws_connect(Echo, url, **options, **client_options)
            self.kept += await wscore.ws_connect(wscore.WSMessageReader, url, **client_options)
        compat = await serve(compat_echo, "127.0.0.1", 0)
        port = compat.sockets[0].getsockname()[1]
        connection = await connect(f"ws://127.0.0.1:{port}/", proxy=None)
        await connection.send("hello" * 100)
        self.kept += [compat, connection, connection.recv(), connection.send("never awaited")]
        await asyncio.sleep(SECONDS)

    def use(self) -> None:
        """Use all of it, in all the ways there are."""
        for item in self.kept:
            below = getattr(item, "underlying_transport", None)
            for owner in (item, below, getattr(item, "frame", None)):
                for name in dir(owner) if owner is not None else ():
                    if name.startswith("_") or name in ("run_forever", "serve_forever"):
                        continue
                    with contextlib.suppress(Exception):
                        use(getattr(owner, name))


async def compat_echo(connection: Any) -> None:
    """Send back what comes."""
    async for message in connection:
        await connection.send(message)


def use(value: Any) -> None:
    """Call something with plausible arguments; a coroutine is begun."""
    if not callable(value):
        return
    for given in ((), (1,), (b"abc",), (wscore.WSMsgType.TEXT, b"abc"), ("socket",)):
        with contextlib.suppress(Exception):
            result = value(*given)
            if hasattr(result, "send") and hasattr(result, "close"):
                result.send(None)


class UsedLate:
    """Uses everything when the interpreter deletes the remaining objects.

    Args:
        function: the function to call.
    """

    def __init__(self, function: Callable[[], None]) -> None:
        self.function = function

    def __del__(self) -> None:
        with contextlib.suppress(BaseException):
            self.function()


def in_a_thread(new_loop: Callable[[], asyncio.AbstractEventLoop], items: Items, tls: Tls) -> None:
    """Run a loop in a thread that the end of the program does not wait for."""

    def run() -> None:
        loop = new_loop()
        loop.create_task(items.open(tls))
        loop.run_forever()

    threading.Thread(target=run, daemon=True).start()
    time.sleep(5 * SECONDS)


def main(way: str, loop_name: str, folder: str) -> None:
    """End in some way."""
    faulthandler.enable()
    warnings.simplefilter("ignore")
    new_loop = LOOPS[loop_name]
    tls = make_tls(Path(folder))
    items = Items(type("Leaving", (Echo,), {"leaves": way == "exit in a callback"}))
    builtins.items_of_exits = items  # type: ignore[attr-defined]  # alive to the very end
    if way in ("daemon threads", "daemon threads, used"):
        for _ in range(2):
            in_a_thread(new_loop, items, tls)
        if way.endswith("used"):
            atexit.register(items.use)
        return
    if way == "begun while modules are deleted":
        sys.used_late = UsedLate(  # type: ignore[attr-defined]
            lambda: new_loop().run_until_complete(items.open(tls))
        )
        return
    loop = new_loop()
    loop.run_until_complete(items.open(tls))
    if way == "closed loop":
        loop.close()
        items.use()
    elif way == "atexit":
        atexit.register(items.use)
    elif way == "atexit, closed loop":
        loop.close()
        atexit.register(items.use)
    elif way == "atexit, running":
        atexit.register(lambda: loop.run_until_complete(asyncio.sleep(SECONDS)))
        atexit.register(items.use)
    elif way == "used while modules are deleted":
        sys.used_late = UsedLate(items.use)  # type: ignore[attr-defined]
    elif way == "garbage":
        items.kept.append(items)
        del builtins.items_of_exits  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(*sys.argv[1:])
