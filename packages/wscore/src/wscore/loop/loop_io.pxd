# State shared by the connections of one event loop: memory, and the list of corked connections.
#
# Functions on the path of every message have their bodies here: Cython inlines a function into
# other modules only if the .pxd defines it.

cimport cython
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from .branch_hints cimport unlikely

cdef extern from *:
    """
    #ifdef _WIN32
    #define wscore_this_thread() PyThread_get_thread_ident()
    #else
    #include <pthread.h>
    /* PyThread_get_thread_ident() would first check that threads are initialised. */
    #define wscore_this_thread() ((unsigned long)pthread_self())
    #endif
    """
    unsigned long this_thread "wscore_this_thread"() noexcept

cdef enum:
    RECEIVE_SIZE = 256 * 1024  # maximum bytes of one read
    SEND_SIZE = 256 * 1024  # initial bytes of a send buffer
    SPARES = 8  # how many blocks, and send buffers, are kept for reuse
    LARGEST_SPARE = 16 * 1024 * 1024  # maximum bytes of the block kept for large frames


@cython.final
cdef class Block:
    cdef uint8_t *data
    cdef size_t size
    cdef void *_memory  # the allocation; `data` is aligned within it
    cdef Py_ssize_t views  # memoryviews of frames in this block
    cdef Block next  # in the list of spare blocks


# Bytes to be sent: `data[begin:end]`. A struct and not an object: each message takes one and gives
# it back, and counting references would cost more than everything else about it.
cdef struct SendBuffer:
    uint8_t *data
    size_t size  # of the memory
    size_t begin  # of the bytes to send
    size_t end
    SendBuffer *next  # in the list of spare buffers


cdef SendBuffer *new_buffer() except NULL
cdef void free_buffer(SendBuffer *buffer) noexcept
cdef int make_room(SendBuffer *buffer, size_t size) except -1


cdef inline uint8_t *reserve(SendBuffer *buffer, size_t size) except NULL:
    """Return the address for `size` more bytes; the caller writes them and adds to `end`."""
    if unlikely(buffer.end + size > buffer.size):
        make_room(buffer, size)
    return buffer.data + buffer.end


cdef inline int append(SendBuffer *buffer, const uint8_t *data, size_t size) except -1:
    memcpy(reserve(buffer, size), data, size)
    buffer.end += size
    return 0


cdef enum:
    SHARE = 2 * 1000 * 1000  # nanoseconds that connections may take in one iteration of the loop


# Why an endpoint is called.
cdef enum Reason:
    READY  # its descriptor is ready
    READY_ALONE  # its descriptor is the only one that is ready
    SCHEDULED


cdef class Endpoint:
    cdef bint is_listed  # in the list of corked endpoints
    cdef bint is_scheduled  # in the list of endpoints with unparsed input
    cdef Endpoint _next_corked  # in the former list
    cdef Endpoint _next_scheduled  # in the latter
    cdef object context  # in which `ready` and `continue_reading` are called

    cdef int flush(self) except -1
    cdef int ready(self, bint alone) except -1
    cdef int continue_reading(self) except -1


@cython.final
cdef class LoopIO:
    cdef bint is_disowned  # in a forked child: the connections are the parent's
    cdef unsigned long thread  # that runs the loop; 0 in a forked child, which must not use it
    cdef object watcher  # a weak reference, or None
    cdef object _loop  # a weak reference
    cdef object _schedule  # a weak reference to the `Schedule`, or None
    cdef const void *last_reader  # the connection that has read last, for comparison only
    cdef int depth  # nesting of callbacks
    cdef bint no_task_runs  # known for certain; if not set, ask `current_task`
    cdef bint has_unserved  # the watcher has not yet called all ready endpoints
    cdef bint block_in_use
    cdef Block block
    cdef Endpoint _corked  # the first of a list
    cdef Endpoint _last_corked
    cdef int _corked_count
    cdef Block _spare_block  # the first of a list
    cdef int _spare_block_count
    cdef Block _large_block  # a spare one for a frame that is larger than a read
    cdef bint _large_was_used  # since the timer's last check
    cdef bint _will_look  # the timer is pending
    cdef SendBuffer *_spare_buffer  # the first of a list
    cdef int _spare_buffer_count

    cdef inline void enter(self) noexcept:
        """Begin a callback."""
        self.depth += 1

    cdef inline int leave(self) except -1:
        """End a callback; the outermost one flushes the corked connections."""
        self.depth -= 1
        if unlikely(self._corked is not None) and self.depth == 0:
            return self._flush()
        return 0

    cdef inline bint lends(self) noexcept:
        """Return whether `block` can be read into."""
        return not self.block_in_use and self.block is not None and not self.block.views

    cdef inline bint hold(self, Endpoint corked) except -1:
        """Add an endpoint to the corked ones; return False if there are too many already."""
        if self._corked_count == SPARES:
            return False
        if self._corked is None:
            self._corked = corked
        else:
            self._last_corked._next_corked = corked
        self._last_corked = corked
        self._corked_count += 1
        corked.is_listed = True
        return True

    cdef inline SendBuffer *take_buffer(self) except NULL:
        cdef SendBuffer *buffer = self._spare_buffer
        if unlikely(buffer == NULL):
            return new_buffer()
        self._spare_buffer = buffer.next
        self._spare_buffer_count -= 1
        return buffer

    cdef inline void give_back(self, SendBuffer *buffer) noexcept:
        if unlikely((buffer.size != SEND_SIZE) | (self._spare_buffer_count == SPARES)):
            free_buffer(buffer)
            return
        buffer.begin = buffer.end = 0
        buffer.next = self._spare_buffer
        self._spare_buffer = buffer
        self._spare_buffer_count += 1

    cdef int schedule(self, Endpoint endpoint) except -1
    cdef int serve_others(self) except -1
    cdef int run(self, Endpoint endpoint, Reason reason) except -1
    cdef Block borrow(self)
    cdef int recycle(self, Block block) except -1
    cdef Block take_block(self)
    cdef Block take_large(self, size_t size)
    cdef int _keep_large(self, Block block) except -1
    cdef int _look_later(self) except -1
    cdef int _flush(self) except -1


@cython.final
cdef class Schedule:
    cdef object __weakref__
    cdef LoopIO _io
    cdef Endpoint _first  # of a list
    cdef Endpoint _last
    cdef int _count
    cdef bint _will_be_called  # scheduled on the loop

    cdef int add(self, Endpoint endpoint) except -1
    cdef int _ask_for_call(self) except -1
    cdef int _call_next(self) except -1


cdef LoopIO loop_io(object loop)
