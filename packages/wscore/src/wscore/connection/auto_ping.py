"""When to ping, and when to give a silent peer up: logic without clocks, timers or sockets.

Times are seconds on a clock of the caller's, which says what time it is with every call.
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
    """What is to be done now."""

    WAIT = "wait"
    PING = "ping"
    READ = "read"
    DEAD = "dead"


class AutoPing:
    """When one connection is to be pinged.

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
        """The peer has sent something, whatever it is."""
        if self._waits_for_idle:
            self._quiet_since = max(now, self._quiet_since)

    def look(self, now: float) -> tuple[Verdict, float]:
        """What is to be done, while no answer is waited for.

        A PING verdict counts on the ping being sent, and on a `ReplyClock` for its answer.

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
    """How long the answer to a ping may still take.

    A ping may stand behind much else that is sent. As long as the peer takes of that, it is alive,
    though it cannot have seen the ping: the time begins again. It does not when the peer sends data
    instead of the answer.

    When the time is up the answer may have come and not been read yet, because the program was busy
    meanwhile. So the first verdict is to read. Where more has come than can be read at once, there
    is as much time for that as for the answer.

    Args:
        timeout: seconds.
        now: the time at which the ping was sent.
    """

    LOOKS = 4  # within the timeout; the end is noticed later than it should by one at most

    def __init__(self, timeout: float, now: float) -> None:
        self._timeout = timeout
        self._since = now
        self._read_until: float | None = None

    def look(
        self, now: float, progress_at: float | None, *, has_unread: bool
    ) -> tuple[Verdict, float]:
        """What is to be done.

        Args:
            now: the time.
            progress_at: when the peer has last taken something, if it did since the look before.
            has_unread: whether something of the peer's has come that was not read.

        Returns:
            The verdict, and in how many seconds to look again; with READ, when that was done.
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
    """What makes the `AutoPing` of each connection, given the time; None if there is to be none.

    Raises:
        TypeError: if a timeout is not a number.
        ValueError: if a timeout is not positive.
    """
    if not enabled:
        return None
    check_seconds("auto_ping_idle_timeout", idle_timeout)
    check_seconds("auto_ping_reply_timeout", reply_timeout)
    make = partial(AutoPing, strategy, idle_timeout, reply_timeout)
    make(0.0)  # wrong arguments are told to whom they come from
    return make
