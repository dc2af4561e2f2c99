# An asyncio transport that reads and writes its socket itself.

from libc.errno cimport EAGAIN, EINTR, errno

from ..connection.protocol cimport WSProtocolCore
from ..loop.branch_hints cimport unlikely
from ..loop.loop_io cimport SendBuffer
from ..loop.outflow cimport Outflow
from ..loop.sink cimport Sink
from ..loop.syscalls cimport MSG_NOSIGNAL, send
from ..loop.watcher cimport Watcher

cdef enum:
    # The turn of a connection in one iteration of the loop: so many bytes, and no further read
    # after so many nanoseconds. Only the one that has read last has more than one read.
    MOST = 1024 * 1024
    TURN_TIME = 1000 * 1000


cdef enum SocketState:
    # The life of a socket, in its order: only `_advance` changes it, and never backwards.
    HANDSHAKING  # TLS: the protocol does not know of the transport yet
    OPEN
    EOF_WANTED  # our direction ends when all is sent: `write_eof`
    CLOSING  # all that waits is sent, and most often the peer's CLOSE awaited
    WRITE_ENDED  # and our direction has ended, behind what waits
    DRAINING  # TLS: all has left, and what the peer still sends is thrown away
    LOST  # nothing is done with the socket any more


cdef class SocketTransport(Sink):
    # What sending needs comes first, so that it lies together: broadcasts fetch it ahead.
    cdef int fd
    cdef SocketState _state
    cdef bint _has_sent  # since the last read began
    cdef bint _over_high
    cdef bint _writing  # the loop watches for room in the socket's buffer

    cdef WSProtocolCore protocol
    cdef object loop
    cdef object _sock  # of Python's, if one was given or asked for
    cdef object _server  # that is to know when the socket is closed; None if no one is
    cdef bytes _sockname  # as the system has them
    cdef bytes _peername
    cdef Watcher _watcher  # None while the loop itself watches
    cdef unsigned long long _late_sends  # how often there was room after there had been none
    cdef size_t _high
    cdef size_t _low
    cdef bint _reading  # whether the socket shall be read
    cdef bint _watched  # whether it is watched, which may outlast that to the end of a read
    cdef bint _is_within_read  # a callback is running, or a task that was resumed by this read

    cdef unsigned int _times_alone
    cdef bint _is_drained  # the last read has found nothing
    cdef bint _was_full  # it has brought as many bytes as there was room for
    cdef bint _must_ask  # the loop does not tell of errors as often as there is one

    # while closing; `_timer` also of the handshake of TLS
    cdef object _timer
    cdef double _due
    cdef size_t _undelivered  # bytes, when the peer was seen to take some
    cdef size_t _end_size  # bytes that the end of our direction took
    cdef bint _peer_has_ended  # its direction

    cdef int _check_thread(self) except -1
    cdef int _advance(self, SocketState state) except -1
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
    cdef int _send_large(self, const unsigned char* header, size_t header_size,
                         const unsigned char* payload, size_t size) except -1
    cdef inline int _send_alone(self, const unsigned char* data, size_t size) except -1
    cdef int _hold_rest(self, const unsigned char* data, size_t size) except -1
    cdef int _wait_for_room(self) except -1

    # flow control
    cdef int _all_sent(self) except -1
    cdef int _shut_down_writing(self) except -1
    cdef size_t _unsent(self) noexcept
    cdef int _check_limits(self) except -1

    # the end
    cdef bint _awaits_close(self) noexcept
    cdef size_t _undelivered_now(self) noexcept
    cdef int _send_rest(self) except -1
    cdef int _finish(self) except -1
    cdef int _end_writing(self) except -1
    cdef int _look_later(self, double now, bint anew, double interval) except -1
    cdef int _stop_timer(self) except -1
    cdef int _stop(self) except -1
    cdef int _fatal(self, int error_number) except -1
    cdef int _end(self, object exc) except -1
    cdef int _close_socket(self) except -1

    cdef inline bint _push(self, SendBuffer* buffer) except -1:
        """Give bytes to the socket; whether it took all of them, else it is watched, or broken."""
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
