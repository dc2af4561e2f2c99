# The asyncio side: bytes in, callbacks out.

from wsframe.cwsframe cimport wsf_frame, wsf_parser

from .heartbeat cimport Heartbeat
from .frame cimport WSFrame
from .listener cimport WSListener
from .loop_io cimport LoopIO
from .receive_buffer cimport ReceiveBuffer
from .transport cimport WSTransport


cdef class ProtocolOptions:
    cdef object loop
    cdef LoopIO io
    cdef object logger
    cdef object make_auto_ping
    cdef object deflate
    cdef bint disconnect_on_exception
    cdef bint enable_auto_pong
    cdef unsigned long long max_frame_size  # 0 for no limit, like the next two
    cdef unsigned long long max_message_size
    cdef unsigned int max_fragments
    cdef unsigned int busy_poll_us


cdef class WSProtocolCore:
    cdef readonly WSTransport transport
    cdef readonly WSListener listener
    cdef readonly object loop
    cdef readonly object logger
    cdef readonly object deflate  # a WSDeflate, or None
    cdef ReceiveBuffer buffer
    cdef LoopIO io
    cdef unsigned int busy_poll_us  # for the transport

    cdef wsf_parser _parser
    cdef WSFrame _frame
    cdef object _on_ws_frame  # the listener's bound method, while frames are delivered to Python
    cdef bint _calls_python
    cdef Heartbeat _heartbeat
    cdef object _make_auto_ping
    cdef bint _takes_pieces  # the listener takes frames in pieces
    cdef bint _disconnect_on_exception
    cdef bint _enable_auto_pong
    cdef bint _holds_input  # while the role decides
    cdef unsigned long long _max_frame_size
    cdef unsigned long long _max_message_size
    cdef unsigned int _max_fragments

    cdef int _begin_messages(self, object agreed) except -1
    cdef int received(self, size_t size) except -1
    cdef inline Py_ssize_t _read_open(self) except -1
    cdef Py_ssize_t _read_otherwise(self) except -1
    cdef int _read_handshake(self) except -1
    cdef inline Py_ssize_t _read_frames(self) except -1
    cdef int _read_pieces(self) except -1
    cdef inline int _parse(self, wsf_frame* parsed) except? -1
    cdef inline int _deliver(self, wsf_frame* parsed, size_t tail_size, bint last) except -1
    cdef int _as_piece(self, wsf_frame* parsed) except -1
    cdef int _listener_failed(self) except -1
    cdef int _violated(self, int error) except -1
    cdef bint _answers(self, wsf_frame* parsed) except -1
    cdef bint _is_roundtrip(self, wsf_frame* parsed) except -1
    cdef bint _is_heartbeat(self, WSFrame frame) except -1
    cdef int _close_received(self, wsf_frame* parsed) except -1
