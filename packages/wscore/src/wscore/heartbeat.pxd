# Auto ping at work.

from .frame cimport WSFrame
from .listener cimport WSListener
from .transport cimport WSTransport


cdef class Heartbeat:
    cdef WSTransport transport
    cdef WSListener listener
    cdef object logic  # an AutoPing
    cdef object _timer

    cdef int heard(self) except -1
    cdef bint answers(self, WSFrame frame) except -1
    cdef int stop(self) except -1
