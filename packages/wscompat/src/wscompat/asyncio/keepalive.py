"""Keepalive: a ping from time to time, and the end of the connection if one is not answered.

One timer per connection and no task, so that an idle connection costs little.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import wscore
from wscore.connection.ping_watch import PingWatch

from ..frames import CloseCode

if TYPE_CHECKING:
    from .connection import Connection

__all__ = ["Keepalive"]


class Keepalive:
    """Pings a connection until it is stopped.

    Args:
        connection: which one.
        transport: what it sends with, in wscore.
        interval: seconds between two pings.
        timeout: seconds to wait for the answer; None for no limit. They begin when the peer can
            have seen the ping, as `wscore.connection.ping_watch` finds out.
    """

    __slots__ = (
        "_connection",
        "_interval",
        "_loop",
        "_timeout",
        "_timer",
        "_transport",
        "_waiter",
        "_watch",
    )

    def __init__(
        self,
        connection: Connection,
        transport: wscore.WSTransport,
        interval: float,
        timeout: float | None,
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._interval = interval
        self._timeout = timeout
        self._loop = connection._loop
        self._waiter: asyncio.Future[float] | None = None  # for the answer to the latest ping
        self._watch: PingWatch | None = None  # while it is waited for
        self._timer = self._loop.call_later(interval, self._send_ping)

    def stop(self) -> None:
        """Send no further ping."""
        self._timer.cancel()
        self._stop_watch()

    def _stop_watch(self) -> None:
        if self._watch is not None:
            self._watch.stop()
            self._watch = None

    def _send_ping(self) -> None:
        if not self._connection._core.is_open:
            return
        if self._timeout is None:
            self._timer = self._loop.call_later(self._interval, self._send_ping)
            if self._transport.is_writing_paused:
                return  # pings that nobody waits for must not pile up
        pings = self._connection._pings
        payload = pings.random_payload()
        self._waiter = pings.add(payload)
        self._connection._core.send_ping(payload)
        if self._timeout is not None:
            self._watch = PingWatch(self._transport, self._timeout, self._no_pong)
            self._waiter.add_done_callback(self._pong_received)

    def _pong_received(self, waiter: asyncio.Future[float]) -> None:
        self._stop_watch()
        if waiter.exception() is None:
            pause = max(0.0, self._interval - waiter.result())
            self._timer = self._loop.call_later(pause, self._send_ping)

    def _no_pong(self) -> None:
        assert self._waiter is not None
        if self._connection._core.is_open and not self._waiter.done():
            self._connection._fail(CloseCode.INTERNAL_ERROR, "keepalive ping timeout")
