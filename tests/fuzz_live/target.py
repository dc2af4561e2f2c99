"""A process that is fuzzed: a server, or clients, of one API; it reports what it was given.

Each line of stdout is JSON: first the server's port; then, for each connection, its key (the peer's
port, or the number of the input), how the handshake ended, how many messages came and the checksum
of all of them, and the codes of the CLOSE frames that were sent and received.
"""

import asyncio
import contextlib
import faulthandler
import importlib
import json
import logging
import os
import sys
import zlib
from typing import Any

from tests.fuzz_live.inputs import SUBPROTOCOLS
from tests.interop.loops import LOOPS

__all__ = ["LIMIT", "MAX_SIZE"]

MAX_SIZE = 65536
LIMIT = 5.0  # seconds for handshakes and closings


class Tally:
    """Counts the messages of a connection."""

    def __init__(self) -> None:
        self.count = 0
        self.checksum = 0

    def add(self, message: str | bytes) -> None:
        """Count one."""
        self.count += 1
        content = b"t" + message.encode() if isinstance(message, str) else b"b" + message
        self.checksum = zlib.crc32(content, self.checksum)


def report(key: int, outcome: str, tally: Tally, sent: int | None, received: int | None) -> None:
    """Write a line."""
    line = json.dumps([key, outcome, tally.count, tally.checksum, sent, received]) + "\n"
    os.write(1, line.encode())


# -- websockets and wscompat


async def receive_all(connection: Any, tally: Tally, closed: type[Exception]) -> None:
    """Receive until the connection is closed."""
    with contextlib.suppress(closed):
        while True:
            tally.add(await connection.recv())


def codes_of(connection: Any) -> tuple[int | None, int | None]:
    """Return the codes of the CLOSE frames, sent and received."""
    protocol = connection.protocol
    sent, received = protocol.close_sent, protocol.close_rcvd
    return (sent.code if sent else None, received.code if received else None)


async def serve_messages(package: str) -> None:
    """Be a server with the API of websockets."""
    closed = importlib.import_module(f"{package}.exceptions").ConnectionClosed
    serve = importlib.import_module(f"{package}.asyncio.server").serve

    async def handle(connection: Any) -> None:
        tally = Tally()
        port = connection.remote_address[1]
        await receive_all(connection, tally, closed)
        await connection.wait_closed()
        report(port, "open", tally, *codes_of(connection))

    def select(connection: Any, offered: Any) -> Any:
        # By itself websockets refuses clients that offer none of them.
        return next((each for each in offered if each in SUBPROTOCOLS), None)

    server = await serve(
        handle,
        "127.0.0.1",
        0,
        max_size=MAX_SIZE,
        subprotocols=SUBPROTOCOLS,
        select_subprotocol=select,
        logger=quiet(),
        backlog=1000,
        open_timeout=LIMIT,
        close_timeout=LIMIT,
        ping_interval=None,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def connect_messages(package: str, port: int, number: int) -> None:
    """Open one connection with the API of websockets, and report how that went."""
    exceptions = importlib.import_module(f"{package}.exceptions")
    connect = importlib.import_module(f"{package}.asyncio.client").connect
    tally = Tally()
    try:
        connection = await connect(
            f"ws://127.0.0.1:{port}/{number}",
            subprotocols=SUBPROTOCOLS,
            max_size=MAX_SIZE,
            open_timeout=LIMIT,
            close_timeout=LIMIT,
            ping_interval=None,
            proxy=None,
            logger=quiet(),
        )
    except Exception as exc:
        outcome = type(exc).__name__
        if isinstance(exc, exceptions.InvalidStatus):
            outcome += f" {exc.response.status_code}"
        report(number, outcome, tally, None, None)
        return
    try:
        await receive_all(connection, tally, exceptions.ConnectionClosed)
        await connection.wait_closed()
        outcome = f"open {connection.subprotocol}"
        report(number, outcome, tally, *codes_of(connection))
    except Exception as exc:
        report(number, f"failed {type(exc).__name__}", tally, *codes_of(connection))


# -- wscore


def codes_of_transport(transport: Any) -> tuple[int | None, int | None]:
    """Return the codes of the CLOSE frames, sent and received."""
    record = transport.close_handshake
    if record is None:
        return None, None
    return (
        int(record.sent.code) or 1005 if record.sent else None,
        int(record.recv.code) or 1005 if record.recv else None,
    )


def core_listener(report_as: int | None = None) -> Any:
    """Return a listener of wscore that counts messages, and reports them at its end."""
    import wscore

    class Listener(wscore.WSMessageListener):
        def __init__(self) -> None:
            self.tally = Tally()
            self.port = report_as

        def on_ws_connected(self, transport: Any) -> None:
            if self.port is None:
                peer = transport.underlying_transport.get_extra_info("peername")
                self.port = peer[1] if peer else 0

        def on_ws_message(self, transport: Any, msg_type: Any, message: str | bytes) -> None:
            self.tally.add(message)

        def on_ws_disconnected(self, transport: Any) -> None:
            report(self.port, "open", self.tally, *codes_of_transport(transport))

    return Listener()


async def serve_core() -> None:
    """Be a server of wscore."""
    import wscore

    server = await wscore.ws_create_server(
        lambda request: core_listener(),
        "127.0.0.1",
        0,
        websocket_handshake_timeout=LIMIT,
        max_message_size=MAX_SIZE,
        max_frame_size=MAX_SIZE,
        deflate=wscore.WSDeflate(),
        logger_name=quiet(),
        backlog=1000,
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def connect_core(port: int, number: int) -> None:
    """Open one connection of wscore, and report if that fails; else its listener reports."""
    import wscore

    try:
        transport, _ = await wscore.ws_connect(
            lambda: core_listener(number),
            f"ws://127.0.0.1:{port}/{number}",
            extra_headers={"Sec-WebSocket-Protocol": ", ".join(SUBPROTOCOLS)},
            websocket_handshake_timeout=LIMIT,
            max_message_size=MAX_SIZE,
            max_frame_size=MAX_SIZE,
            deflate=wscore.WSDeflate(),
            logger_name=quiet(),
        )
    except Exception as exc:
        outcome = type(exc).__name__
        if isinstance(exc, wscore.WSInvalidStatusError):
            outcome += f" {int(exc.response.status)}"
        report(number, outcome, Tally(), None, None)
        return
    with contextlib.suppress(wscore.WSProtocolError):
        await transport.wait_disconnected()


def quiet() -> logging.Logger:
    """Return a logger that is for nobody: every input is a fault of the peer."""
    logger = logging.getLogger("fuzz")
    logger.setLevel(logging.CRITICAL)
    return logger


async def connect_all(api: str, port: int, at_once: int, numbers: list[int]) -> None:
    """Open connections for the inputs of these numbers, some at a time."""
    left = iter(numbers)

    async def work() -> None:
        for number in left:
            if api == "wscore":
                await connect_core(port, number)
            else:
                await connect_messages(api, port, number)

    await asyncio.gather(*(work() for _ in range(at_once)))


def main() -> None:
    """Run: `server API LOOP`, or `client API LOOP PORT AT_ONCE` with numbers in stdin."""
    faulthandler.enable()
    role, api, loop, *numbers = sys.argv[1:]
    with asyncio.Runner(loop_factory=LOOPS[loop]) as runner, contextlib.suppress(KeyboardInterrupt):
        if role == "client":
            port, at_once = map(int, numbers)
            runner.run(connect_all(api, port, at_once, json.load(sys.stdin)))
        elif api == "wscore":
            runner.run(serve_core())
        else:
            runner.run(serve_messages(api))


if __name__ == "__main__":
    main()
