"""From frames to messages: inflated, checked to be UTF-8 if they are text, and CLOSE answered.

The subclasses use the messages: `message_reader` queues them, `message_listener` calls a function
with each. Nothing here may cost an unfragmented, uncompressed message more than its one copy.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport uint8_t

from wsframe cimport cwsframe as wsf

from ..enums cimport BINARY, CLOSE, CONTINUATION, INVALID_TEXT, PONG, TEXT

from ..errors import WSProtocolError

__all__ = ["WSMessageBase", "check_unused"]


def check_unused(WSListener listener):
    """Refuse a message listener that has, or had, a connection: it would mix the messages.

    Args:
        listener: the result of a listener factory. A listener to frames may be shared.

    Raises:
        RuntimeError: if it is a message listener with a connection.
    """
    if isinstance(listener, WSMessageBase) and (<WSMessageBase>listener).transport is not None:
        raise RuntimeError(
            "the listener factory must return a new message listener for each connection, but "
            f"{listener!r} already has one"
        )


cdef class WSMessageBase(WSListener):
    """The base of message listeners.

    A CLOSE is answered with the same code, as RFC 6455, 5.5.1 asks for.

    Attributes:
        transport: the connection's transport; None before it is open.
    """

    # -- in: frames

    cdef int begin(self, WSTransport transport, Inflater inflater) except -1:
        """Begin with an open connection.

        Args:
            transport: its transport.
            inflater: for compressed messages; None if deflate was not agreed on.
        """
        self.transport = transport
        self._inflater = inflater
        return 0

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        self._check_open()
        self.transport._check_thread()
        if transport is None or frame is None:
            raise TypeError("on_ws_frame() takes the transport and a frame")
        self.frame_received(transport, frame)

    cdef int frame_received(self, WSTransport transport, WSFrame frame) except -1:
        """Do the same; the protocol calls it if no Python subclass overrides `on_ws_frame`."""
        if frame.msg_type > BINARY:
            if frame.msg_type == PONG:
                self.on_pong(frame.get_payload_as_bytes())
            elif frame.msg_type == CLOSE:
                self._close_received(transport, frame)
        elif self._inflater is not None and (frame.rsv1 or self._is_deflated):
            self._inflate(frame)
        elif not frame.fin or frame.msg_type == CONTINUATION:
            if frame.msg_type != CONTINUATION:
                self._is_text = frame.msg_type == TEXT
            self._is_within = not frame.fin
            self.fragment_received(self._is_text, frame.fin, frame.get_payload_as_bytes())
        elif frame.msg_type == TEXT:
            self.message_received(
                True, PyUnicode_DecodeUTF8(frame.payload_ptr, frame.payload_size, NULL)
            )
        else:
            self.message_received(
                False, PyBytes_FromStringAndSize(frame.payload_ptr, frame.payload_size)
            )
        return 0

    cdef int on_read_end(self) except -1:
        """Called after all frames of one read have been delivered."""
        return 0

    cpdef feed(self, bint is_text, bint fin, bytes data):
        """Take a message, or the next fragment of one, as if it had been received like this.

        It is for subclasses that override `on_ws_frame` to decode an extension of their own. While
        the fragments of a message are fed, no other data frame may be passed to `on_ws_frame`.

        Args:
            is_text: whether the message is text; the same for all its fragments.
            fin: whether this ends the message.
            data: the bytes. Those of a text must be UTF-8 in all fragments together.

        Raises:
            WSProtocolError: if they are not; the caller must not catch it.
            RuntimeError: if the connection is not open yet, or this is not the thread that runs the
                event loop.
            TypeError: if `data` is None.
        """
        self._check_open()
        if data is None:
            raise TypeError("feed() takes bytes")
        self.transport._check_thread()
        if fin and not self._is_within:
            if not is_text:
                self.message_received(False, data)
                return
            try:
                text = data.decode()
            except UnicodeDecodeError as exc:
                self.on_read_end()  # earlier messages are handled before the CLOSE
                raise WSProtocolError(INVALID_TEXT, "the text is not UTF-8") from exc
            self.message_received(True, text)
            return
        if is_text:
            self._check_text(data, fin)
        self._is_within = not fin
        self.fragment_received(is_text, fin, data)

    cdef int _check_open(self) except -1:
        if self.transport is None:
            raise RuntimeError("the connection is not open yet")
        return 0

    cdef int _inflate(self, WSFrame frame) except -1:
        cdef bytes data
        if frame.msg_type != CONTINUATION:
            self._is_text = frame.msg_type == TEXT
        self._is_deflated = not frame.fin
        try:
            data = self._inflater.inflate(frame.payload_ptr, frame.payload_size, frame.fin)
        except WSProtocolError:
            self.on_read_end()  # earlier messages are handled before the CLOSE
            raise
        self.feed(self._is_text, frame.fin, data)
        return 0

    cdef int _check_text(self, bytes data, bint fin) except -1:
        """Check the next fragment of a text, which may begin and end inside a character."""
        cdef size_t size = PyBytes_GET_SIZE(data)
        cdef size_t good
        if not self._is_within:
            wsf.wsf_utf8_init(&self._utf8)
        good = wsf.wsf_utf8_feed(&self._utf8, <const uint8_t *>PyBytes_AS_STRING(data), size)
        if good != size or (fin and not wsf.wsf_utf8_finish(&self._utf8)):
            self.on_read_end()
            raise WSProtocolError(INVALID_TEXT, "the text is not UTF-8")
        return 0

    cdef int _close_received(self, WSTransport transport, WSFrame frame) except -1:
        if self._is_within:
            self.on_incomplete_message()
        transport.send_close(frame.get_close_code(), frame.get_close_message())
        if not transport.is_client_side:  # the server closes the TCP connection (7.1.1)
            transport.disconnect()
        self.on_close()
        return 0

    # -- out: messages

    cdef int message_received(self, bint is_text, object message) except -1:
        """Take a message that came in one piece: a str if it is text, else bytes."""
        raise NotImplementedError

    cdef int fragment_received(self, bint is_text, bint fin, bytes data) except -1:
        """Take a fragment of a message."""
        raise NotImplementedError

    cdef int ended(self) except -1:
        """Record that the connection is lost, even if a subclass overrides `on_ws_disconnected`."""
        return 0

    # -- hooks for subclasses

    cpdef on_pong(self, bytes payload):
        """Called with a received PONG.

        Args:
            payload: its payload.
        """

    cpdef on_close(self):
        """Called when a CLOSE was received, and answered."""

    cpdef on_incomplete_message(self):
        """Called when a CLOSE was received within a fragmented message, before it is answered.

        If this sends a CLOSE, that is the answer.
        """
