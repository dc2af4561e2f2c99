"""Pings that have not been answered, and keepalive: one from time to time.

If one of keepalive is not answered it ends the connection. It takes one timer per connection and no
task, so that an idle connection costs little.
"""

from __future__ import annotations

import asyncio
import os
import time
from typing import Protocol

import wscore
from wscore.connection.ping_watch import PingWatch

from ..exceptions import ConcurrencyError

__all__ = ["Keepalive", "KeptAlive", "Pings"]


class Pings:
    """Matches pongs with pings (RFC 6455, 5.5.3).

    Args:
        loop: the loop of the connection.

    Attributes:
        latency: seconds that the latest answered ping took; 0 before any.
    """

    __slots__ = ("_loop", "_waiting", "latency")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: dict[bytes, tuple[asyncio.Future[float], float]] = {}
        self.latency = 0.0

    def random_payload(self) -> bytes:
        """Return four random bytes that no unanswered ping has."""
        payload = os.urandom(4)
        while payload in self._waiting:
            payload = os.urandom(4)
        return payload

    def add(self, payload: bytes) -> asyncio.Future[float]:
        """Note that a ping is sent now.

        Args:
            payload: its payload.

        Returns:
            The seconds until it was answered, in the future.

        Raises:
            ConcurrencyError: if one with the same payload has not been answered.
        """
        if payload in self._waiting:
            raise ConcurrencyError("already waiting for a pong with the same data")
        waiter = self._loop.create_future()
        self._waiting[payload] = (waiter, time.perf_counter())
        return waiter

    def answered(self, payload: bytes) -> None:
        """Resolve the ping that a pong answers, and all that were sent before it.

        Args:
            payload: its payload; one that no ping had is ignored.
        """
        if payload not in self._waiting:
            return
        now = time.perf_counter()
        for pending in list(self._waiting):
            waiter, sent_at = self._waiting.pop(pending)
            if not waiter.done():
                waiter.set_result(now - sent_at)
            if pending == payload:
                self.latency = now - sent_at
                return

    def fail(self, exc: BaseException) -> None:
        """Fail all unanswered pings, since no further pong will come.

        Args:
            exc: the exception for the tasks that await them.
        """
        for waiter, _ in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(exc)
                waiter.exception()  # retrieved: callers need not await it
        self._waiting.clear()


class KeptAlive(Protocol):
    """The part of a connection that keepalive uses."""

    def send_keepalive_ping(self) -> asyncio.Future[float]:
        """Send a ping with a random payload, and return the future of its answer."""

    def keepalive_timed_out(self) -> None:
        """Fail the connection, since a ping was not answered in time."""


class Keepalive:
    """Pings a connection until it is stopped.

    Args:
        connection: the connection.
        transport: its transport in wscore.
        loop: its event loop.
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
        connection: KeptAlive,
        transport: wscore.WSTransport,
        loop: asyncio.AbstractEventLoop,
        interval: float,
        timeout: float | None,
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._interval = interval
        self._timeout = timeout
        self._loop = loop
        self._waiter: asyncio.Future[float] | None = None  # for the answer to the latest ping
        self._watch: PingWatch | None = None  # while an answer is awaited
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
        if not self._transport.is_open:
            return
        if self._timeout is None:
            self._timer = self._loop.call_later(self._interval, self._send_ping)
            if self._transport.is_writing_paused:
                return  # pings without a timeout must not pile up
        self._waiter = self._connection.send_keepalive_ping()
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
        if self._transport.is_open and not self._waiter.done():
            self._connection.keepalive_timed_out()
