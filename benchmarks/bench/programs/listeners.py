"""The listeners of the callback API in Python, for both picows and wscore.

For each message they do only what the task requires.
"""

import asyncio
from types import ModuleType, SimpleNamespace
from typing import Any

LARGE = 16384  # bytes from which a view is cheaper than a copy


def make(library: ModuleType) -> SimpleNamespace:
    """Define the listeners on a library's `WSListener`."""
    BINARY, CLOSE = library.WSMsgType.BINARY, library.WSMsgType.CLOSE  # noqa: N806

    class Base(library.WSListener):  # type: ignore[name-defined, misc]
        paused = False

        def on_ws_connected(self, transport: Any) -> None:
            self.transport = transport

        def pause_writing(self) -> None:
            self.paused = True
            self.resumed = asyncio.Event()

        def resume_writing(self) -> None:
            self.paused = False
            self.resumed.set()

        def on_ws_disconnected(self, transport: Any) -> None:
            if self.paused:
                self.resume_writing()

        def answer_close(self, transport: Any, frame: Any) -> None:
            if frame.msg_type == CLOSE:
                if not transport.is_close_frame_sent:
                    transport.send_close(1000)
                transport.disconnect()

    class Echo(Base):
        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            if frame.msg_type == BINARY:
                if frame.payload_size < LARGE:
                    transport.send(BINARY, frame.get_payload_as_bytes())
                else:
                    transport.send(BINARY, frame.get_payload_as_memoryview())
            else:
                self.answer_close(transport, frame)

    class EchoClient(Base):
        def __init__(self, message: bytes):
            self.message = message
            self.count = 0

        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            self.count += 1
            transport.send(BINARY, self.message)

    class Sink(Base):
        count = 0

        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            if frame.msg_type == BINARY:
                self.count += 1
            else:
                self.answer_close(transport, frame)

    class Begin(Base):
        def __init__(self, begin: Any):
            self.begin = begin

        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            self.begin(self)

    class Broadcaster(Base):
        def __init__(self, transports: set[Any], broadcast: Any):
            self.transports = transports
            self.broadcast = broadcast

        def on_ws_connected(self, transport: Any) -> None:
            self.transports.add(transport)

        def on_ws_disconnected(self, transport: Any) -> None:
            self.transports.discard(transport)

        def on_ws_frame(self, transport: Any, frame: Any) -> None:
            self.broadcast(frame.get_payload_as_bytes())

    return SimpleNamespace(**locals())
