"""What all connections of one event loop share.

Memory: one block that every connection receives into, so that an idle connection needs none of its
own, one for large frames while they keep coming, and a few buffers to send from. And corking: what
is sent while a callback runs is held back, and leaves in one system call per connection when the
outermost callback ends, even if that ends with an exception. And fairness: what a connection has
received beyond its budget is parsed in the next iteration of the loop.

Loops live in threads of their own, so nothing here is shared between loops.
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
    # Milliseconds without a large frame, after which the memory of the last one goes; at the latest
    # it goes after twice as many.
    LARGE_IDLE = 250

_loops = weakref.WeakKeyDictionary()


def _disown():
    """Have a forked child leave its parent's connections alone, with whose sockets it was born."""
    for io in list(_loops.values()):
        (<LoopIO>io).thread = 0
        (<LoopIO>io).is_disowned = True
    _loops.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_disown)


cdef LoopIO loop_io(object loop):
    """The one object of this kind that a loop has."""
    cdef LoopIO io = _loops.get(loop)
    if io is None:
        io = LoopIO.__new__(LoopIO)
        io._loop = weakref.ref(loop)
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

    cdef int continue_reading(self) except -1:
        """Parse the rest of what was received in an earlier iteration of the loop."""
        raise NotImplementedError


cdef class Schedule:
    """The connections that go on with what they have received, in the next iteration of the loop.

    Only the call that the loop was asked for holds it. A loop that is closed before that lets go of
    it, and of the connections, which hold their loop.
    """

    def __cinit__(self, LoopIO io):
        self._io = io

    cdef int add(self, Endpoint endpoint) except -1:
        """Have an endpoint called, once."""
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
        cdef int count = self._count  # those that are added from now on come later
        cdef long long began = now()
        self._will_be_called = False
        try:
            if self._io.has_unserved:  # each has its turn before one has its second
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

    # -- fairness

    cdef int schedule(self, Endpoint endpoint) except -1:
        """Have `continue_reading` called in the next iteration of the loop.

        Connections are called in the order in which they came, each once in an iteration.
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
        """Have the watcher go on; its own descriptor need not be ready for that any more."""
        watcher = self.watcher()
        if watcher is not None:
            watcher._ready()
        else:
            self.has_unserved = False
        return 0

    cdef int run(self, Endpoint endpoint, Reason reason) except -1:
        """Call an endpoint in its own context; its failure is no other's affair."""
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
        """Memory for one read: the loop's own, unless it is in use or a view still shows it."""
        if self.block_in_use:
            return self.take_block()
        if self.block is None or self.block.views:
            self.block = self.take_block()
        return self.block

    cdef int recycle(self, Block block) except -1:
        """Take back memory that a connection kept for longer than one read."""
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
        """Memory for a connection, or for as long as a call lasts."""
        cdef Block block = self._spare_block
        if block is None:
            return Block.__new__(Block, <size_t>RECEIVE_SIZE)
        self._spare_block = block.next
        self._spare_block_count -= 1
        block.next = None
        return block

    cdef Block take_large(self, size_t size):
        """Memory for a frame that is larger than a read, with room for at least `size` bytes.

        That of the last one, if that fits: the system takes as long to provide new memory as to
        receive into it. It may be twice as large, so that no connection holds much more than the
        frame that it waits for.
        """
        cdef Block block = self._large_block
        self._large_was_used = True
        if block is None or not size <= block.size <= 2 * size:
            return Block.__new__(Block, size)
        self._large_block = None
        return block

    cdef int _keep_large(self, Block block) except -1:
        """Keep it for the next large frame, of any connection, if that comes soon."""
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
