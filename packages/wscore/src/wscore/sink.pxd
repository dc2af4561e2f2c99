# Where frames go: encoded once, held back while a callback runs, then handed on.

from libc.stdint cimport uint8_t

from wsframe.cwsframe cimport wsf_header

from .loop_io cimport Corked, LoopIO, SendBuffer


cdef class Sink(Corked):
    cdef LoopIO io
    cdef SendBuffer pending  # None if there is nothing to send

    cdef int write_frame(self, const wsf_header* header, const uint8_t* payload,
                         size_t size) except -1
    cdef int write_bytes(self, const uint8_t* data, size_t size) except -1
    cdef int flush(self) except -1
    cdef SendBuffer open_pending(self)
    cdef int drop_pending(self) except -1
    cdef int _written(self) except -1


cdef class TransportSink(Sink):
    cdef object _write
