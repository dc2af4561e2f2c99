"""Keepalive: a ping from time to time, and the end of the connection if one is not answered.

One timer per connection and no task, so that an idle connection costs little.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..frames import CloseCode

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Keepalive"]


class Keepalive:
    """Pings a connection until it is stopped.

    Args:
        connection: which one.
        interval: seconds between two pings.
        timeout: seconds to wait for the answer; None for no limit.
    """

    __slots__ = ("_connection", "_interval", "_loop", "_timeout", "_timer")

    def __init__(self, connection: Connection, interval: float, timeout: float | None) -> None:
        self._connection = connection
        self._interval = interval
        self._timeout = timeout
        self._loop = connection._loop
        self._timer = self._loop.call_later(interval, self._send_ping)

    def stop(self) -> None:
        """Send no further ping."""
        self._timer.cancel()

    def _send_ping(self) -> None:
        if not self._connection._core.is_open:
            return
        pings = self._connection._pings
        payload = pings.random_payload()
        waiter = pings.add(payload)
        self._connection._core.send_ping(payload)
        if self._timeout is None:
            self._timer = self._loop.call_later(self._interval, self._send_ping)
        else:
            self._timer = self._loop.call_later(self._timeout, self._no_pong)
            waiter.add_done_callback(self._pong_received)

    def _pong_received(self, waiter: asyncio.Future[float]) -> None:
        self._timer.cancel()
        if waiter.exception() is None:
            pause = max(0.0, self._interval - waiter.result())
            self._timer = self._loop.call_later(pause, self._send_ping)

    def _no_pong(self) -> None:
        if self._connection._core.is_open:
            self._connection._fail(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
