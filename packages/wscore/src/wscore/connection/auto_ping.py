"""When to ping, and when to give a silent peer up: logic without clocks, timers or sockets.

Times are seconds on the caller's clock, passed with every call.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Final

from ..enums import WSAutoPingStrategy
from .seconds import check_seconds

__all__ = ["AutoPing", "ReplyClock", "Verdict", "auto_ping_maker"]


STRATEGIES = frozenset(WSAutoPingStrategy)  # other numbers make members, too, without a name


class Verdict(Enum):
    """The next action."""

    WAIT = "wait"
    PING = "ping"
    READ = "read"
    DEAD = "dead"


class AutoPing:
    """Decides when one connection is pinged.

    Args:
        strategy: whether received data puts off the next ping.
        idle_timeout: seconds without data, or between pings, before a ping is sent.
        reply_timeout: seconds within which it must be answered.
        now: the time.

    Attributes:
        reply_timeout: as given.

    Raises:
        ValueError: if a timeout is not positive, or there is no such strategy.
    """

    def __init__(
        self,
        strategy: WSAutoPingStrategy,
        idle_timeout: float,
        reply_timeout: float,
        now: float,
    ) -> None:
        if not (idle_timeout > 0 and reply_timeout > 0):  # NaN is neither
            raise ValueError(
                f"auto ping timeouts must be positive, not {idle_timeout} and {reply_timeout}"
            )
        if strategy not in STRATEGIES:
            raise ValueError(f"{strategy!r} is not a WSAutoPingStrategy")
        self.reply_timeout: Final = reply_timeout
        self._waits_for_idle = strategy == WSAutoPingStrategy.PING_WHEN_IDLE
        self._idle_timeout = idle_timeout
        self._quiet_since = now

    def data_received(self, now: float) -> None:
        """Record that something was received, of whatever kind."""
        if self._waits_for_idle:
            self._quiet_since = max(now, self._quiet_since)

    def look(self, now: float) -> tuple[Verdict, float]:
        """Decide what to do while no answer is awaited.

        After a PING verdict the caller must send the ping, and use a `ReplyClock` for its answer.

        Args:
            now: the time.

        Returns:
            The verdict, and in how many seconds to look again; 0 for a PING.
        """
        left = self._quiet_since + self._idle_timeout - now
        if left > 0:
            return Verdict.WAIT, left
        self._quiet_since = now
        return Verdict.PING, 0.0


class ReplyClock:
    """Decides whether the answer to a ping is late.

    A ping may be queued behind much other data. While the peer takes that data it is alive, though
    it cannot have seen the ping yet, so the time begins again. It does not begin again when the
    peer sends data instead of the answer.

    When the time is up, the answer may lie unread in the socket because the program was busy. So
    the first verdict is READ. If more has arrived than one read takes, reading gets as much time as
    the answer had.

    Args:
        timeout: seconds.
        now: the time at which the ping was sent.
    """

    LOOKS = 4  # within the timeout; its end is noticed one look late at most

    def __init__(self, timeout: float, now: float) -> None:
        self._timeout = timeout
        self._since = now
        self._read_until: float | None = None

    def look(
        self, now: float, progress_at: float | None, *, has_unread: bool
    ) -> tuple[Verdict, float]:
        """Decide what to do while the answer is awaited.

        Args:
            now: the time.
            progress_at: when the peer last took data, if it did since the previous look.
            has_unread: whether received data has not been read yet.

        Returns:
            The verdict, and in how many seconds to look again; after READ, as soon as it is done.
        """
        if progress_at is not None and progress_at > self._since:
            self._since = progress_at
            self._read_until = None
        left = self._since + self._timeout - now
        if left > 0:
            return Verdict.WAIT, min(left, self._timeout / self.LOOKS)
        if self._read_until is None:
            self._read_until = now + self._timeout
            return Verdict.READ, 0.0
        if has_unread and now < self._read_until:
            return Verdict.READ, 0.0
        return Verdict.DEAD, 0.0


def auto_ping_maker(
    enabled: bool, strategy: WSAutoPingStrategy, idle_timeout: float, reply_timeout: float
) -> Callable[[float], AutoPing] | None:
    """Return a function that makes a connection's `AutoPing` from the time; None if disabled.

    Raises:
        TypeError: if a timeout is not a number.
        ValueError: if a timeout is not positive.
    """
    if not enabled:
        return None
    check_seconds("auto_ping_idle_timeout", idle_timeout)
    check_seconds("auto_ping_reply_timeout", reply_timeout)
    make = partial(AutoPing, strategy, idle_timeout, reply_timeout)
    make(0.0)  # raises for wrong arguments here, in the call of the user who passed them
    return make
