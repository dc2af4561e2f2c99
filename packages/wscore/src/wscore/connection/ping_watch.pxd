# Whether a ping is answered in time.

from ..loop.outflow cimport Outflow
from ..loop.sink cimport Sink
from .transport cimport WSTransport


cdef class PingWatch:
    cdef object _loop
    cdef object _given_up  # called if it is not; None after `stop`
    cdef object _clock  # a ReplyClock
    cdef object _handle  # of the next look
    cdef Sink _sink
    cdef Outflow _flow  # at the last look
    cdef long long _end  # of the ping: the total of acknowledged bytes once the peer has it

    cdef object _progress_at(self, double now)
    cdef bint _peer_took_some(self, const Outflow *flow) noexcept
