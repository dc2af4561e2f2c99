# The send path.

cimport cython
from libc.stdint cimport uint8_t

from wsframe.cwsframe cimport wsf_header

from .state cimport Event, State, WSCloseHandshake
from .deflate_streams cimport Deflater
from ..enums cimport WSMsgType
from ..loop.branch_hints cimport unlikely
from ..loop.loop_io cimport LoopIO, this_thread
from .round_trips cimport RoundTrips
from ..loop.sink cimport Sink

cdef int refuse_thread(LoopIO io) except -1


@cython.final
cdef class WSTransport:
    # The fields of the send path come first, in one or two cache lines: broadcasts prefetch them.
    cdef Sink _sink
    cdef Deflater deflater  # None unless deflate was agreed on
    cdef State state
    cdef readonly bint is_client_side
    cdef readonly bint is_writing_paused

    cdef readonly object underlying_transport
    cdef readonly object request
    cdef readonly object response
    cdef readonly WSCloseHandshake close_handshake
    cdef readonly object lost_exception
    cdef readonly bint is_secure
    cdef readonly object deflate

    cdef object loop
    cdef object logger
    cdef set _waiters  # futures of `wait_disconnected`; None before the first
    cdef object _end_timer  # of a transport below that is not wscore's own
    cdef double disconnect_timeout  # seconds that closing may take without progress of the peer
    cdef RoundTrips round_trips  # None before the first
    cdef object auto_ping  # a Heartbeat, or None
    cdef bytes _waiting_pong  # payload for the latest ping if it could not be sent; else None
    cdef bint _is_deflating  # within a message that is sent compressed
    cdef object _failure  # the exception because of which a client ended the connection, or None
    cdef bint _is_over  # `wait_disconnected` returns
    cdef bint _is_broken  # the transport below is gone, and will call `connection_lost`
    cdef object __weakref__

    # in: the protocol reports what happened
    cdef int advance(self, Event event) except -1
    cdef int upgraded(self, object request, object response) except -1
    cdef int close_received(self, object code, object reason) except -1
    cdef int set_failure(self, object exc) except -1
    cdef bint has_received_close(self) noexcept
    cdef int closed_below(self) except -1
    cdef int broken_below(self) except -1
    cdef int lost(self, object exc) except -1
    cdef int end_waiting(self) except -1

    # in: how much is read
    cdef int schedule_reading(self) except -1
    cdef bint is_reading(self) except -1
    cdef int pause_reading(self) except -1
    cdef int resume_reading(self) except -1

    # out: frames
    cpdef send(self, WSMsgType msg_type, object message, bint fin=*, bint rsv1=*, bint rsv2=*,
               bint rsv3=*)
    cpdef send_message(self, WSMsgType msg_type, object message, bint fin=*, object compress=*)
    cpdef send_ping(self, object message=*)
    cpdef send_pong(self, object message=*)
    cpdef bint answer_ping(self, object message=*) except -1
    cpdef send_close(self, object close_code=*, object close_message=*)
    cpdef send_reuse_external_bytearray(self, WSMsgType msg_type, bytearray buffer,
                                        Py_ssize_t msg_offset, bint fin=*, bint rsv1=*,
                                        bint rsv2=*, bint rsv3=*)
    cdef int send_reuse_external_buffer(self, WSMsgType msg_type, char *message,
                                        size_t message_size, bint fin=*, bint rsv1=*,
                                        bint rsv2=*, bint rsv3=*) except -1
    cpdef fail(self, unsigned int code, object reason=*)
    cpdef notify_user_specific_pong_received(self)
    cpdef disconnect(self, bint graceful=*)

    cdef int flush(self) except -1
    cdef int pause_writing(self, bint paused) except -1
    cdef int write_frame(self, int opcode, bint fin, int rsv, const uint8_t *payload,
                         size_t size) except -1
    cdef bint write_pong(self, const uint8_t *payload, size_t size) except -1
    cdef int send_waiting_pong(self) except -1
    cdef inline int _check_thread(self) except -1:
        if unlikely(this_thread() != self._sink.io.thread):
            return refuse_thread(self._sink.io)
        return 0

    cdef inline int _check_type(self, WSMsgType msg_type, bint fin) except -1
    cdef int _check_control_type(self, WSMsgType msg_type, bint fin) except -1
    cdef inline int _fill_header(self, wsf_header *header, int opcode, bint fin, int rsv,
                                 size_t size) except -1
    cdef inline bint _may_send(self, int opcode, size_t size) except -1
    cdef bint _may_send_else(self, int opcode, size_t size) except -1
    cdef inline int _write_buffer(self, int opcode, bint fin, int rsv, object message) except -1
    cdef int _write_close(self, unsigned int code, object message) except -1
    cdef int _close_below(self) except -1
    cdef int _close_foreign(self) except -1
