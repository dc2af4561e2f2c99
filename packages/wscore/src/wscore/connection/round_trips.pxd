# Measuring round-trip times.


cdef class RoundTrips:
    cdef object _send_ping
    cdef object _loop
    cdef dict _pongs  # futures by the payload of their ping
    cdef bint _ended

    cdef bint take_pong(self, bytes payload) except -1
    cdef int end(self) except -1
