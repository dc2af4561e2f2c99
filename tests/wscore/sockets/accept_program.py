"""A server whose system call for accepting fails, as `accept_faults.c` has it fail.

It is run with that library preloaded, and prints its reports, how often the system was asked before
a honest client came, and that this one was served.
"""

import asyncio
import ctypes
import errno
import socket
import sys

from wscore import WSListener, WSMsgType, ws_connect, ws_create_server

BOUND = 10


class Echo(WSListener):
    def on_ws_frame(self, transport, frame):
        transport.send(frame.msg_type, frame.get_payload_as_bytes())


class Client(WSListener):
    def __init__(self):
        self.replied = asyncio.Event()

    def on_ws_frame(self, transport, frame):
        self.replied.set()


async def main(takes: bool, names: list[str]) -> None:
    faults = ctypes.CDLL(None)
    calls = ctypes.c_int.in_dll(faults, "faults_calls")
    loop = asyncio.get_running_loop()
    loop.slow_callback_duration = BOUND  # or a busy machine adds reports of the debug mode's
    loop.set_exception_handler(
        lambda _, context: print(context["exception"].errno, context["message"])
    )
    server = await ws_create_server(lambda _: Echo(), "127.0.0.1", 0)
    address = server.sockets[0].getsockname()
    errors = [getattr(errno, name) for name in names]
    for index, number in enumerate(errors):
        (ctypes.c_int * len(errors)).in_dll(faults, "faults_errors")[index] = number
    ctypes.c_int.in_dll(faults, "faults_take").value = takes
    ctypes.c_int.in_dll(faults, "faults_count").value = len(errors)
    if takes:
        clients = [socket.create_connection(address) for _ in errors]
        for client in clients:
            client.setblocking(False)
            assert await loop.sock_recv(client, 1) == b""
            client.close()
    else:
        client = socket.create_connection(address)
        for _ in range(300):
            await asyncio.sleep(0)
        client.close()
    print("calls", calls.value)
    transport, listener = await ws_connect(Client, f"ws://127.0.0.1:{address[1]}/")
    transport.send(WSMsgType.TEXT, "hello")
    await listener.replied.wait()
    print("served")
    transport.disconnect()
    await transport.wait_disconnected()
    server.close()
    await server.wait_closed()


async def bounded(*arguments) -> None:
    async with asyncio.timeout(BOUND):
        await main(*arguments)


if sys.argv[1] == "uvloop":
    import uvloop

    factory = uvloop.new_event_loop
else:
    factory = asyncio.new_event_loop
with asyncio.Runner(loop_factory=factory) as runner:
    runner.run(bounded(sys.argv[2] == "takes", sys.argv[3:]))
