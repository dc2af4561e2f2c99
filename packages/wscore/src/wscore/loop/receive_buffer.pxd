# Where received bytes wait until they are parsed.
#
# The usual case, in which a read brings whole frames and nothing was left by the one before, stands
# here in full, to be compiled into the callers.

cimport cython
from libc.stdint cimport uint8_t

from .branch_hints cimport unlikely
from .loop_io cimport Block, LoopIO


@cython.final
cdef class ReceiveBuffer:
    cdef Block block   # None while there is nothing to keep
    cdef size_t begin  # of the unread bytes
    cdef size_t end    # of the unread bytes
    cdef size_t needed  # contiguous bytes that the parser waits for
    cdef LoopIO io

    cdef inline size_t prepare(self) except? 0:
        """Make room for a read behind the unread bytes; how many bytes it may bring."""
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
        """How many bytes more the block has room for."""
        return self.block.size - self.end

    cdef inline void lock(self) noexcept:
        """From here to `tidy` no other connection may write into the block."""
        if self.block is self.io.block:
            self.io.block_in_use = True

    cdef inline int tidy(self, size_t needed) except -1:
        """All that is complete has been parsed.

        Args:
            needed: contiguous bytes, those that are here included, that the parser waits for.
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
