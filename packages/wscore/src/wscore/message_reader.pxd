# Messages instead of frames.

from .deflate_streams cimport Inflater
from .item_queue cimport ItemQueue
from .message_base cimport WSMessageBase
from .step cimport Step
from .transport cimport WSTransport
from .wakeup cimport Waiter


cdef class Fragment:
    cdef bytes data
    cdef bint is_text
    cdef bint fin


cdef class Reception(Step):
    cdef WSMessageReader reader  # None once it has ended
    cdef object decode
    cdef bint is_iterating  # for `async for`
    cdef bint is_waiting


cdef class Arrival(Step):
    cdef WSMessageReader reader


cdef class Messages:
    cdef WSMessageReader reader


cdef class WSMessageReader(WSMessageBase):
    cdef ItemQueue _queue    # whole messages as str or bytes, others as Fragment
    cdef Waiter _waiter      # None before the connection is open
    cdef Reception _reception_before
    cdef Py_ssize_t _high    # queued frames at which reading pauses; 0 for no limit
    cdef Py_ssize_t _low     # queued frames at which it goes on
    cdef bint _streaming     # one is being handed out by fragments
    cdef bint _discarding
    cdef bint _paused
    cdef bint _ended

    # in
    cdef int begin(self, WSTransport transport, Inflater inflater) except -1
    cdef int message_received(self, bint is_text, object message) except -1
    cdef int fragment_received(self, bint is_text, bint fin, bytes data) except -1
    cdef int on_read_end(self) except -1
    cdef int _put(self, object item) except -1

    # out
    cdef int _check_available(self, str name) except -1
    cdef object _pop(self)
    cdef Reception _reception(self, object decode, bint is_iterating)
    cdef Arrival _more(self)
    cdef object _converted(self, object message, bint decode)

    # what a subclass may change
    cpdef object closed_error(self)
    cpdef object concurrency_error(self, str name)
    cpdef object decode_error(self, object exc)
    cpdef bint closed_well(self) except -1
