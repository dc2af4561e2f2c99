# Messages both ways.

from .message_reader cimport WSMessageReader
from .step cimport Step


cdef class Sending(Step):
    cdef WSMessageConnection connection  # None once it has begun
    cdef object message
    cdef object text


cdef class WSMessageConnection(WSMessageReader):
    cdef public object _core  # what it sends with, mostly a WSTransport; None before there is one
    cdef public object _fragments_sent  # a future while a message is being sent in fragments
    cdef public object _drained  # a future while the write buffer is full

    cdef Sending _sending_before
