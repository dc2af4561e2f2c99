"""A listener that writes down what happens to it, and lets a test wait for it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from wscore import WSFrame, WSListener, WSMsgType, WSTransport

# How long a test waits for something to happen. Only a failing test waits so long.
BOUND = 5.0


@dataclass(frozen=True)
class SeenFrame:
    """What a frame said while it could be asked."""

    msg_type: WSMsgType
    payload: bytes
    fin: bool = True
    rsv: tuple[bool, bool, bool] = (False, False, False)


class Recorder(WSListener):
    """Keeps every event.

    Attributes:
        transport: the connection's.
        frames: the frames that were delivered.
        events: the names of all callbacks in their order, one for each call.
        on_frame: called for every frame, after it was written down.
    """

    def __init__(self, on_frame: Callable[[WSTransport, WSFrame], None] | None = None) -> None:
        self.transport: WSTransport | None = None
        self.frames: list[SeenFrame] = []
        self.events: list[str] = []
        self.on_frame = on_frame
        self._changed = asyncio.Event()

    @property
    def seen(self) -> list[tuple[int, bytes]]:
        """Type and payload of each frame."""
        return [(int(frame.msg_type), frame.payload) for frame in self.frames]

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.transport = transport
        self._happened("connected")

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        assert transport is self.transport
        self.frames.append(
            SeenFrame(
                frame.msg_type,
                frame.get_payload_as_bytes(),
                frame.fin,
                (frame.rsv1, frame.rsv2, frame.rsv3),
            )
        )
        self._happened("frame")
        if self.on_frame is not None:
            self.on_frame(transport, frame)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        assert transport is self.transport
        self._happened("disconnected")

    def pause_writing(self) -> None:
        self._happened("paused")

    def resume_writing(self) -> None:
        self._happened("resumed")

    async def until(self, event: str, count: int = 1) -> None:
        """Wait until so many events of this name have happened."""
        async with asyncio.timeout(BOUND):
            while self.events.count(event) < count:
                self._changed.clear()
                await self._changed.wait()

    def _happened(self, event: str) -> None:
        self.events.append(event)
        self._changed.set()
