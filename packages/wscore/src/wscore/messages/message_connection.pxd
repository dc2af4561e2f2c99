# Messages both ways.

from cpython.object cimport PyObject

from .message_reader cimport WSMessageReader
from .awaitable cimport Step


cdef class SendCall(Step):
    cdef WSMessageConnection connection  # None once it has begun
    cdef object message
    cdef int text  # whether as text; -1 if the message's type says so


cdef class WSMessageConnection(WSMessageReader):
    cdef public object _core  # what it sends with, mostly a WSTransport; None before there is one
    cdef public object _fragments_sent  # a future while a message is being sent in fragments
    cdef public object _drained  # a future while the write buffer is full

    cdef PyObject* _spare_call  # as WSMessageReader._spare
