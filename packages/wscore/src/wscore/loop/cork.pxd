# Explicit corking.

from .loop_io cimport LoopIO


cdef class Cork:
    cdef LoopIO io
    cdef object loop
    cdef object _handle  # of the scheduled call that ends the cork if the block is still open
    cdef bint _open

    cdef int _end(self) except -1
