"""Messages instead of frames: assembled, bounded in number, awaited one at a time.

The queue never grows beyond its bound by more than what one read of the socket brought: when it is
full the socket is no longer read, and TCP slows the peer down. The waiting task is resumed at the
end of the read, in the same turn of the event loop (see `wakeup`).
"""

from codecs import getincrementaldecoder
from collections import deque

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_DecodeUTF8

from .closing cimport WSCloseInfo
from .enums cimport BINARY, CLOSE, CONTINUATION, PONG, TEXT

__all__ = ["WSMessageReader"]

_new_decoder = getincrementaldecoder("utf-8")


cdef class Fragment:
    """One frame of a message that came in several."""


cdef class WSMessageReader(WSListener):
    """A listener that collects messages for `recv`.

    A CLOSE is answered with the same code, as RFC 6455, 5.5.1 asks for. How large a message may be
    is up to ``max_message_size`` of `ws_connect` and `ws_create_server`.

    Args:
        high: how many frames may be queued before the socket is no longer read; None for no limit.
        low: how many queued frames are left when it is read again; a quarter of `high` if None.

    Attributes:
        transport: the connection's transport; None before it is open.
    """

    def __init__(self, high=16, low=None):
        self._queue = deque()
        self._high = high or 0
        self._low = low if low is not None else self._high // 4

    # -- in: frames

    cpdef on_ws_connected(self, WSTransport transport):
        self.transport = transport
        self._loop = transport.loop

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        self.frame_received(transport, frame)

    cdef int frame_received(self, WSTransport transport, WSFrame frame) except -1:
        if frame.msg_type == TEXT and frame.fin:
            self._put(PyUnicode_DecodeUTF8(frame.payload_ptr, frame.payload_size, NULL))
        elif frame.msg_type == BINARY and frame.fin:
            self._put(PyBytes_FromStringAndSize(frame.payload_ptr, frame.payload_size))
        elif frame.msg_type <= BINARY:
            self._put_fragment(frame)
        elif frame.msg_type == PONG:
            self.on_pong(frame.get_payload_as_bytes())
        elif frame.msg_type == CLOSE:
            self._close_received(transport, frame)
        return 0

    cdef int on_read_end(self) except -1:
        if self._waiter is not None and self._queue:
            self._waiter.wake()
        return 0

    cpdef on_ws_disconnected(self, WSTransport transport):
        self._ended = True
        if self._waiter is not None:
            self._waiter.wake()

    cdef int _put(self, object item) except -1:
        cdef bint is_full = 0 < self._high <= len(self._queue) + 1
        if is_full and self._discarding:
            return 0
        self._queue.append(item)
        if is_full and not self._paused:
            self._paused = True
            self.transport.underlying_transport.pause_reading()
        return 0

    cdef int _put_fragment(self, WSFrame frame) except -1:
        cdef Fragment fragment = Fragment.__new__(Fragment)
        if frame.msg_type != CONTINUATION:
            self._is_text = frame.msg_type == TEXT
        fragment.is_text = self._is_text
        fragment.fin = frame.fin
        fragment.data = PyBytes_FromStringAndSize(frame.payload_ptr, frame.payload_size)
        return self._put(fragment)

    cdef int _close_received(self, WSTransport transport, WSFrame frame) except -1:
        transport.send_close(frame.get_close_code(), frame.get_close_message())
        if not transport.is_client_side:  # the server closes the TCP connection (7.1.1)
            transport.disconnect()
        self.on_close()
        return 0

    # -- out: messages

    async def recv(self, decode=None):
        """The next message.

        Messages that came before the connection ended are still returned after it. Cancelling
        loses no message.

        Args:
            decode: None gives a text as str and a binary message as bytes; True gives both as str,
                False gives both as bytes.

        Raises:
            EOFError: if the connection is gone and there is no further message;
                `WSTransport.close_handshake` says how it ended. A subclass may choose another
                exception (`closed_error`).
            RuntimeError: if another call is waiting. A subclass may choose another exception
                (`concurrency_error`).
            UnicodeDecodeError: if a binary message that is to be decoded is not UTF-8. A subclass
                may choose another exception (`decode_error`).
        """
        self._check_available()
        while not self._queue:
            await self._more()
        item = self._pop()
        if isinstance(item, Fragment):
            return await self._join(<Fragment>item, decode)
        return item if decode is None else self._converted(item, decode)

    def __aiter__(self):
        """Iterates over the messages until the connection is closed."""
        return self

    async def __anext__(self):
        """As `recv`, but ends the iteration if the connection was closed well (`closed_well`)."""
        self._check_available()
        while not self._queue:
            if self._ended and self.closed_well():
                raise StopAsyncIteration
            await self._more()
        item = self._pop()
        return await self._join(<Fragment>item, None) if isinstance(item, Fragment) else item

    async def recv_streaming(self, decode=None):
        """The next message, by fragments, as they arrive.

        It must be read to its end before the next message can be received.

        Args:
            decode: as for `recv`.

        Raises:
            EOFError: as for `recv`.
            RuntimeError: as for `recv`; also if an earlier message was not read to its end.
            UnicodeDecodeError: as for `recv`.
        """
        cdef Fragment fragment
        self._check_available()
        while not self._queue:
            await self._more()
        item = self._pop()
        if not isinstance(item, Fragment):
            yield item if decode is None else self._converted(item, decode)
            return
        fragment = <Fragment>item
        self._streaming = True
        decoder = None
        if fragment.is_text if decode is None else decode:
            decoder = _new_decoder()
        while True:
            try:
                data = fragment.data
                if decoder is not None:
                    data = decoder.decode(data, fragment.fin)
            except UnicodeDecodeError as exc:
                raise self.decode_error(exc)
            yield data
            if fragment.fin:
                break
            while not self._queue:
                await self._more()
            fragment = <Fragment>self._pop()
        self._streaming = False

    def discard(self):
        """Nobody will receive much more: read on without pausing.

        What fits into the queue is still kept; further messages are thrown away.
        """
        self._discarding = True
        self._resume()

    async def _join(self, Fragment fragment not None, decode):
        """The rest of a fragmented message, with its first fragment."""
        parts = [fragment.data]
        self._streaming = True
        try:
            while not fragment.fin:
                while not self._queue:
                    await self._more()
                fragment = <Fragment>self._pop()
                parts.append(fragment.data)
        except BaseException:
            # Cancelled or closed half-way: the next call begins with this message again.
            self._put_back(parts, fragment.is_text)
            raise
        finally:
            self._streaming = False
        return self._converted(b"".join(parts), fragment.is_text if decode is None else decode)

    cdef Waiter _more(self):
        """What to await until there is something in the queue, or never will be."""
        if self._ended:
            raise self.closed_error()
        self._waiter = Waiter.__new__(Waiter, self._loop)
        return self._waiter

    cdef int _check_available(self) except -1:
        if self._streaming or (self._waiter is not None and not self._waiter._done):
            raise self.concurrency_error()
        return 0

    cdef object _pop(self):
        item = self._queue.popleft()
        if self._paused and len(self._queue) <= self._low:
            self._resume()
        return item

    def _put_back(self, list parts, bint is_text):
        """Leave the fragments that were taken so far as one, at the front of the queue."""
        cdef Fragment fragment = Fragment.__new__(Fragment)
        fragment.data = b"".join(parts)
        fragment.is_text = is_text
        self._queue.appendleft(fragment)

    def _resume(self):
        if self._paused:
            self._paused = False
            if not self._ended:
                self.transport.underlying_transport.resume_reading()

    cdef object _converted(self, object message, bint decode):
        """A whole message as str if `decode`, else as bytes."""
        if isinstance(message, str):
            return message if decode else message.encode()
        if not decode:
            return message
        try:
            return message.decode()
        except UnicodeDecodeError as exc:
            raise self.decode_error(exc)

    # -- what a subclass may change

    cpdef on_pong(self, bytes payload):
        """A PONG was received.

        Args:
            payload: what it carries.
        """

    cpdef on_close(self):
        """A CLOSE was received, and answered."""

    cpdef object closed_error(self):
        """The exception for `recv` when there will be no further message."""
        return EOFError("the connection is closed")

    cpdef object concurrency_error(self):
        """The exception for `recv` when another call has not ended."""
        return RuntimeError("another call of recv() or recv_streaming() has not ended")

    cpdef object decode_error(self, object exc):
        """The exception for a message that is not UTF-8.

        Args:
            exc: the `UnicodeDecodeError`.
        """
        return exc

    cpdef bint closed_well(self) except -1:
        """Whether a closed connection ends an iteration, rather than raising from it.

        It does if no CLOSE that went either way had another code than 1000, 1001 or none, and at
        least one did.
        """
        if self.transport is None or self.transport.close_handshake is None:
            return False
        closing = self.transport.close_handshake
        return _is_well(closing.recv) and _is_well(closing.sent)


cdef bint _is_well(WSCloseInfo info) except -1:
    return info is None or info.code in (0, 1000, 1001)
