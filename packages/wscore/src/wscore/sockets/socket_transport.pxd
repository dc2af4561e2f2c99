# An asyncio transport that reads and writes its socket itself.

from libc.errno cimport EAGAIN, EINTR, errno

from ..connection.protocol cimport WSProtocolCore
from ..loop.branch_hints cimport rarely
from ..loop.loop_io cimport SendBuffer
from ..loop.syscalls cimport MSG_NOSIGNAL, send
from .socket_control cimport SocketControl

cdef enum:
    # The turn of a connection in one iteration of the loop: so many bytes, and no further read
    # after so many nanoseconds. Only the one that has read last has more than one read.
    MOST = 1024 * 1024
    TURN_TIME = 1000 * 1000


cdef class SocketTransport(SocketControl):
    cdef unsigned int _times_alone
    cdef bint _is_drained  # the last read has found nothing
    cdef bint _was_full  # it has brought as many bytes as there was room for
    cdef bint _must_ask  # the loop does not tell of errors as often as there is one

    # in
    cdef int _watch_by_loop(self) except -1
    cdef int _watch_beside_others(self) except -1
    cdef inline int _read_and_poll(self) except -1
    cdef int _read_more(self, WSProtocolCore protocol) except -1
    cdef int _read_again(self, WSProtocolCore protocol) except -1
    cdef inline int _read_corked(self, bint continues) except -1
    cdef inline int _end_cork(self) except -1
    cdef int _busy_poll(self, unsigned int microseconds) except -1
    cdef int _ask_for_error(self) except -1
    cdef int _receive(self) except -1
    cdef int _continue(self) except -1
    cdef int _receive_no_more(self, Py_ssize_t result) except -1

    # out
    cdef inline int _written(self) except -1
    cdef int _send_large(self, const unsigned char* header, size_t header_size,
                         const unsigned char* payload, size_t size) except -1
    cdef inline int _send_alone(self, const unsigned char* data, size_t size) except -1
    cdef int _hold_rest(self, const unsigned char* data, size_t size) except -1
    cdef int _wait_for_room(self) except -1

    cdef inline bint _push(self, SendBuffer* buffer) except -1:
        """Give bytes to the socket; whether it took all of them, else it is watched, or broken."""
        cdef Py_ssize_t sent
        while buffer.begin != buffer.end:
            sent = send(
                self.fd, buffer.data + buffer.begin, buffer.end - buffer.begin, MSG_NOSIGNAL
            )
            if not rarely(sent < 0):
                buffer.begin += sent
                self._has_sent = True
            elif errno == EAGAIN:
                self._wait_for_room()
                return False
            elif errno != EINTR:
                self._fatal(errno)
                return False
        return True
