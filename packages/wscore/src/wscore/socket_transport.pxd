# An asyncio transport that reads and writes its socket itself.

from .loop_io cimport LoopIO, SendBuffer
from .protocol cimport WSProtocolCore
from .sink cimport Sink
from .watcher cimport Watcher


cdef class SocketTransport(Sink):
    # What sending needs comes first, so that it lies together: broadcasts fetch it ahead.
    cdef int fd
    cdef bint _closing
    cdef bint _eof_wanted
    cdef bint _has_sent  # since the last read began
    cdef bint _over_high
    cdef bint _writing  # the loop watches for room in the socket's buffer

    cdef WSProtocolCore protocol
    cdef object loop
    cdef object _sock  # of Python's, if one was given or asked for
    cdef bytes _sockname  # as the system has them
    cdef bytes _peername
    cdef Watcher _watcher  # None while the loop itself watches
    cdef unsigned int _times_alone
    cdef size_t _high
    cdef size_t _low
    cdef bint _reading
    cdef bint _lost
    cdef bint _must_ask  # the loop does not tell of errors as often as there is one

    cdef int attach(self, object loop, object sock, WSProtocolCore protocol) except -1

    # in
    cdef int _start_reading(self) except -1
    cdef int _watch_by_loop(self) except -1
    cdef int _read_and_poll(self) except -1
    cdef inline int _read_corked(self) except -1
    cdef int _busy_poll(self, unsigned int microseconds) except -1
    cdef int _ask_for_error(self) except -1
    cdef int _receive(self) except -1
    cdef int _stop_reading(self) except -1

    # out
    cdef inline int _written(self) except -1
    cdef bint _push(self, SendBuffer buffer) except -1
    cdef int _send_large(self, const unsigned char* header, size_t header_size,
                         const unsigned char* payload, size_t size) except -1
    cdef int _hold_rest(self, const unsigned char* data, size_t size) except -1
    cdef int _wait_for_room(self) except -1
    cdef int _all_sent(self) except -1
    cdef size_t _unsent(self) noexcept
    cdef int _check_limits(self) except -1

    # the end
    cdef int _finish(self) except -1
    cdef int _stop(self) except -1
    cdef int _fatal(self, int error_number) except -1
    cdef int _end(self, object exc) except -1
    cdef int _close_socket(self) except -1
