# What all connections of one event loop share: memory, and the list of those that hold bytes back.
#
# What every message passes through stands here in full, to be compiled into the callers.

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
    /* Python's own function first sees whether there are threads at all. */
    #define wscore_this_thread() ((unsigned long)pthread_self())
    #endif
    """
    unsigned long this_thread "wscore_this_thread"() noexcept

cdef enum:
    RECEIVE_SIZE = 256 * 1024  # bytes that one read may bring
    SEND_SIZE = 256 * 1024  # bytes of a send buffer, to begin with
    SPARES = 8  # of each kind of memory are kept for further use
    LARGEST_SPARE = 16 * 1024 * 1024  # bytes of the one that is kept of a large frame


@cython.final
cdef class Block:
    cdef uint8_t* data
    cdef size_t size
    cdef void* _memory  # that it lies in
    cdef Py_ssize_t views  # exported from frames that lie in it
    cdef Block next  # spare one


# Bytes on their way out: `data[begin:end]`. Not an object: a message takes one and gives it back,
# and counting references would cost more than the rest of it.
cdef struct SendBuffer:
    uint8_t* data
    size_t size  # of the memory
    size_t begin  # of the bytes to send
    size_t end
    SendBuffer* next  # spare one


cdef SendBuffer* new_buffer() except NULL
cdef void free_buffer(SendBuffer* buffer) noexcept
cdef int make_room(SendBuffer* buffer, size_t size) except -1


cdef inline uint8_t* reserve(SendBuffer* buffer, size_t size) except NULL:
    """Where `size` more bytes can be written; the caller then adds them to `end`."""
    if unlikely(buffer.end + size > buffer.size):
        make_room(buffer, size)
    return buffer.data + buffer.end


cdef inline int append(SendBuffer* buffer, const uint8_t* data, size_t size) except -1:
    memcpy(reserve(buffer, size), data, size)
    buffer.end += size
    return 0


cdef enum:
    SHARE = 2 * 1000 * 1000  # nanoseconds that many connections may take before the loop iterates


# Why an endpoint is called.
cdef enum Reason:
    READY  # its descriptor is
    READY_ALONE  # and no other one
    SCHEDULED


cdef class Endpoint:
    cdef bint is_listed  # among those that hold bytes back
    cdef bint is_scheduled  # among those that have unparsed input
    cdef Endpoint _next_corked  # in the one list
    cdef Endpoint _next_scheduled  # in the other
    cdef object context  # of the calls of `ready` and `continue_reading`

    cdef int flush(self) except -1
    cdef int ready(self, bint alone) except -1
    cdef int continue_reading(self) except -1


@cython.final
cdef class LoopIO:
    cdef bint is_disowned  # in a forked child: the connections are the parent's
    cdef unsigned long thread  # the one that runs the loop; 0 in a forked child, which must not
    cdef object watcher  # a weak reference to it, or None
    cdef object _loop  # a weak reference to it
    cdef object _schedule  # the same to that of the connections with unparsed input
    cdef const void* last_reader  # the connection that has read last, only to be compared with
    cdef int depth  # of callbacks within callbacks
    cdef bint no_task_runs  # for sure; otherwise one has to ask
    cdef bint has_unserved  # the watcher has not called all that were ready
    cdef bint block_in_use
    cdef Block block
    cdef Endpoint _corked  # the first of a chain
    cdef Endpoint _last_corked
    cdef int _corked_count
    cdef Block _spare_block  # the first of a chain
    cdef int _spare_block_count
    cdef Block _large_block  # spare one for a frame that is larger than a read
    cdef bint _large_was_used  # since the timer looked
    cdef bint _will_look  # the timer is set
    cdef SendBuffer* _spare_buffer  # the same
    cdef int _spare_buffer_count

    cdef inline void enter(self) noexcept:
        """A callback begins."""
        self.depth += 1

    cdef inline int leave(self) except -1:
        """A callback ends; with the outermost one what was held back leaves."""
        self.depth -= 1
        if unlikely(self._corked is not None) and self.depth == 0:
            return self._flush()
        return 0

    cdef inline bint lends(self) noexcept:
        """Whether `block` can be read into."""
        return not self.block_in_use and self.block is not None and not self.block.views

    cdef inline bint hold(self, Endpoint corked) except -1:
        """Remember one that wants to hold bytes back; False if so many do that it must not."""
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

    cdef inline SendBuffer* take_buffer(self) except NULL:
        cdef SendBuffer* buffer = self._spare_buffer
        if unlikely(buffer == NULL):
            return new_buffer()
        self._spare_buffer = buffer.next
        self._spare_buffer_count -= 1
        return buffer

    cdef inline void give_back(self, SendBuffer* buffer) noexcept:
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
    cdef Endpoint _first  # of a chain
    cdef Endpoint _last
    cdef int _count
    cdef bint _will_be_called  # the loop was asked to

    cdef int add(self, Endpoint endpoint) except -1
    cdef int _ask_for_call(self) except -1
    cdef int _call_next(self) except -1


cdef LoopIO loop_io(object loop)
