"""The pings of one connection that have not been answered.

It sends nothing and knows no connection.
"""

from __future__ import annotations

import asyncio
import os
import time

from ..exceptions import ConcurrencyError

__all__ = ["Pings"]


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
        """Four random bytes that no unanswered ping has."""
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
        """A pong came: it answers its ping, and all that were sent before.

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
        """No further pong will come.

        Args:
            exc: what those who wait get.
        """
        for waiter, _ in self._waiting.values():
            if not waiter.done():
                waiter.set_exception(exc)
                waiter.exception()  # whoever does not wait need not hear of it
        self._waiting.clear()
