"""What all connections of one event loop share.

Memory: one block that every connection receives into, so that an idle connection needs none of its
own, and a few buffers to send from. And corking: what is sent while a callback runs is held back,
and leaves in one system call per connection when the outermost callback ends, even if that ends
with an exception.

Loops live in threads of their own, so nothing here is shared between loops.
"""

import weakref

cimport cython
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree, PyMem_RawMalloc, PyMem_RawRealloc
from libc.string cimport memmove

cdef enum:
    RECEIVE_SIZE = 256 * 1024  # bytes that one read may bring
    PAGE = 4096  # bytes; a power of two

_loops = weakref.WeakKeyDictionary()


cdef LoopIO loop_io(object loop):
    """The one object of this kind that a loop has."""
    cdef LoopIO io = _loops.get(loop)
    if io is None:
        io = LoopIO.__new__(LoopIO)
        _loops[loop] = io
    return io


@cython.no_gc
cdef class Block:
    """Memory to receive into; it lives as long as a connection or a frame needs it."""

    def __cinit__(self, size_t size):
        # The system copies fastest to the front of a page: there it begins a message itself.
        cdef size_t padding = PAGE - 1 if size >= RECEIVE_SIZE else 0
        self._memory = PyMem_RawMalloc(size + padding)
        if self._memory == NULL:
            raise MemoryError(f"a receive buffer of {size} bytes")
        self.data = <uint8_t*>(<size_t>self._memory + padding & ~padding)
        self.size = size

    def __dealloc__(self):
        PyMem_RawFree(self._memory)


cdef SendBuffer* new_buffer() except NULL:
    cdef SendBuffer* buffer = <SendBuffer*>PyMem_RawCalloc(1, sizeof(SendBuffer))
    if buffer != NULL:
        buffer.data = <uint8_t*>PyMem_RawMalloc(SEND_SIZE)
        buffer.size = SEND_SIZE
    if buffer == NULL or buffer.data == NULL:
        PyMem_RawFree(buffer)
        raise MemoryError(f"a send buffer of {SEND_SIZE} bytes")
    return buffer


cdef void free_buffer(SendBuffer* buffer) noexcept:
    PyMem_RawFree(buffer.data)
    PyMem_RawFree(buffer)


cdef int make_room(SendBuffer* buffer, size_t size) except -1:
    """Have room for `size` more bytes."""
    cdef size_t unsent = buffer.end - buffer.begin
    cdef size_t wanted = buffer.size
    cdef uint8_t* data
    if buffer.begin:
        memmove(buffer.data, buffer.data + buffer.begin, unsent)
        buffer.begin = 0
        buffer.end = unsent
    if unsent + size > buffer.size:
        while wanted < unsent + size:
            wanted *= 2
        data = <uint8_t*>PyMem_RawRealloc(buffer.data, wanted)
        if data == NULL:
            raise MemoryError(f"a send buffer of {wanted} bytes")
        buffer.data = data
        buffer.size = wanted
    return 0


cdef class Endpoint:
    """Something on a loop that is told of its turn."""

    cdef int flush(self) except -1:
        """Send what was held back. It reports failures to its own connection and never raises."""
        raise NotImplementedError

    cdef int ready(self, bint alone) except -1:
        """The descriptor that is watched for it is readable, at its end, or has an error.

        Args:
            alone: whether nothing else was ready.
        """
        raise NotImplementedError


cdef class LoopIO:
    """What all connections of one event loop share."""

    def __dealloc__(self):
        cdef SendBuffer* buffer
        while self._spare_buffer != NULL:
            buffer = self._spare_buffer
            self._spare_buffer = buffer.next
            free_buffer(buffer)

    # -- corking

    cdef int _flush(self) except -1:
        cdef Endpoint corked
        # Reporting a failure may make user code send to further connections.
        while self._corked is not None:
            corked = self._corked
            self._corked = corked._next_corked
            if self._corked is None:
                self._last_corked = None
            else:
                corked._next_corked = None
            self._corked_count -= 1
            corked.is_listed = False
            corked.flush()
        return 0

    # -- memory

    cdef Block borrow(self):
        """Memory for one read: the loop's own, unless it is in use or a view still shows it."""
        if self.block_in_use:
            return self.take_block()
        if self.block is None or self.block.views:
            self.block = self.take_block()
        return self.block

    cdef int recycle(self, Block block) except -1:
        """Take back memory that a connection kept for longer than one read."""
        if (
            block.size == RECEIVE_SIZE and not block.views and block is not self.block
            and self._spare_block_count < SPARES
        ):
            block.next = self._spare_block
            self._spare_block = block
            self._spare_block_count += 1
        return 0

    cdef Block take_block(self):
        """Memory for a connection, or for as long as a call lasts."""
        cdef Block block = self._spare_block
        if block is None:
            return Block.__new__(Block, <size_t>RECEIVE_SIZE)
        self._spare_block = block.next
        self._spare_block_count -= 1
        block.next = None
        return block
