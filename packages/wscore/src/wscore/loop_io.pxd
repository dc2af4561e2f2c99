# What all connections of one event loop share: memory, and the list of those that hold bytes back.

from libc.stdint cimport uint8_t

cdef enum:
    PIECES = 16  # of encrypted bytes that one call sends

cdef class Block:
    cdef uint8_t* data
    cdef size_t size
    cdef Py_ssize_t views  # exported from frames that lie in it
    cdef Block next  # spare one


cdef class SendBuffer:
    cdef uint8_t* data
    cdef size_t size  # of the memory
    cdef size_t begin  # of the bytes to send
    cdef size_t end
    cdef SendBuffer next  # spare one

    cdef uint8_t* reserve(self, size_t size) except NULL
    cdef int append(self, const uint8_t* data, size_t size) except -1


cdef class Corked:
    cdef bint is_listed
    cdef int uncork(self) except -1


cdef class LoopIO:
    cdef int depth  # of callbacks within callbacks
    cdef bint block_in_use
    cdef Block block
    cdef list _corked  # of a fixed length, because it changes with every read
    cdef int _corked_next
    cdef int _corked_count
    cdef Block _spare_block  # the first of a chain
    cdef int _spare_block_count
    cdef SendBuffer _spare_buffer  # the same
    cdef int _spare_buffer_count

    cdef list pieces  # encrypted bytes, within one call; of a fixed length too
    cdef int piece_count

    cdef void enter(self) noexcept
    cdef int leave(self) except -1
    cdef bint hold(self, Corked corked) except -1
    cdef Block borrow(self)
    cdef int recycle(self, Block block) except -1
    cdef SendBuffer take_buffer(self)
    cdef int give_back(self, SendBuffer buffer) except -1
    cdef Block take_block(self)
    cdef int drop_pieces(self) except -1
    cdef int _flush(self) except -1


cdef LoopIO loop_io(object loop)
