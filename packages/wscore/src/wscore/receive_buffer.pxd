# Where received bytes wait until they are parsed.

from libc.stdint cimport uint8_t

from .loop_io cimport Block, LoopIO


cdef class ReceiveBuffer:
    cdef Block block   # None while there is nothing to keep
    cdef size_t begin  # of the unread bytes
    cdef size_t end    # of the unread bytes
    cdef size_t needed  # contiguous bytes that the parser waits for
    cdef LoopIO io

    cdef size_t prepare(self) except? 0
    cdef uint8_t* unread(self) noexcept
    cdef void lock(self) noexcept
    cdef int tidy(self, size_t needed) except -1
    cdef Block _new_block(self, size_t unread)
    cdef int _move_to(self, Block block) except -1
