# cython: nonecheck=True
"""The base class of user handlers: callbacks that do nothing until they are overridden."""

from ..enums cimport PONG

__all__ = ["WSListener"]


cdef class WSListener:
    """The user's end of one connection.

    The callbacks are plain functions, called from the event loop, one at a time. The transport
    that they are passed is always the same object for the same connection. The first exception in
    one of them that has ended the connection of a client, or came after its end, is also raised by
    `WSTransport.wait_disconnected`.
    """

    cpdef on_ws_connected(self, WSTransport transport):
        """The opening handshake is complete; frames can be sent.

        An exception raised here is logged, and the connection is closed with code 1011, or with
        the code of a `WSProtocolError`.

        Args:
            transport: what to send with.
        """

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        """A frame was received. A CLOSE is answered, and the connection ended, by this method.

        An exception raised here is logged. Unless ``disconnect_on_exception=False`` was given, the
        connection is closed with code 1011, or with the code of a `WSProtocolError`.

        Args:
            transport: what to send with.
            frame: the frame; valid only until this method returns.
        """

    cpdef on_ws_disconnected(self, WSTransport transport):
        """The connection is gone; called exactly once if `on_ws_connected` was called.

        An exception raised here is logged.

        Args:
            transport: the connection's transport; its `close_handshake` says how it ended.
        """

    def fault_reason(self, code, text, name):
        """What the peer is told in the CLOSE for a fault of its own; called before that is sent.

        Args:
            code: the close code.
            text: what is wrong, in the words of wscore; they are sent unless this is overridden.
            name: the name of wsframe's error, or None if the fault is in what frames carry.

        Returns:
            The close reason, at most 123 bytes in UTF-8.
        """
        return text

    cpdef send_user_specific_ping(self, WSTransport transport):
        """Send what auto ping pings with; a PING without payload unless overridden.

        An exception raised here is logged, and the connection is closed with code 1011.

        Args:
            transport: what to send with.
        """
        if transport is None:
            raise TypeError("send_user_specific_ping() takes the transport")
        transport.send_ping()

    cpdef is_user_specific_pong(self, WSFrame frame):
        """Whether the frame answers auto ping's ping; any PONG unless overridden.

        It is asked for each frame while an answer is waited for, before `on_ws_frame`, which is
        not called with the answer.

        Args:
            frame: the frame; valid only until this method returns.
        """
        if frame is None:
            raise TypeError("is_user_specific_pong() takes a frame")
        return frame.msg_type == PONG

    cpdef pause_writing(self):
        """More is waiting to be sent than the high-water mark of the transport below allows.

        An exception raised here or in `resume_writing` is logged, and the connection is closed
        with code 1011.
        """

    cpdef resume_writing(self):
        """What is waiting to be sent has drained below the low-water mark."""
