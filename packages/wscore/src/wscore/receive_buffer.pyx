"""The buffer between the socket and the parser.

Unread bytes are contiguous. Memory that a memoryview still shows is never written again: a block
with views left on it is handed over to them, and the buffer goes on in a new one.
"""

from cpython.buffer cimport PyBUF_WRITE
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from cpython.memoryview cimport PyMemoryView_FromMemory
from libc.string cimport memcpy, memmove


cdef class Block:
    """Memory that lives as long as the buffer or a frame needs it."""

    def __cinit__(self, size_t size):
        self.data = <uint8_t*>PyMem_RawMalloc(size)
        if self.data == NULL:
            raise MemoryError(f"a receive buffer of {size} bytes")
        self.size = size

    def __dealloc__(self):
        PyMem_RawFree(self.data)


cdef class ReceiveBuffer:
    """Received bytes that are not parsed yet: ``block.data[begin:end]``."""

    def __cinit__(self, size_t initial_size):
        self.initial_size = initial_size
        self.block = Block.__new__(Block, initial_size)

    cdef object writable(self):
        """Where the next read goes: a memoryview that is used before anything else happens."""
        if self.end == self.block.size:
            self.reserve(self.end - self.begin + self.initial_size)
        return PyMemoryView_FromMemory(
            <char*>self.block.data + self.end, self.block.size - self.end, PyBUF_WRITE
        )

    cdef int reserve(self, size_t size) except -1:
        """Make room for `size` contiguous bytes, the unread ones included."""
        if self.begin + size <= self.block.size:
            return 0
        if size > self.block.size:
            return self._move_to(size)
        if self.block.views:
            return self._move_to(self.block.size)
        memmove(self.block.data, self.block.data + self.begin, self.end - self.begin)
        self.end -= self.begin
        self.begin = 0
        return 0

    cdef int tidy(self) except -1:
        """To be called when a read has been parsed, with no frame in use by the parser."""
        if self.begin != self.end:
            if self.block.views:
                self._move_to(self.block.size)
            return 0
        if self.block.views or self.block.size > self.initial_size:
            self.begin = self.end = 0
            self._move_to(self.initial_size)
        self.begin = self.end = 0
        return 0

    cdef int _move_to(self, size_t size) except -1:
        """Go on in a new block, with the unread bytes at its start."""
        cdef Block block = Block.__new__(Block, size)
        cdef size_t unread = self.end - self.begin
        memcpy(block.data, self.block.data + self.begin, unread)
        self.block = block
        self.begin = 0
        self.end = unread
        return 0
