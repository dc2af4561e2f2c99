"""Makes messages of frames, for programs that run the protocol without I/O on asyncio.

The library's own connections do not use it: wscore makes their messages. The caller is
responsible for the order of the frames.
"""

from __future__ import annotations

import asyncio
import codecs
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any

from ..exceptions import ConcurrencyError
from ..frames import Frame, Opcode
from ..limits import check_marks
from ..typing import Data

__all__ = ["Assembler"]


class Assembler:
    """A queue that frames are put into, and messages taken out of, by one task at a time.

    Args:
        high: frames in the queue above which ``pause`` is called; None for no limit.
        low: frames at which ``resume`` is called after that; a quarter of ``high`` if None.
        pause: called when frames should no longer come.
        resume: called when they may come again.

    Raises:
        ValueError: if the low mark is negative, or above the high one.
    """

    def __init__(
        self,
        high: int | None = None,
        low: int | None = None,
        pause: Callable[[], Any] = lambda: None,
        resume: Callable[[], Any] = lambda: None,
    ) -> None:
        if high is None and low is not None:
            high = low * 4
        if low is None and high is not None:
            low = high // 4
        check_marks(high, low)
        self.high = high
        self.low = low
        self.pause = pause
        self.resume = resume
        self.paused = False
        self.closed = False
        self._frames: deque[Frame] = deque()
        self._waiter: asyncio.Future[None] | None = None  # of the task that waits for a frame
        self._is_taken = False  # whether a message is being read

    async def get(self, decode: bool | None = None) -> Data:
        """Return the next message when it is complete. If this is cancelled nothing is lost.

        Args:
            decode: True for a string, False for bytes; None to go by the type of the message.

        Raises:
            EOFError: if no more frames come, and they do not make a message.
            UnicodeDecodeError: if it is text, but not UTF-8.
            ConcurrencyError: if a message is being read already.
        """
        self._begin()
        frames: list[Frame] = []
        try:
            while not frames or not frames[-1].fin:
                frames.append(await self._next())
        except asyncio.CancelledError:
            self._frames.extendleft(reversed(frames))
            raise
        finally:
            self._is_taken = False
        data = b"".join(frame.data for frame in frames)
        return data.decode() if _is_text(frames[0], decode) else data

    async def get_iter(self, decode: bool | None = None) -> AsyncIterator[Data]:
        """Yield the next message in parts, one for each frame.

        It must be read to its end before another message can be.

        Args:
            decode: True for strings, False for bytes; None to go by the type of the message.

        Raises:
            EOFError: if no more frames come, and the message has not ended.
            UnicodeDecodeError: if it is text, but not UTF-8.
            ConcurrencyError: if a message is being read already.
        """
        self._begin()
        try:
            frame = await self._next()
        except asyncio.CancelledError:  # nothing of it was seen
            self._is_taken = False
            raise
        decoder = codecs.getincrementaldecoder("utf-8")() if _is_text(frame, decode) else None
        while True:
            yield decoder.decode(frame.data, frame.fin) if decoder else bytes(frame.data)
            if frame.fin:
                break
            frame = await self._next()
        self._is_taken = False

    def put(self, frame: Frame) -> None:
        """Add a data frame.

        Raises:
            EOFError: after `close`.
        """
        if self.closed:
            raise EOFError("stream of frames ended")
        self._frames.append(frame)
        self._wake_up()
        self.maybe_pause()

    def maybe_pause(self) -> None:
        """Call ``pause`` if there are too many frames, and it was not called yet."""
        if self.high is not None and len(self._frames) > self.high and not self.paused:
            self.paused = True
            self.pause()

    def maybe_resume(self) -> None:
        """Call ``resume`` if there are few frames again, after ``pause``."""
        if self.low is not None and len(self._frames) <= self.low and self.paused:
            self.paused = False
            self.resume()

    def close(self) -> None:
        """End the stream of frames. Messages that are complete can still be read."""
        self.closed = True
        self._wake_up()

    def _begin(self) -> None:
        if self._is_taken:
            raise ConcurrencyError("get() or get_iter() is already running")
        self._is_taken = True

    async def _next(self) -> Frame:
        while not self._frames:
            if self.closed:
                raise EOFError("stream of frames ended")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        frame = self._frames.popleft()
        self.maybe_resume()
        return frame

    def _wake_up(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


def _is_text(first: Frame, decode: bool | None) -> bool:
    return first.opcode is Opcode.TEXT if decode is None else decode
