# cython: nonecheck=True
"""The base class of user handlers: callbacks that do nothing until they are overridden."""

from ..enums cimport PONG

__all__ = ["WSListener"]


cdef class WSListener:
    """The user's end of one connection.

    The callbacks are plain functions, called by the event loop, one at a time. They are passed the
    same transport object for the same connection. On a client, the first exception in one of them
    that ended the connection, or came after its end, is also raised by
    `WSTransport.wait_disconnected`.
    """

    cpdef on_ws_connected(self, WSTransport transport):
        """Called when the opening handshake is complete; frames can be sent.

        An exception raised here is logged, and the connection is closed with code 1011, or with
        the code of a `WSProtocolError`.

        Args:
            transport: the connection's transport.
        """

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        """Called with each received frame. It must answer a CLOSE, and end the connection.

        An exception raised here is logged. Unless ``disconnect_on_exception=False`` was given, the
        connection is closed with code 1011, or with the code of a `WSProtocolError`.

        Args:
            transport: the connection's transport.
            frame: the frame; valid only until this method returns.
        """

    cpdef on_ws_disconnected(self, WSTransport transport):
        """Called when the connection is lost; exactly once if `on_ws_connected` was called.

        An exception raised here is logged.

        Args:
            transport: the connection's transport; its `close_handshake` says how it ended.
        """

    def fault_reason(self, code, text, name):
        """Return the close reason for a fault of the peer; called before the CLOSE is sent.

        Args:
            code: the close code.
            text: wscore's description of the fault, which is sent unless this is overridden.
            name: the name of wsframe's error, or None if the fault is in the frames' payload.

        Returns:
            The close reason, at most 123 bytes in UTF-8.
        """
        return text

    cpdef send_user_specific_ping(self, WSTransport transport):
        """Send the ping of auto ping; a PING without payload unless overridden.

        An exception raised here is logged, and the connection is closed with code 1011.

        Args:
            transport: the connection's transport.
        """
        if transport is None:
            raise TypeError("send_user_specific_ping() takes the transport")
        transport.send_ping()

    cpdef is_user_specific_pong(self, WSFrame frame):
        """Return whether the frame answers auto ping's ping; any PONG unless overridden.

        It is called with each frame while an answer is awaited, before `on_ws_frame`, which does
        not get the answer.

        Args:
            frame: the frame; valid only until this method returns.
        """
        if frame is None:
            raise TypeError("is_user_specific_pong() takes a frame")
        return frame.msg_type == PONG

    cpdef pause_writing(self):
        """Called when more data waits to be sent than the high-water mark of the transport below.

        An exception raised here or in `resume_writing` is logged, and the connection is closed
        with code 1011.
        """

    cpdef resume_writing(self):
        """Called when the data that waits to be sent has drained below the low-water mark."""
