"""The sending side of a connection: frames out, the closing handshake, the end.

All frames take one path, `write_frame`, which passes them to the sink. Nothing here or below keeps
a reference to the caller's data.
"""

cimport cython
from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport (
    PyBytes_AS_STRING,
    PyBytes_CheckExact,
    PyBytes_FromStringAndSize,
    PyBytes_GET_SIZE,
)
from libc.math cimport INFINITY
from libc.stdint cimport uint8_t

from wsframe cimport cwsframe as wsf

from .round_trips cimport RoundTrips
from .state cimport (
    AWAITING_CLOSE,
    DISCONNECT,
    DISCONNECTING,
    FAIL,
    HANDSHAKING,
    LOSE,
    LOST,
    OPEN,
    RECEIVE_CLOSE,
    SEND_CLOSE,
    UPGRADE,
    WSCloseInfo,
    can_send,
    is_disconnected,
    is_legal,
    next_state,
    state_name,
)
from ..loop.cork cimport Cork
from ..loop.branch_hints cimport unlikely
from ..loop.loop_io cimport LoopIO, this_thread
from ..enums cimport BINARY, CLOSE, CONTINUATION, NO_INFO, PING, PONG, close_code_to_python
from ..loop.sealed_types cimport seal_type

from ..logs import WSCORE_DEBUG_LL

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL

__all__ = ["WSTransport"]

#: Seconds that remain for closing after this side has failed the connection.
FAIL_TIMEOUT = 1.0


@cython.binding(False)  # builtin methods are cheaper to call
@cython.embedsignature(True)
@cython.embedsignature.format("clinic")
cdef class WSTransport:
    """One WebSocket connection, for sending and closing.

    It is made by `ws_connect` and `ws_create_server`. All methods must be called in the thread that
    runs the connection's event loop.

    Attributes:
        underlying_transport: the asyncio transport below, for its addresses, socket options and
            buffer limits. Nothing may be sent through it.
        request: the `WSUpgradeRequest` of the opening handshake.
        response: the `WSUpgradeResponse` of the opening handshake.
        close_handshake: the `WSCloseHandshake` as far as it has gone, or None before any CLOSE.
        lost_exception: the exception by which the connection was lost, or None.
        is_client_side: whether this side is the client.
        is_secure: whether the connection runs over TLS; with an ``https://`` proxy at least as far
            as the proxy.
        is_writing_paused: whether more data waits to be sent than the high-water mark.
        deflate: the `WSDeflateParameters` that both sides have agreed on, or None.
    """

    def __init__(self, loop, underlying_transport, Sink sink not None, bint is_client_side, logger):
        self.state = HANDSHAKING
        self.loop = loop
        self.logger = logger
        self.underlying_transport = underlying_transport
        self.is_client_side = is_client_side
        self.is_secure = underlying_transport.get_extra_info("ssl_object") is not None
        self._sink = sink
        sink.io.thread = this_thread()

    @property
    def is_close_frame_sent(self):
        """Whether a CLOSE was sent; no further frame is."""
        return self.close_handshake is not None and self.close_handshake.sent is not None

    @property
    def is_open(self):
        """Whether messages go both ways: neither side has sent a CLOSE or failed the connection."""
        return self.state == OPEN

    @property
    def is_disconnected(self):
        """Whether this side has ended the connection, or it is lost."""
        return self._is_broken or is_disconnected(self.state)

    @property
    def peer_has_ended(self):
        """Whether the peer has ended its direction of the TCP connection, or reset it.

        This is the system's view; data that the peer sent before may still be undelivered.
        """
        return self.state == LOST or self._sink.peer_has_ended()

    # -- in: events that the protocol reports

    cdef int advance(self, Event event) except -1:
        self.state = next_state(self.state, event)
        return 0

    cdef int upgraded(self, object request, object response) except -1:
        self.advance(UPGRADE)
        self.request = request
        self.response = response
        return 0

    cdef int close_received(self, object code, object reason) except -1:
        self.advance(RECEIVE_CLOSE)
        if self.close_handshake is None:
            self.close_handshake = WSCloseHandshake.__new__(WSCloseHandshake)
        self.close_handshake.recv_then_sent = self.close_handshake.sent is None
        self.close_handshake.recv = WSCloseInfo.__new__(WSCloseInfo, code, reason)
        return self._close_below() if self.state == DISCONNECTING else 0

    cdef bint has_received_close(self) noexcept:
        """Return whether the peer has sent its CLOSE, after which it may send nothing (5.5.1)."""
        return self.close_handshake is not None and self.close_handshake.recv is not None

    cdef int closed_below(self) except -1:
        """Record that the transport below is being closed, from either side."""
        if self.state < AWAITING_CLOSE:
            self.advance(FAIL)
        return 0

    cdef int broken_below(self) except -1:
        """Record that the transport below is gone, before it calls `connection_lost`.

        Data received before is still delivered, but nothing more is sent: a program that sends
        until the connection is lost would never let that call's iteration of the loop come.
        """
        self._is_broken = True
        if can_send(self.state):
            self.advance(SEND_CLOSE)
        return 0

    cdef int set_failure(self, object exc) except -1:
        """Record the exception because of which this side ends the connection.

        A client keeps the first one for `wait_disconnected`; on a server few programs call that.
        """
        if self.is_client_side and self._failure is None and isinstance(exc, Exception):
            self._failure = exc
        return 0

    cdef int lost(self, object exc) except -1:
        """Record that the connection is lost."""
        self.advance(LOSE)
        self.lost_exception = exc
        self.auto_ping = None
        self._sink.end()
        if self._end_timer is not None:
            self._end_timer.cancel()
            self._end_timer = None
        return 0

    cdef int end_waiting(self) except -1:
        """Wake the calls of `wait_disconnected`, after the listener's last callback."""
        self._is_over = True
        if self.round_trips is not None:
            self.round_trips.end()
        if self._waiters is not None:
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_result(None)
        return 0

    # -- in: how much is read

    cdef int schedule_reading(self) except -1:
        """Parse the rest of the received data in the next iteration of the loop."""
        return self._sink.schedule_reading()

    cdef bint is_reading(self) except -1:
        return self._sink.is_reading()

    cdef int pause_reading(self) except -1:
        self._sink.pause_reading()
        return 0

    cdef int resume_reading(self) except -1:
        self._check_thread()
        self._sink.resume_reading()
        return 0

    # -- out: frames

    cpdef send(self, WSMsgType msg_type, object message, bint fin=True, bint rsv1=False,
               bint rsv2=False, bint rsv3=False):
        """Send one frame.

        Nothing is sent once the connection is closing or gone.

        Args:
            msg_type: TEXT, BINARY, CONTINUATION, PING or PONG; for CLOSE there is `send_close`.
            message: the payload: any contiguous buffer, a str (sent as UTF-8), or None for none.
                Bytes that are sent as TEXT must be UTF-8. That is not checked: the peer ends the
                connection with 1007 if they are not.
            fin: whether this is the last frame of its message.
            rsv1: the first reserved bit, which belongs to the extension that was negotiated.
            rsv2: the second reserved bit.
            rsv3: the third reserved bit.

        Raises:
            ValueError: if the frame would violate RFC 6455, 5: an unknown type, or a control frame
                that is fragmented or has more than 125 bytes.
            TypeError: if the message is of another type.
            BufferError: if the message's buffer is not contiguous.
        """
        self._check_thread()
        self._check_type(msg_type, fin)
        self._write_buffer(msg_type, fin, rsv1 << 2 | rsv2 << 1 | rsv3, message)

    cpdef send_message(self, WSMsgType msg_type, object message, bint fin=True,
                       object compress=None):
        """Send a message, or the next fragment of one, compressed if deflate was agreed on.

        Nothing is sent once the connection is closing or gone.

        Args:
            msg_type: TEXT or BINARY; CONTINUATION for all fragments of a message but the first.
            message: the payload: any contiguous buffer, a str (sent as UTF-8), or None for none.
                Bytes that are sent as TEXT must be UTF-8. That is not checked: the peer ends the
                connection with 1007 if they are not.
            fin: whether this ends the message.
            compress: whether to compress it, if both sides have agreed on deflate; all its
                fragments go as the first one. If None, fragmented messages are compressed, and
                others that have at least `WSDeflate.min_size` bytes.

        Raises:
            ValueError: if it is another type.
            TypeError: if the message is of another type.
            BufferError: if the message's buffer is not contiguous.
        """
        cdef int rsv = 0
        self._check_thread()
        if msg_type > BINARY:
            raise ValueError("a message is TEXT or BINARY, and goes on as CONTINUATION")
        if self.deflater is not None and can_send(self.state):
            if isinstance(message, str):
                message = message.encode()
            if msg_type != CONTINUATION:
                self._is_deflating = self.deflater.wants(message, fin, compress)
                rsv = wsf.WSF_RSV1 if self._is_deflating else 0
            if self._is_deflating:
                message = self.deflater.deflate(message, fin)
        self._write_buffer(msg_type, fin, rsv, message)

    cpdef send_reuse_external_bytearray(self, WSMsgType msg_type, bytearray buffer,
                                        Py_ssize_t msg_offset, bint fin=True, bint rsv1=False,
                                        bint rsv2=False, bint rsv3=False):
        """Send one frame whose payload lies in a bytearray, without copying a large one.

        The header is written in front of the payload, and a client masks the payload in place: the
        content of the bytearray is undefined afterwards.

        Args:
            msg_type: as for `send`.
            buffer: with the payload at its end.
            msg_offset: where the payload begins; at least 14 bytes in front of it are used.
            fin: as for `send`.
            rsv1: as for `send`.
            rsv2: as for `send`.
            rsv3: as for `send`.

        Raises:
            ValueError: as for `send`; also if the offset leaves no room or is beyond the end.
        """
        self._check_thread()
        if msg_offset < wsf.WSF_MAX_HEADER_SIZE:
            raise ValueError(
                f"msg_offset is {msg_offset}, but {wsf.WSF_MAX_HEADER_SIZE} bytes in front of the "
                "payload are needed for the header"
            )
        if msg_offset > len(buffer):
            raise ValueError(f"msg_offset {msg_offset} is beyond the {len(buffer)} bytes there are")
        self.send_reuse_external_buffer(
            msg_type, PyByteArray_AS_STRING(buffer) + msg_offset, len(buffer) - msg_offset, fin,
            rsv1, rsv2, rsv3,
        )

    cdef int send_reuse_external_buffer(self, WSMsgType msg_type, char *message,
                                        size_t message_size, bint fin=True, bint rsv1=False,
                                        bint rsv2=False, bint rsv3=False) except -1:
        """Do the same for a caller's buffer with 14 writable bytes in front of `message`."""
        cdef wsf.wsf_header header
        cdef uint8_t *payload = <uint8_t *>message
        cdef uint8_t *begin
        self._check_type(msg_type, fin)
        if unlikely(not self._may_send(msg_type, message_size)):
            return 0
        self._fill_header(&header, msg_type, fin, rsv1 << 2 | rsv2 << 1 | rsv3, message_size)
        if header.masked:
            wsf.wsf_mask(payload, message_size, header.mask_key, 0)
        begin = wsf.wsf_header_encode_before(payload, &header)
        return self._sink.write_bytes(begin, payload + message_size - begin)

    cpdef send_ping(self, object message=None):
        """Send a PING.

        Args:
            message: the payload, at most 125 bytes, as for `send`.

        Raises:
            ValueError: if it is longer.
        """
        self._check_thread()
        self._write_buffer(PING, True, 0, message)

    cpdef send_pong(self, object message=None):
        """Send a PONG.

        Args:
            message: the payload, at most 125 bytes, as for `send`.

        Raises:
            ValueError: if it is longer.
        """
        self._check_thread()
        self._write_buffer(PONG, True, 0, message)

    cpdef bint answer_ping(self, object message=None) except -1:
        """Answer a PING, as the connection does by itself unless ``enable_auto_pong`` is False.

        While nothing can be sent because the peer does not read, only the answer to the latest PING
        is kept (RFC 6455, 5.5.3). So pings cannot make memory grow; answered with `send_pong` they
        could.

        Args:
            message: the payload of the PING.

        Returns:
            Whether it was sent. If not, it is sent later, unless another PING is answered first.

        Raises:
            ValueError: if it has more than 125 bytes.
        """
        self._check_thread()
        if isinstance(message, str):
            message = message.encode()
        payload = b"" if message is None else memoryview(message).tobytes()
        return self.write_pong(<const uint8_t *>PyBytes_AS_STRING(payload), len(payload))

    @cython.binding(True)  # a default like this one is beyond the signatures of builtin methods
    cpdef send_close(self, object close_code=NO_INFO, object close_message=None):
        """Send a CLOSE. The connection stays until `disconnect` is called or the peer closes it.

        Nothing is sent if a CLOSE was sent before or the connection is lost.

        Args:
            close_code: a `WSCloseCode`, or a number from 3000 to 4999; with NO_INFO the frame is
                empty.
            close_message: the reason: a str, or UTF-8 in any contiguous buffer, at most 123 bytes.

        Raises:
            ValueError: if the code must not be sent (RFC 6455, 7.4), the reason is too long or not
                UTF-8, or there is a reason without a code.
        """
        self._check_thread()
        if can_send(self.state):
            self._write_close(close_code, close_message)

    def cork(self):
        """Return a context manager that holds back frames, to send them together.

        It holds those of all connections of the loop, until the current iteration of the loop ends
        at the latest. Callbacks of a listener do not need it: they are always run like this.
        """
        self._check_thread()
        return Cork(self.loop, self._sink.io)

    # -- round trips

    @cython.binding(True)
    async def measure_roundtrip_time(self, int rounds):
        """Ping the peer several times, one after the other.

        Args:
            rounds: how many times.

        Returns:
            The time between ping and pong in each round, in seconds. The pongs are not shown to
            the listener.

        Raises:
            ConnectionResetError: if the connection is or gets closed.
        """
        if self.round_trips is None:
            self.round_trips = RoundTrips(self)
            if self._is_over:
                self.round_trips.end()
        return await self.round_trips.measure(rounds)

    cpdef notify_user_specific_pong_received(self):
        """Report that auto ping's ping was answered, as user code found by its own means."""
        self._check_thread()
        if self.auto_ping is not None:
            self.auto_ping.pong_received()

    # -- the end

    cpdef fail(self, unsigned int code, object reason=None):
        """Fail the connection (RFC 6455, 7.1.7): send a CLOSE with the reason, and disconnect.

        The peer can still read that, and all frames sent before, as after `disconnect`; but it has
        only one second, and one more each time that it takes 16 KiB.

        Args:
            code: the close code, as for `send_close`.
            reason: the close reason, as for `send_close`.

        Raises:
            ValueError: as for `send_close`.
        """
        self._check_thread()
        if not is_legal(self.state, FAIL):
            return
        if can_send(self.state):
            self._write_close(code, reason)
        self.advance(FAIL)
        self.disconnect_timeout = min(self.disconnect_timeout, FAIL_TIMEOUT)
        self._close_below()

    cpdef disconnect(self, bint graceful=True):
        """End the connection; nothing more is received. It may be called repeatedly.

        Frames sent before are delivered, also to a peer that is sending. If this side has sent a
        CLOSE, the peer's is awaited, and recorded in `close_handshake`. Then the connection is
        closed, and the peer's end of it awaited. All this may take the ``disconnect_timeout`` of
        `ws_connect` and `ws_create_server`, which begins again each time that the peer takes
        16 KiB, or the last of the data; after it the connection is aborted. If data is lost by
        that, `lost_exception` is a TimeoutError.

        Args:
            graceful: whether to do that; otherwise the connection is closed at once, and data that
                the system does not take at once is discarded.
        """
        self._check_thread()
        if not graceful:
            if is_legal(self.state, FAIL):
                self.advance(FAIL)
            if self._sink is not self.underlying_transport:  # which would do so itself
                self._sink.flush()
            if self.state != LOST:
                self.underlying_transport.abort()
        elif is_legal(self.state, DISCONNECT):
            self.advance(DISCONNECT)
            self._close_below()

    @cython.binding(True)
    async def wait_disconnected(self):
        """Wait until the connection is lost and `on_ws_disconnected` has been called.

        Raises:
            Exception: on the client's side, the exception because of which it ended the connection:
                one raised by a callback of the listener, or a `WSProtocolError` if the server
                violated the protocol. Every call raises it. No close code, nor a connection that
                the server broke off, raises: see `close_handshake` and `lost_exception`.
        """
        if not self._is_over:
            if self._waiters is None:
                self._waiters = set()
            waiter = self.loop.create_future()
            self._waiters.add(waiter)
            try:
                await waiter
            finally:
                self._waiters.discard(waiter)
        if self._failure is not None:
            raise self._failure

    # -- private

    cdef inline int _check_type(self, WSMsgType msg_type, bint fin) except -1:
        return self._check_control_type(msg_type, fin) if unlikely(msg_type > BINARY) else 0

    cdef int _check_control_type(self, WSMsgType msg_type, bint fin) except -1:
        if msg_type == CLOSE:
            raise ValueError("a CLOSE frame is sent with send_close()")
        if not CLOSE < msg_type <= PONG:
            raise ValueError(f"{<int>msg_type} is not a type of frame")
        if not fin:
            raise ValueError("control frames cannot be fragmented (RFC 6455, 5.5)")
        return 0

    cdef inline int _write_buffer(self, int opcode, bint fin, int rsv, object message) except -1:
        cdef Py_buffer view
        cdef const char *text
        cdef Py_ssize_t size
        if PyBytes_CheckExact(message):
            return self.write_frame(
                opcode, fin, rsv, <const uint8_t *>PyBytes_AS_STRING(message),
                PyBytes_GET_SIZE(message),
            )
        if message is None:
            return self.write_frame(opcode, fin, rsv, NULL, 0)
        if isinstance(message, str):
            text = PyUnicode_AsUTF8AndSize(message, &size)
            return self.write_frame(opcode, fin, rsv, <const uint8_t *>text, size)
        PyObject_GetBuffer(message, &view, PyBUF_SIMPLE)
        try:
            return self.write_frame(opcode, fin, rsv, <const uint8_t *>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)

    cdef int write_frame(self, int opcode, bint fin, int rsv, const uint8_t *payload,
                         size_t size) except -1:
        cdef wsf.wsf_header header
        if unlikely(not self._may_send(opcode, size)):
            return 0
        self._fill_header(&header, opcode, fin, rsv, size)
        return self._sink.write_frame(&header, payload, size)

    cdef bint write_pong(self, const uint8_t *payload, size_t size) except -1:
        """Answer a ping, or keep the answer until it can be sent; return whether it was sent."""
        if unlikely(not self._may_send(PONG, size)):
            return False
        if self.is_writing_paused:
            self._sink.flush()  # the data may be only held back by the running callback
        if self.is_writing_paused or self._sink.is_blocked():
            self._waiting_pong = PyBytes_FromStringAndSize(<const char *>payload, size)
            return False
        self._waiting_pong = None
        self.write_frame(PONG, True, 0, payload, size)
        return True

    cdef int send_waiting_pong(self) except -1:
        """Send the pong that was kept, if there is one."""
        cdef bytes payload = self._waiting_pong
        self._waiting_pong = None
        if payload is None or not can_send(self.state):
            return 0
        return self.write_frame(
            PONG, True, 0, <const uint8_t *>PyBytes_AS_STRING(payload), PyBytes_GET_SIZE(payload)
        )

    cdef int flush(self) except -1:
        """Send the frames that are held back."""
        return self._sink.flush()

    cdef int pause_writing(self, bint paused) except -1:
        self.is_writing_paused = paused
        return 0

    cdef inline bint _may_send(self, int opcode, size_t size) except -1:
        if unlikely(opcode > BINARY or not can_send(self.state)):
            return self._may_send_else(opcode, size)
        return True

    cdef bint _may_send_else(self, int opcode, size_t size) except -1:
        if opcode >= CLOSE and size > wsf.WSF_MAX_CONTROL_SIZE:
            raise ValueError(
                f"a control frame has at most {wsf.WSF_MAX_CONTROL_SIZE} bytes of payload, "
                f"not {size} (RFC 6455, 5.5)"
            )
        if can_send(self.state):
            return True
        if self.logger.isEnabledFor(WSCORE_DEBUG_LL):
            self.logger.log(
                WSCORE_DEBUG_LL, "%d bytes in a frame of type %d not sent: %s",
                size, opcode, state_name(self.state),
            )
        return False

    cdef inline int _fill_header(self, wsf.wsf_header *header, int opcode, bint fin, int rsv,
                                 size_t size) except -1:
        header.opcode = opcode
        header.fin = fin
        header.rsv = rsv
        header.payload_size = size
        header.masked = self.is_client_side
        if self.is_client_side and wsf.wsf_mask_key(header.mask_key) < 0:
            raise OSError("the system provides no random bytes for a masking key")
        return 0

    cdef int _write_close(self, unsigned int code, object message) except -1:
        cdef uint8_t[125] payload
        cdef int size = 0
        cdef bytes reason = b""
        if message is not None:
            reason = message.encode() if isinstance(message, str) else memoryview(message).tobytes()
        if code == wsf.WSF_CLOSE_NO_STATUS:
            raise ValueError("close code 1005 must not be sent; use NO_INFO for an empty CLOSE")
        if code != NO_INFO or reason:
            size = wsf.wsf_close_encode(
                payload, code, <const uint8_t *>PyBytes_AS_STRING(reason), PyBytes_GET_SIZE(reason)
            )
            if size < 0:
                raise ValueError(
                    f"close code {code} with reason {reason!r} cannot be sent: "
                    f"{wsf.wsf_error_text(size).decode()}"
                )
        self.write_frame(CLOSE, True, 0, payload, size)
        if can_send(self.state):  # else the transport below broke during the write
            self.advance(SEND_CLOSE)
        if self.close_handshake is None:
            self.close_handshake = WSCloseHandshake.__new__(WSCloseHandshake)
        self.close_handshake.sent = WSCloseInfo.__new__(
            WSCloseInfo, close_code_to_python(code), reason.decode() or None
        )
        return 0

    cdef int _close_below(self) except -1:
        """Close the transport below, as far as the state allows; it may be called repeatedly."""
        if self._sink is self.underlying_transport:
            self.underlying_transport.close()
            return 0
        return self._close_foreign()

    cdef int _close_foreign(self) except -1:
        """Close a transport of the loop's in about the way of wscore's own.

        Closing it while the peer is sending would reset the connection, so only our direction is
        closed. TLS cannot be closed in one direction, but its closing reads the remaining input.
        """
        below = self.underlying_transport
        self._sink.flush()
        if not below.is_reading() and not below.is_closing():
            below.resume_reading()
        if self.state != AWAITING_CLOSE:
            if self.has_received_close() or not below.can_write_eof():
                below.close()
            else:
                below.write_eof()
        if self._end_timer is None and self.disconnect_timeout != INFINITY:
            self._end_timer = self.loop.call_later(self.disconnect_timeout, below.abort)
        return 0


cdef int refuse_thread(LoopIO io) except -1:
    if io.thread == 0:
        raise RuntimeError(
            "this connection belongs to the parent process; a forked child must open its own"
        )
    raise RuntimeError(
        "a connection must be used in the thread that runs its event loop; from another thread use "
        "loop.call_soon_threadsafe"
    )


seal_type(WSTransport)
