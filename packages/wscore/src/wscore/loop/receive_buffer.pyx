"""The bytes that one connection has received and not parsed yet.

They are contiguous. Between reads a connection without an incomplete frame holds no memory: it
receives into the block that all connections of its loop share. With an incomplete frame, or frames
left over by the budget, it holds at most four times their size, unless the header announces a
frame that is larger than a read. Memory with a live memoryview must never be overwritten.
"""

from libc.string cimport memcpy, memmove

from .loop_io cimport RECEIVE_SIZE
from .sealed_types cimport seal_type

cdef enum:
    # A rest of at most 1/4 of its block is copied away between reads: up to 64 KiB, which takes
    # less time than to receive as many bytes.
    SMALL_PART = 4
    TRUSTED = 16 * 1024 * 1024  # maximum bytes allocated only because a header announces them


cdef class ReceiveBuffer:
    """Received bytes that are not parsed yet: ``block.data[begin:end]``.

    The steps of a read: `prepare`, the system call, adding to `end`, `lock`, parsing, which adds to
    `begin`, and `tidy`.
    """

    def __cinit__(self, LoopIO io):
        self.io = io

    cdef int _find_room(self) except -1:
        cdef size_t unread = self.end - self.begin
        # If the read returns nothing, the unparsed bytes stay in the block that is chosen here.
        if unread == 0 and self.needed <= RECEIVE_SIZE:
            return self._move_to(self.io.borrow())
        return self._move_to(self._roomy_block(unread))

    cdef int _keep(self, size_t needed) except -1:
        """Find a block for the unparsed rest; without a rest, release the connection's own."""
        cdef Block block = self.block
        cdef size_t unread = self.end - self.begin
        if block is self.io.block:
            self.io.block_in_use = False
        if unread == 0:
            self.begin = self.end = 0
            self.block = None
            return self.io.recycle(block)
        if needed > max(block.size, <size_t>RECEIVE_SIZE) and block.size < TRUSTED:
            return self._move_to(self._new_block(unread))
        if unread <= block.size // SMALL_PART and needed <= RECEIVE_SIZE:  # else it will fill up
            return self._move_to(Block.__new__(Block, unread))
        if block.size < RECEIVE_SIZE:
            return 0  # the block is full: the next read moves the rest to the front of a large one
        if block.views:
            return self._move_to(self._roomy_block(unread))
        if block is self.io.block:
            self.io.block = None  # this connection keeps it until the frame is complete
        if self.begin and self.begin + needed > block.size:
            memmove(block.data, block.data + self.begin, unread)
            self.begin = 0
            self.end = unread
        return 0

    cdef Block _roomy_block(self, size_t unread):
        """Return a block for the unparsed bytes, for those the parser waits for, and for more."""
        if self.needed > RECEIVE_SIZE:
            return self._new_block(unread)
        if unread < RECEIVE_SIZE:
            return self.io.take_block()
        return Block.__new__(Block, 2 * unread)  # whole frames that the budget has left unparsed

    cdef Block _new_block(self, size_t unread):
        """Return a block for a frame that is larger than a read.

        Above `TRUSTED` the size follows the bytes received, not the length in the header, so that a
        peer cannot make us allocate memory with a header alone.
        """
        cdef size_t size = self.needed
        if size > TRUSTED:
            size = min(size, max(<size_t>TRUSTED, 2 * unread))
        return self.io.take_large(max(size, unread))

    cdef int _move_to(self, Block block) except -1:
        cdef size_t unread = self.end - self.begin
        if unread:
            if unread > block.size:
                raise SystemError(f"{unread} bytes do not fit into a block of {block.size}")
            memcpy(block.data, self.block.data + self.begin, unread)
            self.io.recycle(self.block)
        self.block = block
        self.begin = 0
        self.end = unread
        return 0


seal_type(ReceiveBuffer)
