"""The bytes that one connection has received and not parsed yet.

They are contiguous. Between reads a connection without an incomplete frame holds no memory: it
receives into the block that all connections of its loop share. One with an incomplete frame, or
with frames that the budget has left, holds at most four times as many bytes, unless the header
announces a frame that is larger than a read. Memory that a memoryview still shows is never written
again.
"""

from libc.string cimport memcpy, memmove

from .loop_io cimport RECEIVE_SIZE
from .sealed_types cimport seal_type

cdef enum:
    # A rest of so small a part of its block is copied away between reads: of up to 64 KiB, which
    # takes less time than to receive as many.
    SMALL_PART = 4
    TRUSTED = 16 * 1024 * 1024  # bytes that are allocated because a header announces them


cdef class ReceiveBuffer:
    """Received bytes that are not parsed yet: ``block.data[begin:end]``.

    A read is `prepare`, then the system call, then adding to `end`, then `lock`, then parsing,
    which adds to `begin`, then `tidy`.
    """

    def __cinit__(self, LoopIO io):
        self.io = io

    cdef int _find_room(self) except -1:
        cdef size_t unread = self.end - self.begin
        # The read may bring nothing, so that what is unread stays where it is put now.
        if unread == 0 and self.needed <= RECEIVE_SIZE:
            return self._move_to(self.io.borrow())
        return self._move_to(self._roomy_block(unread))

    cdef int _keep(self, size_t needed) except -1:
        """Find a place for what was left, or give memory back that was the connection's own."""
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
        if unread <= block.size // SMALL_PART and needed <= RECEIVE_SIZE:  # else it will be filled
            return self._move_to(Block.__new__(Block, unread))
        if block.size < RECEIVE_SIZE:
            return 0  # it is full, so that the next read moves the rest to the front of a large one
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
        """Memory for so many bytes, for as many as the parser waits for, and for more to come."""
        if self.needed > RECEIVE_SIZE:
            return self._new_block(unread)
        if unread < RECEIVE_SIZE:
            return self.io.take_block()
        return Block.__new__(Block, 2 * unread)  # of frames that the budget has left unparsed

    cdef Block _new_block(self, size_t unread):
        """A block for a frame that is larger than the usual ones.

        Very large ones grow with what has come, not with what was announced.
        """
        cdef size_t size = self.needed
        if size > TRUSTED:
            size = min(size, max(<size_t>TRUSTED, 2 * unread))
        return self.io.take_large(max(size, unread))

    cdef int _move_to(self, Block block) except -1:
        cdef size_t unread = self.end - self.begin
        if unread:
            if unread > block.size:
                raise SystemError(f"{unread} bytes do not fit into {block.size}")
            memcpy(block.data, self.block.data + self.begin, unread)
            self.io.recycle(self.block)
        self.block = block
        self.begin = 0
        self.end = unread
        return 0


seal_type(ReceiveBuffer)
