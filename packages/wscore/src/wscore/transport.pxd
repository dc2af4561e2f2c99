# The send path.

from libc.stdint cimport uint8_t

from .closing cimport Event, State, WSCloseHandshake
from .enums cimport WSMsgType
from .sink cimport Sink


cdef class WSTransport:
    cdef readonly object underlying_transport
    cdef readonly object request
    cdef readonly object response
    cdef readonly WSCloseHandshake close_handshake
    cdef readonly object lost_exception
    cdef readonly bint is_client_side
    cdef readonly bint is_secure

    cdef State state
    cdef object loop
    cdef object logger
    cdef Sink _sink
    cdef object _lost  # a future; None until somebody waits
    cdef object _linger_timer
    cdef bint _is_told  # those who wait for the end were told

    # in: the protocol reports what happened
    cdef int advance(self, Event event) except -1
    cdef int upgraded(self, object request, object response) except -1
    cdef int close_received(self, object code, object reason) except -1
    cdef int fail(self, unsigned int code, object reason) except -1
    cdef int lost(self, object exc) except -1
    cdef int tell_lost(self) except -1

    # out: frames
    cpdef send(self, WSMsgType msg_type, object message, bint fin=*, bint rsv1=*, bint rsv2=*,
               bint rsv3=*)
    cpdef send_ping(self, object message=*)
    cpdef send_pong(self, object message=*)
    cpdef send_close(self, object close_code=*, object close_message=*)
    cpdef disconnect(self, bint graceful=*)

    cdef int write_frame(self, int opcode, bint fin, int rsv, const uint8_t* payload,
                         size_t size) except -1
    cdef int _write_buffer(self, int opcode, bint fin, int rsv, object message) except -1
    cdef int _write_close(self, unsigned int code, object message) except -1
    cdef int _linger(self) except -1
