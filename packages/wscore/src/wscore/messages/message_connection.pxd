# Receiving and sending messages.

from cpython.object cimport PyObject

from .message_reader cimport WSMessageReader
from .awaitable cimport Step


cdef class SendCall(Step):
    cdef WSMessageConnection connection  # None once it has begun
    cdef object message
    cdef int text  # whether to send it as text; -1 if its type decides


cdef class WSMessageConnection(WSMessageReader):
    cdef public object _transport  # sends frames, mostly a WSTransport; None before it is connected
    cdef public object _fragments_sent  # a future while a message is being sent in fragments
    cdef public object _drained  # a future while the write buffer is full

    cdef PyObject *_spare_call  # like WSMessageReader._spare
