# Where frames go: encoded once, held back while a callback runs, then handed on.

from libc.stdint cimport uint8_t

from wsframe.cwsframe cimport WSF_MAX_HEADER_SIZE, wsf_frame_encode, wsf_header

from .loop_io cimport Endpoint, LoopIO, SendBuffer, reserve
from .outflow cimport Outflow

cdef enum:
    ENOUGH = 64 * 1024  # bytes held back are sent before the callback ends


cdef class Sink(Endpoint):
    cdef LoopIO io
    cdef SendBuffer* pending  # NULL if there is nothing to send

    cdef int end(self) except -1

    # in: how much is read
    cdef int schedule_reading(self) except -1
    cpdef is_reading(self)
    cpdef pause_reading(self)
    cpdef resume_reading(self)

    # out
    cdef int write_frame(self, const wsf_header* header, const uint8_t* payload,
                         size_t size) except -1
    cdef int write_bytes(self, const uint8_t* data, size_t size) except -1
    cdef int write_now(self, const uint8_t* data, size_t size) except -1

    # What is rarely asked, by those who judge whether the peer is alive, and reads.
    cdef bint is_blocked(self) except -1
    cdef int measure(self, Outflow* flow) except -1
    cdef bint has_unread(self) except -1
    cdef bint peer_has_ended(self) except -1

    # For those below, compiled into them: every message passes through these.

    cdef inline SendBuffer* open_pending(self) except NULL:
        if self.pending == NULL:
            self.pending = self.io.take_buffer()
        return self.pending

    cdef inline void drop_pending(self) noexcept:
        if self.pending != NULL:
            self.io.give_back(self.pending)
            self.pending = NULL

    cdef inline int append_frame(self, const wsf_header* header, const uint8_t* payload,
                                 size_t size) except -1:
        """Encode a frame behind what is pending."""
        cdef SendBuffer* pending = self.open_pending()
        pending.end += wsf_frame_encode(
            reserve(pending, WSF_MAX_HEADER_SIZE + size), header, payload
        )
        return 0

    cdef inline bint may_hold(self) except -1:
        """Whether what is pending can wait for the end of the running callback, and will."""
        if self.io.depth == 0 or self.pending.end - self.pending.begin > ENOUGH:
            return False
        return self.is_listed or self.io.hold(self)


cdef class TransportSink(Sink):
    cdef object _transport
    cdef object _write
    cdef object _protocol  # None once the connection is gone: the two refer to each other
    cdef bint _is_paused
    cdef int _fd  # of its socket; -1 if it does not say
