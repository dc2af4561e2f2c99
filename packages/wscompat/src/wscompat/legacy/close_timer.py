"""The timer that closes a connection which does not close by itself.

Closing takes steps, each of which may take the connection's ``close_timeout``. Nothing here says
when closing begins.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .protocol import WebSocketCommonProtocol

__all__ = ["CloseTimer"]


class CloseTimer:
    """The steps that are left to close a connection that does not end by itself.

    Args:
        connection: the connection.
    """

    __slots__ = ("_connection", "_steps", "_timer")

    def __init__(self, connection: WebSocketCommonProtocol) -> None:
        self._connection = connection
        self._steps: list[Callable[[], None]] = []  # the last one first
        self._timer: asyncio.TimerHandle | None = None

    def after_close(self) -> None:
        """Wait for the end of the TCP connection, after a CLOSE was sent or answered."""
        self._begin([self._cut_off, self._disconnect])

    def after_close_of_a_client(self) -> None:
        """Wait for the server's CLOSE and the end of the TCP connection, after a client's CLOSE."""
        self._begin([self._cut_off, self._disconnect, self._wait])

    def after_failure(self) -> None:
        """Wait for the end of the TCP connection, which has been failed."""
        self._begin([self._cut_off])

    def stop(self) -> None:
        """Stop the timer, since the connection has ended."""
        self._steps = []
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self, steps: list[Callable[[], None]]) -> None:
        self.stop()
        self._steps = steps
        self._next_later()

    def _next_later(self) -> None:
        connection = self._connection
        assert connection.close_timeout is not None
        self._timer = connection.loop.call_later(connection.close_timeout, self._next)

    def _next(self) -> None:
        self._steps.pop()()
        if self._steps:
            self._connection._close_cause = TimeoutError("timed out while closing connection")
            self._next_later()

    # -- the steps

    def _wait(self) -> None:
        """Do nothing but wait for the next step."""

    def _disconnect(self) -> None:
        self._connection._transport.fail(0)  # the time for the peer's CLOSE is over

    def _cut_off(self) -> None:
        self._connection._transport.disconnect(graceful=False)
