# The outgoing side of a connection: frames are encoded once, held during callbacks, then flushed.

from libc.stdint cimport uint8_t

from wsframe.cwsframe cimport WSF_MAX_HEADER_SIZE, wsf_frame_encode, wsf_header

from .loop_io cimport Endpoint, LoopIO, SendBuffer, reserve
from .outflow cimport Outflow

cdef enum:
    ENOUGH = 64 * 1024  # with more bytes held back they are sent before the callback ends


cdef class Sink(Endpoint):
    cdef LoopIO io
    cdef SendBuffer *pending  # NULL if there is nothing to send

    cdef int end(self) except -1

    # -- in: how much is read

    cdef int schedule_reading(self) except -1
    cpdef is_reading(self)
    cpdef pause_reading(self)
    cpdef resume_reading(self)

    # -- out

    cdef int write_frame(self, const wsf_header *header, const uint8_t *payload,
                         size_t size) except -1
    cdef int write_bytes(self, const uint8_t *data, size_t size) except -1
    cdef int write_now(self, const uint8_t *data, size_t size) except -1

    # -- rarely called: whether the peer is alive, and reads

    cdef bint is_blocked(self) except -1
    cdef int measure(self, Outflow *flow) except -1
    cdef bint has_unread(self) except -1
    cdef bint peer_has_ended(self) except -1

    # -- on the path of every message: defined here so that Cython inlines them in subclasses

    cdef inline SendBuffer *open_pending(self) except NULL:
        if self.pending == NULL:
            self.pending = self.io.take_buffer()
        return self.pending

    cdef inline void drop_pending(self) noexcept:
        if self.pending != NULL:
            self.io.give_back(self.pending)
            self.pending = NULL

    cdef inline int append_frame(self, const wsf_header *header, const uint8_t *payload,
                                 size_t size) except -1:
        """Encode a frame after the pending bytes."""
        cdef SendBuffer *pending = self.open_pending()
        pending.end += wsf_frame_encode(
            reserve(pending, WSF_MAX_HEADER_SIZE + size), header, payload
        )
        return 0

    cdef inline bint may_hold(self) except -1:
        """Return whether the pending bytes are held until the running callback ends."""
        if self.io.depth == 0 or self.pending.end - self.pending.begin > ENOUGH:
            return False
        return self.is_listed or self.io.hold(self)


cdef class TransportSink(Sink):
    cdef object _transport
    cdef object _write
    cdef object _protocol  # None after the connection has ended, to break the reference cycle
    cdef bint _is_paused
    cdef int _fd  # of the transport's socket; -1 if unknown
