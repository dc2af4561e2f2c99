from .listener cimport WSListener
from .transport cimport WSTransport


cdef class WSMessageReader(WSListener):
    cdef readonly WSTransport transport

    cdef object _messages      # a deque of str and bytes
    cdef object _waiter        # the future of the one that waits
    cdef Py_ssize_t _high      # queued messages at which reading pauses; 0 for no limit
    cdef Py_ssize_t _low       # queued messages at which it goes on
    cdef Py_ssize_t _max_size  # bytes of a message; 0 for no limit
    cdef bytearray _fragments  # of the message that is not complete
    cdef bint _fragments_are_text
    cdef bint _paused
    cdef bint _ended

    cdef int _put(self, object message) except -1
    cdef int _wake(self) except -1
