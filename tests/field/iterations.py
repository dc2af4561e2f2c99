"""Counts what happens between two iterations of the loop, which no clock can say reliably."""

import asyncio
import contextlib
from collections.abc import Iterator


class Iterations:
    """A callback that asks to be called again, each time that it is.

    Attributes:
        count: how many iterations there were.
        most: how many events at most came between two of them.
        events: how many came in all.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.count = 0
        self.most = 0
        self.events = 0
        self._since = 0
        self._is_over = False
        self._loop = loop
        self._handle = loop.call_soon(self._begin)

    def event(self) -> None:
        """Something happens."""
        if self._is_over:
            return
        self.events += 1
        self._since += 1
        self.most = max(self.most, self._since)

    def stop(self) -> None:
        """Count no longer."""
        self._is_over = True
        self._handle.cancel()

    def _begin(self) -> None:
        self.count += 1
        self._since = 0
        self._handle = self._loop.call_soon(self._begin)


@contextlib.contextmanager
def iterations() -> Iterator[Iterations]:
    """Count the iterations of the running loop."""
    found = Iterations(asyncio.get_running_loop())
    try:
        yield found
    finally:
        found.stop()
