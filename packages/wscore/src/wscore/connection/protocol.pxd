# The asyncio side: bytes in, callbacks out.
#
# The path of every message, from the received bytes to the call of the listener, stands here in
# full: function bodies in a .pxd are compiled into the modules that cimport it, so the transports
# run it without a call across modules. The rest is in protocol.pyx.

from cpython.object cimport PyObject

from wsframe.cwsframe cimport (
    WSF_FRAME,
    WSF_NEED_MORE,
    wsf_frame,
    wsf_parser,
    wsf_parser_next,
    wsf_parser_payload_size,
)

from .state cimport DISCONNECTING, can_receive
from ..enums cimport CLOSE
from .frame cimport WSFrame
from .heartbeat cimport Heartbeat
from ..loop.branch_hints cimport unlikely
from .listener cimport WSListener
from ..loop.loop_io cimport LoopIO
from .message_base cimport WSMessageBase
from .read_budget cimport MAX_ROUNDS, ROUND_FRAMES, SMALL_READ
from ..loop.receive_buffer cimport ReceiveBuffer
from ..loop.syscalls cimport now
from .transport cimport WSTransport

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject *object)
    size_t PY_VECTORCALL_ARGUMENTS_OFFSET
    bint PyMethod_Check(object object)
    PyObject *PyMethod_GET_FUNCTION(object method)
    PyObject *PyMethod_GET_SELF(object method)
    object PyObject_Vectorcall(
        PyObject *callable, PyObject **arguments, size_t count, PyObject *keywords
    )
    object PyObject_VectorcallMethod(
        object name, PyObject **arguments, size_t count, PyObject *keywords
    )


cdef enum:
    ROUND_ENDED = 0x10000  # instead of a result of the parser


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
    cdef double disconnect_timeout


cdef class WSProtocolCore:
    cdef readonly WSTransport transport
    cdef readonly WSListener listener
    cdef readonly object loop
    cdef readonly object logger
    cdef readonly object deflate  # a WSDeflate, or None
    cdef ReceiveBuffer buffer
    cdef LoopIO io
    cdef unsigned int busy_poll_us  # for the transport
    cdef readonly bint is_timed  # in debug mode: slow calls of the listener are logged
    cdef readonly bint has_unparsed  # the budget ended the parsing: `continue_reading` resumes it
    cdef double _disconnect_timeout

    cdef long long _read_began  # nanoseconds; of the last read of at least SMALL_READ bytes
    cdef wsf_parser _parser
    cdef WSFrame _frame
    cdef object _piece  # a Block: a copy of a piece that must not be shown in place
    cdef WSMessageBase _messages  # the listener, if it is a message listener
    cdef object _on_ws_frame  # the listener's bound method, while frames are delivered to Python
    cdef bint _calls_python
    cdef bint _takes_pieces  # the listener takes frames in pieces
    cdef Heartbeat _heartbeat
    cdef bint _may_take  # `_takes` must be asked: there is auto ping, or debug mode
    cdef object _make_auto_ping
    cdef bint _disconnect_on_exception
    cdef bint _enable_auto_pong
    cdef bint _holds_input  # input is kept while the role decides
    cdef bint _holds_end  # and so is the peer's end of file
    cdef bint _has_held_end  # which has come
    cdef bint _reads_handshake  # `handshake_received` is running
    cdef unsigned long long _max_frame_size
    cdef unsigned long long _max_message_size
    cdef unsigned int _max_fragments

    # bytes arrive

    cdef inline int received(self, size_t size) except -1:
        """Parse `size` more bytes in the buffer, as far as the budget allows."""
        self.buffer.end += size
        if unlikely(self._heartbeat is not None):
            self._heartbeat.heard()
        if size >= SMALL_READ:
            self._read_began = now()
        return self._read()

    cdef inline int _read(self) except -1:
        cdef size_t needed = 0
        self.buffer.lock()
        try:
            if unlikely(
                (not can_receive(self.transport.state)) | self._holds_input | self._takes_pieces
                | self.has_unparsed
            ):
                needed = self._read_otherwise()
            else:
                needed = self._read_frames()
        finally:
            if unlikely(self._on_ws_frame is not None):
                self._on_ws_frame = None
            self.buffer.tidy(needed)
        if unlikely(self._messages is not None):
            self._messages.on_read_end()
        return 0

    cdef inline Py_ssize_t _read_frames(self) except -1:
        """Parse the received bytes within the budget, one frame ahead of delivery.

        Returns:
            The number of contiguous bytes of payload that the parser waits for.
        """
        cdef wsf_frame[2] parsed
        cdef int current = 0
        cdef int left = ROUND_FRAMES
        cdef int rounds = MAX_ROUNDS
        cdef size_t tail_size
        cdef int result = self._parse(&parsed[0])
        while result == WSF_FRAME:
            tail_size = self.buffer.end - self.buffer.begin
            if tail_size:
                left -= self._weight(&parsed[current])
                result = ROUND_ENDED if unlikely(left <= 0) else self._parse(&parsed[1 - current])
            else:
                result = WSF_NEED_MORE
            self._deliver(&parsed[current], tail_size, result != WSF_FRAME)
            current = 1 - current
            if unlikely(result == ROUND_ENDED):
                left = ROUND_FRAMES
                result = self._begin_round(&parsed[current], &rounds)
        if unlikely(result < 0):
            self._violated(result)
        return <Py_ssize_t>wsf_parser_payload_size(&self._parser)

    cdef inline int _parse(self, wsf_frame *parsed) noexcept:
        """Parse the next frame; once the connection has failed, discard the input."""
        cdef size_t consumed = 0
        cdef int result
        if unlikely(self.transport.state >= DISCONNECTING):
            self.buffer.begin = self.buffer.end
            return WSF_NEED_MORE
        result = wsf_parser_next(
            &self._parser, self.buffer.block.data + self.buffer.begin,
            self.buffer.end - self.buffer.begin, &consumed, parsed,
        )
        self.buffer.begin += consumed
        return result

    cdef inline int _weight(self, wsf_frame *parsed) except -1:
        """Return how much of the budget a frame takes."""
        return 1 if not unlikely(parsed.message_rsv) else self._compressed_weight()

    # callbacks go out

    cdef inline int _deliver(self, wsf_frame *parsed, size_t tail_size, bint last) except -1:
        cdef WSFrame frame
        if unlikely(not can_receive(self.transport.state)):
            return self._pass_over(parsed)
        if unlikely(parsed.opcode >= CLOSE) and self._answers(parsed):
            return 0
        if unlikely(self._frame is None):
            self._frame = WSFrame.__new__(WSFrame)
        frame = self._frame
        frame.show(parsed, <PyObject *>self.buffer.block, tail_size, last)
        if unlikely(self._takes_pieces):
            self._as_piece(parsed)
        try:
            if not (unlikely(self._may_take) and self._takes(frame)):
                if unlikely((<Unraised>call_listener)(self, frame) < 0):
                    self._listener_failed()
        finally:
            frame.retire()
        if unlikely(Py_REFCNT(<PyObject *>frame) > 2):  # user code kept it: two references are ours
            self._frame = None
        return 0

    # rarely

    cdef long long read_began(self) noexcept
    cdef bint holds_end(self) noexcept
    cdef int continue_reading(self) except -1
    cdef int _compressed_weight(self) except -1
    cdef int _begin_round(self, wsf_frame *parsed, int *rounds) except? -1
    cdef bint _may_go_on(self) except -1
    cdef int _check_made(self) except -1
    cdef int _begin_messages(self, object agreed) except -1
    cdef Py_ssize_t _read_otherwise(self) except -1
    cdef int _read_handshake(self) except -1
    cdef int _read_pieces(self) except -1
    cdef int _pass_over(self, wsf_frame *parsed) except -1
    cdef int _as_piece(self, wsf_frame *parsed) except -1
    cdef int _listener_failed(self) except -1
    cdef int _violated(self, int error) except -1
    cdef bint _answers(self, wsf_frame *parsed) except -1
    cdef bint _is_roundtrip(self, wsf_frame *parsed) except -1
    cdef bint _takes(self, WSFrame frame) except -1
    cdef bint _is_heartbeat(self, WSFrame frame) except -1
    cdef int _close_received(self, wsf_frame *parsed) except -1
    cdef int has_room(self) except -1


# The type of `call_listener` where its exceptions are found by its result instead of `try`, which
# costs time for each frame even when nothing is raised.
ctypedef int (*Unraised)(WSProtocolCore, WSFrame) noexcept


cdef inline int call_listener(WSProtocolCore self, WSFrame frame) except -1:
    """Pass the frame to the listener."""
    cdef PyObject *arguments[4]  # vectorcall: the callee may use the first one for `self`
    if not self._calls_python:
        if unlikely(self._messages is not None):
            return self._messages.frame_received(self.transport, frame)
        self.listener.on_ws_frame(self.transport, frame)
        return 0
    if unlikely(frame.tail_size != 0) and self._on_ws_frame is None:
        # Looked up once for all frames of a read. A single frame is passed by a call by name, which
        # creates no bound method. (Without the cast to `object` this would be the C function.)
        self._on_ws_frame = (<object>self.listener).on_ws_frame
    arguments[1] = <PyObject *>self.listener
    arguments[2] = <PyObject *>self.transport
    arguments[3] = <PyObject *>frame
    if self._on_ws_frame is None:
        PyObject_VectorcallMethod(
            "on_ws_frame", &arguments[1], 3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL
        )
    elif PyMethod_Check(self._on_ws_frame):  # calling its function directly saves a call
        arguments[1] = PyMethod_GET_SELF(self._on_ws_frame)
        PyObject_Vectorcall(
            PyMethod_GET_FUNCTION(self._on_ws_frame), &arguments[1],
            3 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL
        )
    else:
        PyObject_Vectorcall(
            <PyObject *>self._on_ws_frame, &arguments[2], 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL
        )
    return 0
