"""State shared by the connections of one event loop: memory, corking and fairness.

Memory: one block that every connection receives into, so that an idle connection needs none of its
own; one for large frames, while they keep arriving; and a few send buffers. Corking: bytes sent
during a callback are held back, and leave in one system call per connection when the outermost
callback ends, even with an exception. Fairness: a connection's input beyond its budget is parsed
in the next iteration of the loop.

Loops run in different threads, so nothing here may be shared between loops.
"""

import os
import weakref

cimport cython
from cpython.contextvars cimport PyContext_Enter, PyContext_Exit
from cpython.mem cimport PyMem_RawCalloc, PyMem_RawFree, PyMem_RawMalloc, PyMem_RawRealloc
from libc.string cimport memmove

from .sealed_types cimport seal_type
from .syscalls cimport now

cdef enum:
    PAGE = 4096  # bytes; a power of two
    # Milliseconds without a large frame after which the spare block for them is freed, or up to
    # twice as many.
    LARGE_IDLE = 250

_loops = weakref.WeakKeyDictionary()


def _disown():
    """Keep a forked child from using the connections whose sockets it has inherited."""
    for io in list(_loops.values()):
        (<LoopIO>io).thread = 0
        (<LoopIO>io).is_disowned = True
    _loops.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown)


cdef LoopIO loop_io(object loop):
    """Return the `LoopIO` of a loop; create it on first use."""
    cdef LoopIO io = _loops.get(loop)
    if io is None:
        io = LoopIO.__new__(LoopIO)
        io._loop = weakref.ref(loop)
        _loops[loop] = io
    return io


@cython.no_gc
cdef class Block:
    """Memory to receive into, alive as long as a connection or a frame refers to it."""

    def __cinit__(self, size_t size):
        # The kernel copies fastest to a page boundary, since its own buffers begin at one.
        cdef size_t padding = PAGE - 1 if size >= RECEIVE_SIZE else 0
        self._memory = PyMem_RawMalloc(size + padding)
        if self._memory == NULL:
            raise MemoryError(f"cannot allocate a receive buffer of {size} bytes")
        self.data = <uint8_t *>(<size_t>self._memory + padding & ~padding)
        self.size = size

    def __dealloc__(self):
        PyMem_RawFree(self._memory)


cdef SendBuffer *new_buffer() except NULL:
    cdef SendBuffer *buffer = <SendBuffer *>PyMem_RawCalloc(1, sizeof(SendBuffer))
    if buffer != NULL:
        buffer.data = <uint8_t *>PyMem_RawMalloc(SEND_SIZE)
        buffer.size = SEND_SIZE
    if buffer == NULL or buffer.data == NULL:
        PyMem_RawFree(buffer)
        raise MemoryError(f"cannot allocate a send buffer of {SEND_SIZE} bytes")
    return buffer


cdef void free_buffer(SendBuffer *buffer) noexcept:
    PyMem_RawFree(buffer.data)
    PyMem_RawFree(buffer)


cdef int make_room(SendBuffer *buffer, size_t size) except -1:
    """Make room for `size` more bytes."""
    cdef size_t unsent = buffer.end - buffer.begin
    cdef size_t wanted = buffer.size
    cdef uint8_t *data
    if buffer.begin:
        memmove(buffer.data, buffer.data + buffer.begin, unsent)
        buffer.begin = 0
        buffer.end = unsent
    if unsent + size > buffer.size:
        while wanted < unsent + size:
            wanted *= 2
        data = <uint8_t *>PyMem_RawRealloc(buffer.data, wanted)
        if data == NULL:
            raise MemoryError(f"cannot allocate a send buffer of {wanted} bytes")
        buffer.data = data
        buffer.size = wanted
    return 0


cdef class Endpoint:
    """Base class of objects that the loop's `LoopIO` or `Watcher` calls."""

    cdef int flush(self) except -1:
        """Send the held bytes. It must report failures to its connection, and never raise."""
        raise NotImplementedError

    cdef int ready(self, bint alone) except -1:
        """Handle the watched descriptor: it is readable, at EOF, or has an error.

        Args:
            alone: whether it is the only one that is ready.
        """
        raise NotImplementedError

    cdef int continue_reading(self) except -1:
        """Parse the rest of the input from an earlier iteration of the loop."""
        raise NotImplementedError


cdef class Schedule:
    """The connections that continue parsing their input in the next iteration of the loop.

    Only the call scheduled on the loop refers to it. So a loop that is closed before that call
    releases it together with the connections, which refer to the loop.
    """

    def __cinit__(self, LoopIO io):
        self._io = io

    cdef int add(self, Endpoint endpoint) except -1:
        """Schedule one call of an endpoint."""
        endpoint.is_scheduled = True
        if self._first is None:
            self._first = endpoint
        else:
            self._last._next_scheduled = endpoint
        self._last = endpoint
        self._count += 1
        return self._ask_for_call()

    cdef int _ask_for_call(self) except -1:
        if not self._will_be_called:
            self._io._loop().call_soon(self._call)
            self._will_be_called = True
        return 0

    def _call(self):
        cdef int count = self._count  # endpoints added from now on wait for the next iteration
        cdef long long began = now()
        self._will_be_called = False
        try:
            if self._io.has_unserved:  # serve every connection once before any of them twice
                self._io.serve_others()
                return
            while count and self._first is not None:
                self._call_next()
                count -= 1
                if count and now() - began > SHARE:
                    break
        finally:
            if self._first is not None:
                self._ask_for_call()

    cdef int _call_next(self) except -1:
        cdef Endpoint endpoint = self._first
        self._first = endpoint._next_scheduled
        if self._first is None:
            self._last = None
        endpoint._next_scheduled = None
        self._count -= 1
        endpoint.is_scheduled = False
        return self._io.run(endpoint, SCHEDULED)


cdef class LoopIO:
    """State shared by the connections of one event loop."""

    def __dealloc__(self):
        cdef SendBuffer *buffer
        while self._spare_buffer != NULL:
            buffer = self._spare_buffer
            self._spare_buffer = buffer.next
            free_buffer(buffer)

    # -- corking

    cdef int _flush(self) except -1:
        cdef Endpoint corked
        # Reporting a failure calls user code, which may send to further connections.
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

    # -- fairness

    cdef int schedule(self, Endpoint endpoint) except -1:
        """Schedule a call of `continue_reading` for the next iteration of the loop.

        Endpoints are called in the order of scheduling, each once per iteration.
        """
        cdef Schedule schedule
        if endpoint.is_scheduled:
            return 0
        schedule = None if self._schedule is None else self._schedule()
        if schedule is None:
            schedule = Schedule.__new__(Schedule, self)
            self._schedule = weakref.ref(schedule)
        return schedule.add(endpoint)

    cdef int serve_others(self) except -1:
        """Let the watcher continue, even if its own descriptor is no longer ready."""
        watcher = self.watcher()
        if watcher is not None:
            watcher._ready()
        else:
            self.has_unserved = False
        return 0

    cdef int run(self, Endpoint endpoint, Reason reason) except -1:
        """Call an endpoint in its own context; an exception must not affect the others."""
        context = endpoint.context
        if context is not None:
            PyContext_Enter(context)
        try:
            if reason == SCHEDULED:
                endpoint.continue_reading()
            else:
                endpoint.ready(reason == READY_ALONE)
        except Exception as exc:
            self._loop().call_exception_handler(
                {"message": f"exception in {endpoint!r}", "exception": exc}
            )
        finally:
            if context is not None:
                PyContext_Exit(context)
        return 0

    # -- memory

    cdef Block borrow(self):
        """Return a block for one read: the shared one, unless it is in use or has memoryviews."""
        if self.block_in_use:
            return self.take_block()
        if self.block is None or self.block.views:
            self.block = self.take_block()
        return self.block

    cdef int recycle(self, Block block) except -1:
        """Take back a block that a connection kept for longer than one read."""
        if block.views or block is self.block:
            return 0
        if RECEIVE_SIZE < block.size <= LARGEST_SPARE:
            return self._keep_large(block)
        if block.size == RECEIVE_SIZE and self._spare_block_count < SPARES:
            block.next = self._spare_block
            self._spare_block = block
            self._spare_block_count += 1
        return 0

    cdef Block take_block(self):
        """Return a block for a connection to keep, or for the duration of a call."""
        cdef Block block = self._spare_block
        if block is None:
            return Block.__new__(Block, <size_t>RECEIVE_SIZE)
        self._spare_block = block.next
        self._spare_block_count -= 1
        block.next = None
        return block

    cdef Block take_large(self, size_t size):
        """Return a block of at least `size` bytes, for a frame that is larger than a read.

        The block of the last large frame is reused, because the system takes as long to provide new
        memory as to receive into it. A block over twice the size is not reused: a connection should
        not hold much more than the frame that it waits for.
        """
        cdef Block block = self._large_block
        self._large_was_used = True
        if block is None or not size <= block.size <= 2 * size:
            return Block.__new__(Block, size)
        self._large_block = None
        return block

    cdef int _keep_large(self, Block block) except -1:
        """Keep a block for the next large frame of any connection, for a short time."""
        if self._large_block is None or self._large_block.size < block.size:
            self._large_block = block
        return 0 if self._will_look else self._look_later()

    cdef int _look_later(self) except -1:
        self._will_look = True
        self._loop().call_later(LARGE_IDLE / 1000, self._look)
        return 0

    def _look(self):
        self._will_look = False
        if self._large_was_used:
            self._large_was_used = False
            self._look_later()
        else:
            self._large_block = None


seal_type(Block)
seal_type(Endpoint)
seal_type(LoopIO)
seal_type(Schedule)
