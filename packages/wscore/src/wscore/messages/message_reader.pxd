# Receiving messages by awaiting.

from cpython.object cimport PyObject

from ..connection.deflate_streams cimport Inflater
from ..loop.branch_hints cimport unlikely
from .item_queue cimport Fragment, ItemQueue
from ..connection.message_base cimport WSMessageBase
from .awaitable cimport Step
from ..connection.transport cimport WSTransport
from .waiter cimport Waiter


cdef enum:
    AT_ONCE = 64  # messages taken without a wait before the loop must iterate
    HIGH_BYTES = 1024 * 1024  # queued bytes at which reading pauses, besides the number of frames
    LOW_BYTES = 256 * 1024    # queued bytes at which it resumes


cdef class RecvCall(Step):
    cdef WSMessageReader reader  # None once it has ended
    cdef int decode
    cdef bint is_iterating  # for `async for`
    cdef bint is_waiting


cdef class Joining(Step):
    cdef WSMessageReader reader  # None once it has ended
    cdef Fragment fragment  # taken from the queue, and not in `parts` yet
    cdef list parts  # taken so far
    cdef int decode
    cdef bint is_text
    cdef bint is_iterating

    cdef object finish(self)
    cdef object refuse(self, object limit)


cdef class ItemWait(Step):
    cdef WSMessageReader reader


cdef class MessageIterator:
    cdef WSMessageReader reader


cdef class Patience:
    cdef WSMessageReader reader
    cdef double seconds
    cdef object timer
    cdef int left

    cdef int start(self) except -1
    cdef int stop(self) except -1
    cdef int look_later(self) except -1


cdef class WSMessageReader(WSMessageBase):
    cdef ItemQueue _queue    # whole messages as str or bytes, others as Fragment
    cdef Waiter _waiter      # None before the connection is open
    cdef PyObject *_spare    # an ended RecvCall kept for reuse, or NULL
    cdef PyObject *_waiting  # the Step that waits or has waited; for comparison only, like the next
    cdef PyObject *_taker    # the task that last took an item while reading was paused
    cdef Patience _patience  # None before `discard`
    cdef Py_ssize_t _high    # queued frames at which reading pauses
    cdef Py_ssize_t _low     # queued frames at which it resumes
    cdef Py_ssize_t _high_bytes  # like `_high`; the largest number if there is no limit
    cdef Py_ssize_t _full_at  # queued frames from which `_put` calls `_pause`
    cdef Py_ssize_t _heed_at  # queued frames up to which `_pop` calls `_make_room`
    cdef int _taken          # messages taken in succession without a wait
    cdef bint _streaming     # a message is being returned by fragments, or joined from them
    cdef bint _paused
    cdef bint _paused_by_bytes  # and not only by the number of frames
    cdef bint _was_taken     # an item was taken while reading was paused
    cdef bint _shut          # nothing more is queued
    cdef bint _ended

    cdef inline bint _takes_too_many(self) noexcept:
        """Count a message; return whether the loop must iterate before it is taken."""
        self._taken += 1
        if unlikely(self._taken > AT_ONCE):
            self._taken = 0
            return True
        return False

    # -- in

    cdef int begin(self, WSTransport transport, Inflater inflater) except -1
    cdef int message_received(self, bint is_text, object message) except -1
    cdef int fragment_received(self, bint is_text, bint fin, bytes data) except -1
    cdef int on_read_end(self) except -1
    cdef inline int _put(self, object item, Py_ssize_t size) except -1
    cdef int _pause(self) except -1
    cdef int _set_marks(self) noexcept
    cdef int _give_up(self) except -1

    # -- out

    cdef inline int _check_available(self, str name) except -1
    cdef int _refuse(self, str name) except -1
    cdef inline object _pop(self)
    cdef object _make_room(self)
    cdef inline RecvCall _recv_call(self, int decode, bint is_iterating)
    cdef inline int _keep(self, RecvCall call) except -1
    cdef int _stop_waiting(self, Step step) except -1
    cdef Joining _join(self, Fragment first, RecvCall call)
    cdef ItemWait _more(self)
    cdef object _end(self, bint is_iterating)
    cdef object _wait(self, Step step)
    cdef int _put_back(self, list parts, bint is_text) except -1
    cdef bint _has_room(self) noexcept
    cdef int _resume(self) except -1
    cdef object _converted(self, object message, bint decode)

    # -- subclasses may override

    cpdef object closed_error(self)
    cpdef object concurrency_error(self, str name)
    cpdef object decode_error(self, object exc)
    cpdef bint closed_well(self) except -1
    cpdef bint ends_iteration(self, object exc) except -1
