"""Receiving and sending messages by awaiting: the base of wscompat's connections.

Messages that can be sent at once are sent here. Sends that must wait, and fragmented messages, are
delegated to coroutines of the subclass, which also ends their waits.
"""

cimport cython
from cpython.object cimport PyObject

from ..connection.state cimport OPEN
from ..enums cimport BINARY, TEXT
from ..loop.sealed_types cimport seal_type
from .awaitable cimport is_unshared, keep, take
from ..connection.transport cimport WSTransport

from .coroutine_functions import mark_as_coroutine_function

cdef extern from "Python.h":
    void Py_XDECREF(PyObject *object)

__all__ = ["WSMessageConnection"]


@cython.final
cdef class SendCall(Step):
    """The awaitable that `send` returns."""

    cdef object go_on(self):
        cdef WSMessageConnection connection = self.connection
        cdef WSTransport transport
        cdef bint as_text
        message = self.message
        self.connection = None  # it may keep this object for reuse: break the reference cycle
        self.message = None
        if connection._fragments_sent is None and type(connection._transport) is WSTransport:
            transport = <WSTransport>connection._transport
            if isinstance(message, str):
                as_text = self.text != 0
            elif isinstance(message, (bytes, bytearray)):
                as_text = self.text > 0
            elif isinstance(message, memoryview) and message.c_contiguous:
                as_text = self.text > 0
            else:
                transport = None
            if transport is not None and transport.state == OPEN:
                transport.send_message(TEXT if as_text else BINARY, message)
                if connection._drained is None:
                    if self.origin is None:
                        keep(&connection._spare_call, self)
                    return None
                return self.hand_over(connection._drain())
        return self.hand_over(
            connection._send_later(message, None if self.text < 0 else bool(self.text))
        )

    cdef int let_go(self) except -1:
        self.connection = None
        self.message = None
        return 0


cdef class WSMessageConnection(WSMessageReader):
    """A reader that can also send.

    Args:
        *args: as for `WSMessageReader`.
        **kwargs: as for `WSMessageReader`.
    """

    def __dealloc__(self):
        Py_XDECREF(self._spare_call)

    def send(self, message, *, text=None):
        """Send a message, and wait while the write buffer is above its high-water mark.

        Args:
            message: a `str` for a text message, bytes-like for a binary one, or an iterable or
                asynchronous iterable of either: the fragments of one message, each sent when the
                iterable yields it.
            text: whether to send it as text, regardless of its type.

        Raises:
            ConnectionClosed: if the connection is closed.
            TypeError: if the message is of another type.
        """
        cdef SendCall call
        if is_unshared(self._spare_call):
            call = <SendCall>take(&self._spare_call)
            call.has_begun = call.has_ended = False
        else:
            call = SendCall.__new__(SendCall)
            call.begin("send")
        call.connection = self
        call.message = message
        call.text = -1 if text is None else bool(text)
        return call

    # -- provided by subclasses

    async def _send_later(self, message, text):
        """Send a message that cannot be sent at once, or raise.

        Args:
            message: as for `send`.
            text: as for `send`.
        """
        raise NotImplementedError

    async def _drain(self):
        """Wait until the write buffer has room."""
        raise NotImplementedError


mark_as_coroutine_function(WSMessageConnection.send)


seal_type(SendCall)
