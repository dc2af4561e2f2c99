"""How long a connection may take to close, and what is done when it takes longer.

Closing goes in steps, each of which may take the connection's ``close_timeout``. Nothing here says
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
    """What is still to be done to a connection that does not end by itself.

    Args:
        connection: the connection.
    """

    __slots__ = ("_connection", "_steps", "_timer")

    def __init__(self, connection: WebSocketCommonProtocol) -> None:
        self._connection = connection
        self._steps: list[Callable[[], None]] = []  # the last one first
        self._timer: asyncio.TimerHandle | None = None

    def after_close(self) -> None:
        """A CLOSE was sent, or answered: then, the end of the TCP connection."""
        self._begin([self._cut_off, self._disconnect])

    def after_close_of_a_client(self) -> None:
        """A client's CLOSE was sent: then the server's, and the end of the TCP connection."""
        self._begin([self._cut_off, self._disconnect, self._wait])

    def after_failure(self) -> None:
        """The TCP connection is being ended."""
        self._begin([self._cut_off])

    def stop(self) -> None:
        """The connection is gone."""
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
        """The next step is waited for, instead of this one."""

    def _disconnect(self) -> None:
        self._connection._core.fail(0)  # the peer's CLOSE has been waited for

    def _cut_off(self) -> None:
        self._connection._core.disconnect(graceful=False)
