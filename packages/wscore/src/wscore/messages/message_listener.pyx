"""A listener that is called with whole messages.

It must not hold more than one incomplete message; the limits of the connection bound its size.
"""

from ..enums cimport BINARY, TEXT

__all__ = ["WSMessageListener"]


cdef class WSMessageListener(WSMessageBase):
    """The user's end of one connection, for messages instead of frames.

    Override `on_ws_message`, and, as for any `WSListener`, `on_ws_connected` and
    `on_ws_disconnected`. A CLOSE is answered with the same code (RFC 6455, 5.5.1).

    A message is limited to ``max_message_size`` of `ws_connect` and `ws_create_server`, or to
    ``max_frame_size`` if that is None, even after decompression.
    """

    cpdef on_ws_message(self, WSTransport transport, WSMsgType msg_type, object message):
        """Handle a received message.

        An exception raised here has the same effect as in `on_ws_frame`.

        Args:
            transport: the transport to reply with.
            msg_type: TEXT or BINARY.
            message: a str if it is TEXT, else bytes.
        """

    cdef int message_received(self, bint is_text, object message) except -1:
        self.on_ws_message(self.transport, TEXT if is_text else BINARY, message)
        return 0

    cdef int fragment_received(self, bint is_text, bint fin, bytes data) except -1:
        if self._fragments is None:
            self._fragments = []
        self._fragments.append(data)
        if fin:
            message = b"".join(self._fragments)
            self._fragments = None
            self.message_received(is_text, message.decode() if is_text else message)
        return 0
