"""Whether a ping is answered in time: the clock, the timer and the queries to the system.

One is made for each ping that is sent; without a ping under way there is no cost. All three APIs
use it. It must not give up a peer that keeps taking data, nor one whose answer has arrived.
"""

from cpython.time cimport monotonic

from ..loop.sealed_types cimport seal_type

from .auto_ping import ReplyClock, Verdict

__all__ = ["PingWatch"]

cdef enum:
    # Iterations of the loop after which readable data has been read. In the current iteration the
    # read may have come before this call, in the next one it may come after it.
    READ_WITHIN = 2


cdef class PingWatch:
    """The wait for the answer to a ping that has just been sent.

    Args:
        transport: the connection's.
        timeout: seconds that the answer may take, from when the peer can have seen the ping.
        given_up: called without arguments if it takes longer.
    """

    def __init__(self, WSTransport transport not None, timeout, given_up):
        self._loop = transport.loop
        self._sink = transport._sink
        self._given_up = given_up
        self._clock = ReplyClock(timeout, monotonic())
        self._sink.measure(&self._flow)
        self._end = (
            self._flow.acknowledged + self._flow.unacknowledged + <long long>self._flow.waiting
        )
        self._look()

    def stop(self):
        """Stop waiting: the ping was answered, or the connection has ended."""
        self._given_up = None
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _look(self):
        cdef double now = monotonic()
        verdict, delay = self._clock.look(
            now, self._progress_at(now), has_unread=self._sink.has_unread()
        )
        if verdict is Verdict.WAIT:
            self._handle = self._loop.call_later(delay, self._look)
        elif verdict is Verdict.READ:
            self._handle = self._loop.call_soon(self._look_after_reading, READ_WITHIN - 1)
        else:
            given_up = self._given_up
            self.stop()
            given_up()

    def _look_after_reading(self, iterations):
        if iterations:
            self._handle = self._loop.call_soon(self._look_after_reading, iterations - 1)
        else:
            self._look()

    cdef object _progress_at(self, double now):
        """Return when the peer last showed that it reads; None if not since the last look."""
        cdef Outflow flow
        cdef bint took_some
        self._sink.measure(&flow)
        took_some = self._peer_took_some(&flow)
        self._flow = flow
        if not self._sink.is_reading() and self._sink.has_unread():
            return now  # this side is not reading, so the answer may lie unread in the socket
        return now - flow.acknowledged_before if took_some else None

    cdef bint _peer_took_some(self, const Outflow *flow) noexcept:
        """Return whether the peer has taken some of the data in front of the ping.

        Acknowledgements of data behind the ping prove nothing: the peer's system gives them even if
        its program has stopped, until its receive buffer is full.
        """
        cdef const Outflow *before = &self._flow
        if flow.late_sends != before.late_sends or flow.waiting < before.waiting:
            return True
        if flow.acknowledged >= 0:
            return min(flow.acknowledged, self._end) > before.acknowledged
        return 0 <= flow.unacknowledged < before.unacknowledged


seal_type(PingWatch)
