# An asyncio transport that reads and writes its socket itself.

from .loop_io cimport LoopIO
from .protocol cimport WSProtocolCore
from .sink cimport Sink


cdef class SocketTransport(Sink):
    cdef WSProtocolCore protocol
    cdef object loop
    cdef object sock
    cdef int fd

    cdef dict _extra
    cdef size_t _high
    cdef size_t _low
    cdef bint _reading
    cdef bint _writing  # the loop watches for room in the socket's buffer
    cdef bint _closing
    cdef bint _lost
    cdef bint _eof_wanted
    cdef bint _over_high

    # in
    cdef int _read_corked(self) except -1
    cdef int _busy_poll(self, unsigned int microseconds) except -1
    cdef int _receive(self) except -1
    cdef int _stop_reading(self) except -1

    # out
    cdef int _send_pending(self) except -1
    cdef int _send_large(self, const unsigned char* header, size_t header_size,
                         const unsigned char* payload, size_t size) except -1
    cdef int _wait_for_room(self) except -1
    cdef int _all_sent(self) except -1
    cdef int _check_limits(self) except -1

    # the end
    cdef int _fatal(self, int error_number) except -1
    cdef int _end(self, object exc) except -1
