"""The asyncio protocol that both roles share: received bytes in, calls of the listener out.

The file follows the life of a connection: it is made, bytes arrive (first the opening handshake,
which the roles in `connect` and `serve` read, then frames), it is lost. Everything that ends a
connection goes through `WSTransport.fail` or `WSTransport.disconnect`.
"""

cimport cython
from cpython.buffer cimport PyBUF_WRITE
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.memoryview cimport PyMemoryView_FromMemory
from cpython.object cimport PyObject, PyTypeObject
from cpython.time cimport monotonic
from libc.math cimport INFINITY
from libc.string cimport memcpy

from wsframe cimport cwsframe as wsf

from .state cimport AWAITING_CLOSE, DISCONNECTING, HANDSHAKING
from .deflate_streams cimport Deflater, Inflater
from ..loop.loop_io cimport Block, loop_io
from .message_base cimport WSMessageBase
from .read_budget cimport COMPRESSED_WEIGHT, MAX_ROUNDS, ROUND_FRAMES, ROUND_TIME
from ..loop.raising cimport raise_pending
from ..loop.sealed_types cimport seal_type
from ..loop.sink cimport Sink, TransportSink
from ..loop.syscalls cimport now
from .heartbeat cimport Heartbeat
from ..enums cimport CLOSE, CONTINUATION, PING, PONG, close_code_to_python
from .failure cimport fail_for_exception, fail_for_violation, pass_on

from .coroutine_callbacks import report_coroutines
from ..errors import WSProtocolError, is_ordinary
from ..logs import WSCORE_DEBUG_LL
from .slow_calls import report_if_slow

cdef extern from "Python.h":
    unsigned long Py_TPFLAGS_HEAPTYPE

__all__ = ["ProtocolOptions", "WSProtocolCore"]

MAX_FRAME_SIZE = 10 * 1024 * 1024  # bytes of payload
MAX_FRAGMENTS = 131072  # frames of one message; twice what the Autobahn suite sends
DISCONNECT_TIMEOUT = 10.0  # seconds

cdef enum:
    HELD_BACK = 64 * 1024  # bytes received while the role holds the input; then reading pauses


@cython.final
cdef class ProtocolOptions:
    """The settings that the connections of one server, or of one `ws_connect`, share.

    Args:
        loop: the running loop.
        logger: of the connections.
        disconnect_on_exception: as for `ws_create_server`, like all that follow.
    """

    def __init__(
        self,
        loop,
        logger,
        *,
        bint disconnect_on_exception,
        bint enable_auto_pong,
        max_frame_size=MAX_FRAME_SIZE,
        max_message_size=None,
        max_fragments=MAX_FRAGMENTS,
        make_auto_ping=None,
        deflate=None,
        unsigned int busy_poll_us=0,
        disconnect_timeout=DISCONNECT_TIMEOUT,
    ):
        self.loop = loop
        self.io = loop_io(loop)
        self.logger = logger
        self.disconnect_on_exception = disconnect_on_exception
        self.enable_auto_pong = enable_auto_pong
        self.max_frame_size = _limit(max_frame_size, "max_frame_size")
        self.max_message_size = _limit(max_message_size, "max_message_size")
        self.max_fragments = _limit(max_fragments, "max_fragments")
        self.make_auto_ping = make_auto_ping
        self.deflate = deflate
        self.busy_poll_us = busy_poll_us
        self.disconnect_timeout = INFINITY if disconnect_timeout is None else disconnect_timeout
        if not self.disconnect_timeout >= 0:  # nor is NaN
            raise ValueError(f"disconnect_timeout cannot be negative: {disconnect_timeout}")


cdef object _limit(object value, str name):
    """A limit as the parser takes it, which has 0 for none."""
    if value is None:
        return 0
    if value < 1:
        raise ValueError(f"{name} must be at least 1, or None for no limit, not {value}")
    return value


cdef class WSProtocolCore:
    """One connection. A role completes it by `start` and `handshake_received`.

    Args:
        options: what it has in common with others.
    """

    def __init__(self, ProtocolOptions options not None):
        self.loop = options.loop
        self.logger = options.logger
        self._disconnect_on_exception = options.disconnect_on_exception
        self._enable_auto_pong = options.enable_auto_pong
        self._max_frame_size = options.max_frame_size
        self._max_message_size = options.max_message_size
        self._max_fragments = options.max_fragments
        self._make_auto_ping = options.make_auto_ping
        self.deflate = options.deflate
        self.busy_poll_us = options.busy_poll_us
        self._disconnect_timeout = options.disconnect_timeout
        self.io = options.io
        self.is_timed = self.loop.get_debug()
        self.buffer = ReceiveBuffer.__new__(ReceiveBuffer, self.io)

    # -- what a role provides

    def is_client_side(self):
        """Whether this side is the client."""
        raise NotImplementedError

    def start(self):
        """The connection is made; a client sends its request here."""
        raise NotImplementedError

    def handshake_received(self, data):
        """Read on in the opening handshake; how many bytes of `data` were part of it."""
        raise NotImplementedError

    def handshake_lost(self, exc):
        """The connection was lost before the handshake was complete."""
        raise NotImplementedError

    # -- the connection is made

    def connection_made(self, underlying_transport):
        if self.io is None:
            raise RuntimeError(f"{type(self).__name__}.__init__() was not called")
        sink = underlying_transport
        if not isinstance(sink, Sink):
            sink = TransportSink(self.io, underlying_transport, self)
        self.transport = WSTransport(
            self.loop, underlying_transport, sink, self.is_client_side(), self.logger
        )
        self.transport.disconnect_timeout = self._disconnect_timeout
        self.start()

    cdef int _check_made(self) except -1:
        """Nothing can be done before there is a connection."""
        if self.transport is None:
            raise RuntimeError("connection_made() was not called")
        return 0

    def upgraded(self, WSListener listener not None, request, response, int rsv_allowed,
                 agreed=None):
        """The role's last word: from here on there are frames.

        Args:
            listener: the user's handler.
            request: of the handshake.
            response: of the handshake.
            rsv_allowed: the reserved bits that extensions of the user use, 4 for RSV1, 2, 1.
            agreed: the `WSDeflateParameters` that were agreed on, or None.
        """
        cdef wsf.wsf_parser_config config
        cdef double began
        self._check_made()
        config.role = (
            wsf.WSF_ROLE_CLIENT if self.transport.is_client_side else wsf.WSF_ROLE_SERVER
        )
        if isinstance(listener, WSMessageBase):
            self._messages = listener
            self._takes_pieces = self._messages.takes_pieces
            if not self._takes_pieces:
                self._max_message_size = self._max_message_size or self._max_frame_size
        config.mode = wsf.WSF_MODE_STREAM if self._takes_pieces else wsf.WSF_MODE_WHOLE
        config.rsv_allowed = rsv_allowed | (wsf.WSF_RSV1 if agreed is not None else 0)
        config.rsv_continuation = rsv_allowed
        # What an extension of the user's puts into a frame may be anything.
        config.check_utf8 = rsv_allowed == 0
        config.max_frame_size = self._max_frame_size
        config.max_message_size = self._max_message_size
        config.max_fragments = self._max_fragments
        wsf.wsf_parser_init(&self._parser, &config)
        self.listener = listener
        report_coroutines(type(listener), self.logger)
        self._calls_python = _is_python_method(type(listener), "on_ws_frame")
        self.transport.upgraded(request, response)
        if self._messages is not None:
            self._begin_messages(agreed)
        if self.logger.isEnabledFor(WSCORE_DEBUG_LL):
            self.logger.log(WSCORE_DEBUG_LL, "open: %s", request.path)
        began = monotonic() if self.is_timed else 0
        try:
            listener.on_ws_connected(self.transport)
        except BaseException as exc:
            fail_for_exception(self.transport, exc, "on_ws_connected")
        finally:
            if self.is_timed:
                report_if_slow(self.loop, (<object>listener).on_ws_connected, began)
        if self._make_auto_ping is not None and self.transport.state < AWAITING_CLOSE:
            self._heartbeat = Heartbeat(self.transport, listener, self._make_auto_ping)
            self.transport.auto_ping = self._heartbeat
        self._may_take = self.is_timed or self._heartbeat is not None

    cdef int _begin_messages(self, object agreed) except -1:
        """Prepare both directions for messages, with the extensions agreed on."""
        cdef WSTransport transport = self.transport
        cdef Inflater inflater = None
        if agreed is not None:
            server = (agreed.server_max_window_bits, not agreed.server_no_context_takeover)
            client = (agreed.client_max_window_bits, not agreed.client_no_context_takeover)
            here, there = (client, server) if transport.is_client_side else (server, client)
            transport.deflate = agreed
            transport.deflater = Deflater(self.loop, self.deflate, *here)
            inflater = Inflater(
                self.loop, self.deflate, *there,
                self._max_message_size or self._max_frame_size,
                0 if self._takes_pieces else self._max_frame_size,
            )
        return self._messages.begin(transport, inflater)

    def hold_input(self, bint with_end=False):
        """Keep further input unparsed until `resume_input`.

        Args:
            with_end: whether the peer's end of file is kept, too; otherwise it ends the connection
                at once.
        """
        self._holds_input = True
        self._holds_end = with_end

    def resume_input(self):
        """Parse the input that was kept, and read on."""
        cdef bint paused
        self._check_made()
        paused = self._has_held_end or self.buffer.end - self.buffer.begin >= HELD_BACK
        self._holds_input = self._has_held_end = False
        if self._reads_handshake:  # an eager task has decided at once: the caller parses on anyway
            return
        if paused and not self.transport.is_disconnected:
            self.transport.resume_reading()  # first, as parsing may pause it again
        if self.buffer.end != self.buffer.begin:
            self.buffer_updated(0)

    cdef bint holds_end(self) noexcept:
        """Return whether wscore's own transports report the end of file only on the next read."""
        if self._holds_input and self._holds_end and self.transport.state == HANDSHAKING:
            self._has_held_end = True
        return self._has_held_end

    def refused(self, response):
        """End the opening handshake without an upgrade.

        Args:
            response: the HTTP response, as bytes.
        """
        self._check_made()
        self.transport.underlying_transport.write(response)
        self.transport.fail(0, None)

    # -- bytes arrive

    def get_buffer(self, Py_ssize_t sizehint):
        cdef size_t room
        self._check_made()
        if self._reads_handshake or (self._frame is not None and self._frame._block != NULL):
            raise RuntimeError("the loop was run within a callback, and this connection read again")
        room = self.buffer.prepare()
        return PyMemoryView_FromMemory(
            <char *>self.buffer.block.data + self.buffer.end, room, PyBUF_WRITE
        )

    def buffer_updated(self, Py_ssize_t size):
        self._check_made()
        if self.buffer.block is None or size < 0 or <size_t>size > self.buffer.room():
            raise ValueError(f"get_buffer() has not provided room for {size} bytes")
        self.io.enter()
        try:
            self.received(size)
        finally:
            self.io.leave()

    def parse_received(self):
        """Parse input left from an earlier iteration of the loop, if there is any."""
        self._check_made()
        self.io.enter()
        try:
            if self.has_unparsed:
                self.continue_reading()
        finally:
            self.io.leave()

    def eof_received(self):
        self._check_made()
        if self.transport.state != HANDSHAKING:
            self.transport.disconnect()
        return False  # asyncio: the transport below closes our direction, too

    cdef Py_ssize_t _read_otherwise(self) except -1:
        """Handle input before the upgrade, while it is held, and after the connection ended."""
        cdef ReceiveBuffer buffer = self.buffer
        if self.transport.state == HANDSHAKING and not self._holds_input:
            self._read_handshake()
        if self.transport.state >= DISCONNECTING:
            buffer.begin = buffer.end  # discarded
            self.has_unparsed = False
        elif self.has_unparsed:
            return 0  # a transport of the loop's read on before `continue_reading` was called
        elif self._holds_input:
            if buffer.end - buffer.begin >= HELD_BACK:
                self.transport.pause_reading()
        elif self.transport.state != HANDSHAKING:
            return self._read_pieces() if self._takes_pieces else self._read_frames()
        return 0

    cdef int _read_handshake(self) except -1:
        cdef ReceiveBuffer buffer = self.buffer
        data = PyBytes_FromStringAndSize(
            <char *>buffer.block.data + buffer.begin, buffer.end - buffer.begin
        )
        self._reads_handshake = True
        try:
            buffer.begin += <size_t>self.handshake_received(data)
        finally:
            self._reads_handshake = False
        return 0

    cdef int _read_pieces(self) except -1:
        """Do as `_read_frames` for a listener that takes frames in pieces, without waiting.

        It does not parse one frame ahead: the parser holds the bytes of a control frame that came
        in parts only until its next step.
        """
        cdef ReceiveBuffer buffer = self.buffer
        cdef wsf.wsf_frame parsed
        cdef int left = ROUND_FRAMES
        cdef int rounds = MAX_ROUNDS
        cdef int result = self._parse(&parsed)
        while result == wsf.WSF_FRAME:
            self._deliver(&parsed, buffer.end - buffer.begin, buffer.begin == buffer.end)
            left -= self._weight(&parsed)
            if left <= 0 and buffer.begin != buffer.end:
                left = ROUND_FRAMES
                result = self._begin_round(&parsed, &rounds)
            else:
                result = self._parse(&parsed)
        if result < 0:
            self._violated(result)
        return 0

    # -- the budget: nothing that a peer sends may keep the loop from iterating

    cdef int _compressed_weight(self) except -1:
        """Return all of the budget if the listener has paused reading: more may be large."""
        return COMPRESSED_WEIGHT if self.transport.is_reading() else ROUND_FRAMES

    cdef int _begin_round(self, wsf_frame *parsed, int *rounds) except? -1:
        """Parse the next frame, or leave it to the next iteration of the loop."""
        rounds[0] -= 1
        if rounds[0] > 0 and self._may_go_on():
            return self._parse(parsed)
        self.has_unparsed = True
        self.transport.schedule_reading()
        return wsf.WSF_NEED_MORE

    cdef bint _may_go_on(self) except -1:
        """Return whether another round may be delivered before the loop iterates.

        The time of user code counts, so a slow handler ends the turn after one round. An iteration
        takes some microseconds: one after each round would cost a fast handler a fifth of its rate.
        """
        if self._messages is not None:
            self._messages.on_read_end()
        return now() - self._read_began < ROUND_TIME and self.transport.is_reading()

    cdef long long read_began(self) noexcept:
        """Return when the last read of at least SMALL_READ bytes began, in nanoseconds."""
        return self._read_began

    cdef int continue_reading(self) except -1:
        """Resume parsing in a later iteration of the loop than that of the read."""
        self.has_unparsed = False
        self._read_began = now()
        return self._read()

    # -- callbacks go out

    cdef int _pass_over(self, wsf_frame *parsed) except -1:
        """Handle a frame that the listener no longer gets."""
        if parsed.opcode == CLOSE and self.transport.state == AWAITING_CLOSE:
            return self._close_received(parsed)
        return 0

    cdef int _as_piece(self, wsf_frame *parsed) except -1:
        """Show a piece of a frame as a frame of its own."""
        cdef WSFrame frame = self._frame
        cdef Block block
        if parsed.opcode >= CLOSE:  # it may lie in the parser, whose memory no view may keep
            block = Block.__new__(Block, <size_t>wsf.WSF_MAX_CONTROL_SIZE)
            memcpy(block.data, parsed.payload, parsed.payload_size)
            self._piece = block
            frame._block = <PyObject *>block
            frame.payload_ptr = <char *>block.data
            return 0
        frame.fin = parsed.fin and parsed.last
        if not parsed.first:
            frame.show_as(CONTINUATION)
            frame.rsv1 = frame.rsv2 = frame.rsv3 = False
        return 0

    cdef int _listener_failed(self) except -1:
        try:
            raise_pending()
        except BaseException as exc:
            if (
                self._disconnect_on_exception
                or isinstance(exc, WSProtocolError)
                or not is_ordinary(exc)
            ):
                fail_for_exception(self.transport, exc, "on_ws_frame", self.listener)
            else:
                self.logger.exception("exception in on_ws_frame")
        return 0

    cdef int _violated(self, int error) except -1:
        """End the connection after an error of the parser."""
        if self.transport.state >= AWAITING_CLOSE:
            self.transport.fail(0)
            return 0
        if self._messages is not None:
            self._messages.on_read_end()  # earlier messages are handled before the CLOSE
        return fail_for_violation(
            self.transport, error, wsf.wsf_parser_error_offset(&self._parser), self.listener
        )

    cdef bint _answers(self, wsf_frame *parsed) except -1:
        """Handle a control frame, and return whether the listener does not get it."""
        if parsed.opcode == PING and self._enable_auto_pong:
            self.transport.write_pong(parsed.payload, parsed.payload_size)
            return True
        if parsed.opcode == CLOSE:
            self._close_received(parsed)
        return parsed.opcode == PONG and self._is_roundtrip(parsed)

    cdef bint _is_roundtrip(self, wsf_frame *parsed) except -1:
        if self.transport.round_trips is None:
            return False
        return self.transport.round_trips.take_pong(
            PyBytes_FromStringAndSize(<char *>parsed.payload, parsed.payload_size)
        )

    cdef bint _takes(self, WSFrame frame) except -1:
        """Return whether the frame answers the auto ping, or was delivered here (debug mode)."""
        cdef double began
        if self._heartbeat is not None and self._is_heartbeat(frame):
            return True
        if not self.is_timed:
            return False
        began = monotonic()
        if (<Unraised>call_listener)(self, frame) < 0:
            self._listener_failed()
        name = "on_ws_message" if hasattr(self.listener, "on_ws_message") else "on_ws_frame"
        report_if_slow(self.loop, getattr(self.listener, name), began)
        return True

    cdef bint _is_heartbeat(self, WSFrame frame) except -1:
        try:
            return self._heartbeat.answers(frame)
        except BaseException as exc:
            fail_for_exception(self.transport, exc, "is_user_specific_pong")
            return True

    cdef int _close_received(self, wsf_frame *parsed) except -1:
        cdef bytes reason = b""
        if parsed.payload_size > 2:
            reason = PyBytes_FromStringAndSize(
                <char *>parsed.payload + 2, parsed.payload_size - 2
            )
        cdef unsigned int code = parsed.close_code
        if code == wsf.WSF_CLOSE_NO_STATUS:
            code = 0
        return self.transport.close_received(close_code_to_python(code), reason.decode() or None)

    # -- the connection ends

    def pause_writing(self):
        self._check_made()
        self.transport.pause_writing(True)
        if self.listener is not None:
            try:
                self.listener.pause_writing()
            except BaseException as exc:
                fail_for_exception(self.transport, exc, "pause_writing")

    def resume_writing(self):
        self._check_made()
        self.transport.pause_writing(False)
        self.has_room()
        if self.listener is not None:
            try:
                self.listener.resume_writing()
            except BaseException as exc:
                fail_for_exception(self.transport, exc, "resume_writing")

    cdef int has_room(self) except -1:
        """Send what waited for the socket to become writable, below the high-water mark."""
        return 0 if self.transport is None else self.transport.send_waiting_pong()

    def sending_failed(self):
        """Refuse further sending: the transport below is closing by itself."""
        self._check_made()
        self.transport.broken_below()

    def connection_lost(self, exc):
        cdef double began
        self._check_made()
        if self.has_unparsed:  # only with the loop's transports: wscore's own parse it before
            self.transport.broken_below()
            while self.has_unparsed:
                self.continue_reading()
        if exc is not None and self.logger.isEnabledFor(WSCORE_DEBUG_LL):
            self.logger.log(WSCORE_DEBUG_LL, "connection lost: %r", exc)
        self.transport.lost(exc)
        if self._heartbeat is not None:
            self._heartbeat.stop()
            self._heartbeat = None
        began = monotonic() if self.is_timed else 0
        try:
            if self.listener is not None:
                self.listener.on_ws_disconnected(self.transport)
            else:
                self.handshake_lost(exc)
        except BaseException as exc:
            self.logger.exception("exception in on_ws_disconnected")
            self.transport.set_failure(exc)
            pass_on(exc)
        finally:
            if self.is_timed and self.listener is not None:
                report_if_slow(self.loop, (<object>self.listener).on_ws_disconnected, began)
            if isinstance(self.listener, WSMessageBase):
                (<WSMessageBase>self.listener).ended()
            self.transport.end_waiting()


cdef bint _is_python_method(object cls, str name) except -1:
    """Return whether the class's method of that name was defined in Python."""
    for base in cls.__mro__:
        if name in base.__dict__:
            return (<PyTypeObject *>base).tp_flags & Py_TPFLAGS_HEAPTYPE != 0
    return False


seal_type(ProtocolOptions)
