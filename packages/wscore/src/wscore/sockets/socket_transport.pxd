# An asyncio transport that reads and writes its socket itself.

cimport cython
from libc.errno cimport EAGAIN, EINTR, errno

from ..connection.protocol cimport WSProtocolCore
from ..loop.branch_hints cimport unlikely
from ..loop.loop_io cimport SendBuffer
from ..loop.outflow cimport Outflow
from ..loop.sink cimport Sink
from ..loop.syscalls cimport MSG_NOSIGNAL, send
from ..loop.watcher cimport Watcher

cdef enum SocketState:
    # The life of a socket, in this order: only `_advance` changes it, and never backwards.
    HANDSHAKING  # TLS: the protocol does not know of the transport yet
    OPEN
    EOF_WANTED  # our direction ends when all is sent: `write_eof`
    CLOSING  # pending data is sent, and usually the peer's CLOSE awaited
    WRITE_ENDED  # and our direction has ended, behind the pending data
    DRAINING  # TLS: all data has left, and further input is discarded
    LOST  # the socket is no longer used


cdef class SocketTransport(Sink):
    # The fields of the send path come first, in one or two cache lines: broadcasts prefetch them.
    cdef int fd
    cdef SocketState _state
    cdef bint _has_sent  # since the last read began
    cdef bint _over_high
    cdef bint _writing  # the loop watches for room in the socket's buffer

    cdef WSProtocolCore protocol
    cdef object loop
    cdef object _sock  # the Python socket, if one was given or asked for
    cdef object _server  # its `forget` is called when the socket is closed; or None
    cdef bytes _sockname  # the system's structures
    cdef bytes _peername
    cdef Watcher _watcher  # None while the loop itself watches
    cdef unsigned long long _late_sends  # how often a full socket became writable again
    cdef size_t _high
    cdef size_t _low
    cdef bint _reading  # reading is not paused
    cdef bint _watched  # the loop watches for input; within a read also after a pause
    cdef bint _is_within_read  # a callback is running, or a task that this read has resumed

    cdef unsigned int _times_alone
    cdef bint _is_drained  # the last read found nothing
    cdef bint _was_full  # it filled the receive buffer
    cdef bint _must_ask  # the loop may not report an error of the socket

    # while closing; `_timer` also of the handshake of TLS
    cdef object _timer
    cdef double _due
    cdef size_t _undelivered  # bytes, at the last progress of the peer
    cdef size_t _end_size  # bytes that the end of our direction takes
    cdef bint _peer_has_ended  # the peer has closed its direction

    cdef int _check_thread(self) except -1

    @cython.final
    cdef inline int _advance(self, SocketState state) except -1:
        if unlikely(state < self._state):
            return self._refuse_state(state)
        self._state = state
        return 0

    cdef int _refuse_state(self, SocketState state) except -1
    cdef int attach(self, object loop, object sock, WSProtocolCore protocol) except -1

    # reading begins and ends
    cpdef is_reading(self)
    cpdef pause_reading(self)
    cpdef resume_reading(self)
    cdef int _start_reading(self) except -1
    cdef int _stop_reading(self) except -1
    cdef int _watch(self) except -1
    cdef int _watch_by_loop(self) except -1
    cdef int _unwatch(self) except -1

    # in
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
    cdef int _send_large(self, const unsigned char *header, size_t header_size,
                         const unsigned char *payload, size_t size) except -1
    cdef inline int _send_alone(self, const unsigned char *data, size_t size) except -1
    cdef int _hold_rest(self, const unsigned char *data, size_t size) except -1
    cdef int _wait_for_room(self) except -1

    # flow control
    cdef int _all_sent(self) except -1

    @cython.final
    cdef int _shut_down_writing(self) except -1
    cdef size_t _unsent(self) noexcept
    cdef int _check_limits(self) except -1

    # the end
    cdef bint _awaits_close(self) noexcept
    cdef size_t _undelivered_now(self) noexcept
    cdef int _send_rest(self) except -1
    cdef int _finish(self) except -1
    cdef int _end_writing(self) except -1
    cdef int _look_later(self, double time, bint anew, double interval) except -1
    cdef int _stop_timer(self) except -1
    cdef int _stop(self) except -1
    cdef int _fatal(self, int error_number) except -1
    cdef int _end(self, object exc) except -1
    cdef int _close_socket(self) except -1

    cdef inline bint _push(self, SendBuffer *buffer) except -1:
        """Write bytes to the socket; return whether it took all, else it is watched, or broken."""
        cdef Py_ssize_t sent
        while buffer.begin != buffer.end:
            sent = send(
                self.fd, buffer.data + buffer.begin, buffer.end - buffer.begin, MSG_NOSIGNAL
            )
            if not unlikely(sent < 0):
                buffer.begin += sent
                self._has_sent = True
            elif errno == EAGAIN:
                self._wait_for_room()
                return False
            elif errno != EINTR:
                self._fatal(errno)
                return False
        return True
