"""Messages instead of frames: assembled, bounded in size and number, awaited one at a time.

The queue never grows beyond its bound by more than what one read of the socket held: when it is
full the socket is no longer read, and TCP slows the peer down.
"""

import asyncio
from collections import deque

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_DecodeUTF8

from .enums cimport BINARY, CLOSE, CONTINUATION, MESSAGE_TOO_BIG, TEXT
from .frame cimport WSFrame

from .errors import WSProtocolError

__all__ = ["WSMessageReader"]


cdef class WSMessageReader(WSListener):
    """A listener that collects messages for `recv`.

    A CLOSE is answered with the same code, as RFC 6455, 5.5.1 asks for.

    Args:
        max_size: bytes of payload in a message; a larger one closes the connection with code
            1009. None for no limit.
        high: how many messages may be queued before the socket is no longer read; None for no
            limit.
        low: how many queued messages are left when it is read again; a quarter of `high` if None.

    Attributes:
        transport: the connection's transport; None before it is open.
    """

    def __init__(self, max_size=1024 * 1024, high=16, low=None):
        self._messages = deque()
        self._max_size = max_size or 0
        self._high = high or 0
        self._low = low if low is not None else self._high // 4

    # -- in: frames

    cpdef on_ws_connected(self, WSTransport transport):
        self.transport = transport

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        if frame.msg_type == TEXT or frame.msg_type == BINARY:
            self._check_size(frame.payload_size)
            if not frame.fin:
                self._fragments = bytearray(frame.get_payload_as_memoryview())
                self._fragments_are_text = frame.msg_type == TEXT
            elif frame.msg_type == TEXT:
                self._put(PyUnicode_DecodeUTF8(frame.payload_ptr, frame.payload_size, NULL))
            else:
                self._put(PyBytes_FromStringAndSize(frame.payload_ptr, frame.payload_size))
        elif frame.msg_type == CONTINUATION:
            self._check_size(len(self._fragments) + frame.payload_size)
            self._fragments += frame.get_payload_as_memoryview()
            if frame.fin:
                self._put(
                    self._fragments.decode() if self._fragments_are_text
                    else bytes(self._fragments)
                )
                self._fragments = None
        elif frame.msg_type == CLOSE:
            transport.send_close(frame.get_close_code(), frame.get_close_reason())
            if not transport.is_client_side:  # the server closes the TCP connection (7.1.1)
                transport.disconnect()

    cpdef on_ws_disconnected(self, WSTransport transport):
        self._ended = True
        self._wake()

    def _check_size(self, size):
        if 0 < self._max_size < size:
            raise WSProtocolError(
                MESSAGE_TOO_BIG, f"message of {size} bytes or more, over the limit of "
                f"{self._max_size}"
            )

    cdef int _put(self, object message) except -1:
        self._messages.append(message)
        if 0 < self._high <= len(self._messages) and not self._paused:
            self._paused = True
            self.transport.underlying_transport.pause_reading()
        return self._wake()

    cdef int _wake(self) except -1:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        return 0

    # -- out: messages

    async def recv(self):
        """The next message: a str for a text, bytes for a binary message.

        Messages that came before the connection ended are still returned after it. Cancelling
        loses no message.

        Raises:
            EOFError: if the connection is gone and there is no further message;
                `WSTransport.close_handshake` says how it ended.
            RuntimeError: if another call is waiting.
        """
        while not self._messages:
            if self._ended:
                raise EOFError("the connection is closed")
            if self._waiter is not None:
                raise RuntimeError("another task is already waiting in recv()")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        message = self._messages.popleft()
        if self._paused and len(self._messages) <= self._low:
            self._paused = False
            if not self._ended:
                self.transport.underlying_transport.resume_reading()
        return message
