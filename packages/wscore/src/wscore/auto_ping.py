"""When to ping, and when to give a silent peer up: logic without clocks, timers or sockets.

Times are seconds on a clock of the caller's, which says what time it is with every call.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import partial
from typing import Final

from .enums import WSAutoPingStrategy

__all__ = ["AutoPing", "Verdict", "auto_ping_maker"]


STRATEGIES = frozenset(WSAutoPingStrategy)  # other numbers make members, too, without a name


class Verdict(Enum):
    """What is to be done now."""

    WAIT = "wait"
    PING = "ping"
    DEAD = "dead"


class AutoPing:
    """The state of one connection's heartbeat.

    Args:
        strategy: whether received data puts off the next ping.
        idle_timeout: seconds without data, or between pings, before a ping is sent.
        reply_timeout: seconds within which it must be answered.
        now: the time.

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
        self._unanswered_since: float | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether a ping is not answered yet."""
        return self._unanswered_since is not None

    def data_received(self, now: float) -> None:
        """The peer has sent something, whatever it is."""
        if self._waits_for_idle:
            self._quiet_since = now

    def pong_received(self) -> None:
        """The ping was answered."""
        self._unanswered_since = None

    def look(self, now: float) -> tuple[Verdict, float]:
        """What is to be done.

        A PING verdict counts on the ping being sent.

        Args:
            now: the time.

        Returns:
            The verdict, and in how many seconds to look again.
        """
        if self._unanswered_since is not None:
            left = self._unanswered_since + self.reply_timeout - now
            return (Verdict.WAIT, left) if left > 0 else (Verdict.DEAD, 0)
        left = self._quiet_since + self._idle_timeout - now
        if left > 0:
            return Verdict.WAIT, left
        self._unanswered_since = self._quiet_since = now
        return Verdict.PING, min(self.reply_timeout, self._idle_timeout)


def auto_ping_maker(
    enabled: bool, strategy: WSAutoPingStrategy, idle_timeout: float, reply_timeout: float
) -> Callable[[float], AutoPing] | None:
    """What makes the `AutoPing` of each connection, given the time; None if there is to be none.

    Raises:
        ValueError: if a timeout is not positive.
    """
    if not enabled:
        return None
    make = partial(AutoPing, strategy, idle_timeout, reply_timeout)
    make(0.0)  # wrong arguments are told to whom they come from
    return make
