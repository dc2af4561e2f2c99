"""Messages both ways, each awaited: what connections of wscompat are made of.

What can be sent at once is sent here. All that has to wait, or is no plain message, is left to
coroutines of the subclass, which also says when a wait is over.
"""

import inspect

cimport cython
from cpython.object cimport PyObject

from .closing cimport OPEN
from .enums cimport BINARY, TEXT
from .transport cimport WSTransport

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject* object)

__all__ = ["WSMessageConnection"]


@cython.final
cdef class Sending(Step):
    """What `send` awaits."""

    cdef object go_on(self):
        cdef WSMessageConnection connection = self.connection
        cdef WSTransport transport
        cdef bint as_text
        message = self.message
        self.connection = None  # which refers to this
        self.message = None
        if connection._fragments_sent is None and type(connection._core) is WSTransport:
            transport = <WSTransport>connection._core
            if isinstance(message, str):
                as_text = self.text is not False
            elif isinstance(message, (bytes, bytearray)):
                as_text = self.text
            elif isinstance(message, memoryview) and message.c_contiguous:
                as_text = self.text
            else:
                transport = None
            if transport is not None and transport.state == OPEN:
                transport.send_message(TEXT if as_text else BINARY, message)
                if connection._drained is None:
                    return None
                return self.hand_over(connection._drain())
        return self.hand_over(connection._send_later(message, self.text))

    cdef int let_go(self) except -1:
        self.connection = None
        self.message = None
        return 0


cdef class WSMessageConnection(WSMessageReader):
    """A reader that can also send.

    Args:
        *args: as for `WSMessageReader`.
        **kwargs: likewise.
    """

    def send(self, message, *, text=None):
        """Send a message, and wait while too much is waiting to be sent.

        Args:
            message: a `str` for a text message, bytes-like for a binary one, or an iterable or
                asynchronous iterable of either: the fragments of one message, each sent as it
                comes.
            text: whether to send it as text, whatever its type.

        Raises:
            ConnectionClosed: if the connection is closed.
            TypeError: if the message is of another type.
        """
        cdef Sending call = self._sending_before
        if call is None or Py_REFCNT(<PyObject*>call) != 2 or not call.has_ended:
            call = self._sending_before = Sending.__new__(Sending)
            call.name = "send"
        else:
            call.has_begun = call.has_ended = False
            call.inner = None
        call.connection = self
        call.message = message
        call.text = text
        return call

    # -- what a subclass provides

    async def _send_later(self, message, text):
        """Send what cannot be sent at once, or raise.

        Args:
            message: as for `send`.
            text: as for `send`.
        """
        raise NotImplementedError

    async def _drain(self):
        """Wait until the write buffer has room."""
        raise NotImplementedError


# For those who ask: what it returns is a coroutine. Before Python 3.12 this cannot be said.
if hasattr(inspect, "markcoroutinefunction"):
    inspect.markcoroutinefunction(WSMessageConnection.send)
