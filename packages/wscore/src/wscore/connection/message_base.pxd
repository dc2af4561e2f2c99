# From frames to messages.

from wsframe.cwsframe cimport wsf_utf8

from .deflate_streams cimport Inflater
from .frame cimport WSFrame
from .listener cimport WSListener
from .transport cimport WSTransport


cdef class WSMessageBase(WSListener):
    cdef readonly WSTransport transport
    cdef bint takes_pieces  # frames may be delivered in pieces

    cdef Inflater _inflater  # None unless deflate was agreed on
    cdef wsf_utf8 _utf8
    cdef bint _is_within  # a fragmented message is being received
    cdef bint _is_text  # that message
    cdef bint _is_deflated  # that message

    # in
    cdef int begin(self, WSTransport transport, Inflater inflater) except -1
    cdef int frame_received(self, WSTransport transport, WSFrame frame) except -1
    cdef int on_read_end(self) except -1
    cpdef feed(self, bint is_text, bint fin, bytes data)
    cdef int _check_open(self) except -1
    cdef int _inflate(self, WSFrame frame) except -1
    cdef int _check_text(self, bytes data, bint fin) except -1
    cdef int _close_received(self, WSTransport transport, WSFrame frame) except -1

    # out
    cdef int message_received(self, bint is_text, object message) except -1
    cdef int ended(self) except -1
    cdef int fragment_received(self, bint is_text, bint fin, bytes data) except -1

    # hooks for subclasses
    cpdef on_pong(self, bytes payload)
    cpdef on_close(self)
    cpdef on_incomplete_message(self)
