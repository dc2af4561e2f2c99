# Auto ping of one connection.

from cpython.time cimport monotonic

from .frame cimport WSFrame
from .listener cimport WSListener
from .ping_watch cimport PingWatch
from .transport cimport WSTransport


cdef class Heartbeat:
    cdef WSTransport transport
    cdef WSListener listener
    cdef object _logic  # an AutoPing
    cdef PingWatch _watch  # while an answer is awaited
    cdef object _timer  # of the next ping
    cdef double _heard_at  # when something was last received

    cdef inline void heard(self) noexcept:
        """Record that something was received."""
        self._heard_at = monotonic()

    cdef bint answers(self, WSFrame frame) except -1
    cdef int stop(self) except -1
