# Where received bytes wait until they are parsed.

from libc.stdint cimport uint8_t


cdef class Block:
    cdef uint8_t* data
    cdef size_t size
    cdef Py_ssize_t views  # buffers exported from frames in this block


cdef class ReceiveBuffer:
    cdef Block block
    cdef size_t begin  # of the unread bytes
    cdef size_t end    # of the unread bytes
    cdef size_t initial_size

    cdef object writable(self)
    cdef int reserve(self, size_t size) except -1
    cdef int tidy(self) except -1
    cdef int _move_to(self, size_t size) except -1
