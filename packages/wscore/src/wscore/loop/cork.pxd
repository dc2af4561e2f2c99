# Corking by hand.

from .loop_io cimport LoopIO


cdef class Cork:
    cdef LoopIO io
    cdef object loop
    cdef object _handle  # of the call that ends it if the block is still open then
    cdef bint _open

    cdef int _end(self) except -1
