"""The measured server: each message costs it 10 µs, and small ones are echoed.

    python -m benchmarks.fairness.server --program callbacks --variant '{...}' --loop uvloop

It prints its port. For each line that it reads it prints, as JSON, the lateness of its timers since
the previous line, in seconds, and the number of received messages.
"""

import argparse
import asyncio
import importlib
import json
import sys
import time
from typing import Any

from .polite import SIZE

HANDLING = 10_000  # nanoseconds that user code takes for each message
PERIOD = 0.005  # seconds from one timer to the next
LIMIT = 32 * 1024 * 1024  # bytes of a message


class Counted:
    """The data since the last report.

    Attributes:
        messages: how many came.
        lateness: of each timer, in seconds.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.messages = 0
        self.lateness: list[float] = []
        self._loop = loop
        self._due = 0.0
        self._set_timer()
        loop.add_reader(0, self._report)

    def handle(self) -> None:
        """Simulate the work of user code for a message."""
        self.messages += 1
        end = time.perf_counter_ns() + HANDLING
        while time.perf_counter_ns() < end:
            pass

    def _set_timer(self) -> None:
        self._due = time.perf_counter() + PERIOD
        self._loop.call_later(PERIOD, self._fired)

    def _fired(self) -> None:
        self.lateness.append(max(0.0, time.perf_counter() - self._due))
        self._set_timer()

    def _report(self) -> None:
        if not sys.stdin.readline():
            self._loop.stop()
            return
        print(
            json.dumps({"lateness": self.lateness, "messages": self.messages}),
            flush=True,
        )
        self.messages, self.lateness = 0, []


async def serve_callbacks(variant: dict[str, Any], counted: Counted) -> Any:
    """Serve with wscore or picows."""
    library = importlib.import_module(variant["module"])
    BINARY, CLOSE = library.WSMsgType.BINARY, library.WSMsgType.CLOSE  # noqa: N806

    class Listener(library.WSListener):  # type: ignore[name-defined, misc]
        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            if frame.msg_type == BINARY:
                counted.handle()
                payload = frame.get_payload_as_bytes()
                if len(payload) == SIZE:
                    transport.send(BINARY, payload)
            elif frame.msg_type == CLOSE:
                transport.disconnect()

    server = await library.ws_create_server(
        lambda request: Listener(), "127.0.0.1", 0, max_frame_size=LIMIT
    )
    return server.sockets


async def serve_connections(variant: dict[str, Any], counted: Counted) -> Any:
    """Serve with websockets, or another library with its interface."""
    module = importlib.import_module(variant["server"])

    async def handler(connection: Any) -> None:
        async for message in connection:
            counted.handle()
            if len(message) == SIZE:
                await connection.send(message)

    server = await module.serve(
        handler, "127.0.0.1", 0, compression=None, max_size=LIMIT, ping_interval=None
    )
    return server.sockets


SERVE = {"callbacks": serve_callbacks, "connections": serve_connections}


def main() -> None:
    """Serve until the standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", choices=SERVE, required=True)
    parser.add_argument("--variant", type=json.loads, required=True)
    parser.add_argument("--loop", choices=("asyncio", "uvloop"), required=True)
    arguments = parser.parse_args()
    new_event_loop = asyncio.new_event_loop
    if arguments.loop == "uvloop":
        new_event_loop = importlib.import_module("uvloop").new_event_loop
    loop = new_event_loop()
    counted = Counted(loop)
    serve = SERVE[arguments.program](arguments.variant, counted)
    sockets = loop.run_until_complete(serve)
    print(sockets[0].getsockname()[1], flush=True)
    loop.run_forever()


if __name__ == "__main__":
    main()
