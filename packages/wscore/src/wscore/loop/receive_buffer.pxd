# The buffer of received bytes that are not parsed yet.
#
# The bodies here are for the usual case, a read of whole frames into an empty buffer: Cython
# inlines them into other modules. Everything else is a call into the .pyx.

cimport cython
from libc.stdint cimport uint8_t

from .branch_hints cimport unlikely
from .loop_io cimport Block, LoopIO


@cython.final
cdef class ReceiveBuffer:
    cdef Block block   # None while the buffer is empty
    cdef size_t begin  # of the unparsed bytes
    cdef size_t end    # of the unparsed bytes
    cdef size_t needed  # contiguous bytes that the parser waits for
    cdef LoopIO io

    cdef inline size_t prepare(self) except? 0:
        """Make room for a read after the unparsed bytes; return the bytes of room."""
        if unlikely(self.end != self.begin):
            if self.end == self.block.size:
                self._find_room()
        elif unlikely(self.needed != 0 or not self.io.lends()):
            self._find_room()
        else:
            self.begin = self.end = 0
            self.block = self.io.block
        return self.room()

    cdef inline size_t room(self) noexcept:
        """Return how many more bytes fit into the block."""
        return self.block.size - self.end

    cdef inline void lock(self) noexcept:
        """Keep other connections from writing into the shared block until `tidy`."""
        if self.block is self.io.block:
            self.io.block_in_use = True

    cdef inline int tidy(self, size_t needed) except -1:
        """Release the block, or keep an incomplete rest, after all complete frames were parsed.

        Args:
            needed: contiguous bytes that the parser waits for, including those in the buffer.
        """
        self.needed = needed
        if unlikely(self.begin != self.end or self.block is not self.io.block):
            return self._keep(needed)
        self.io.block_in_use = False
        self.begin = self.end = 0
        self.block = None
        return 0

    cdef int _find_room(self) except -1
    cdef int _keep(self, size_t needed) except -1
    cdef Block _roomy_block(self, size_t unread)
    cdef Block _new_block(self, size_t unread)
    cdef int _move_to(self, Block block) except -1
