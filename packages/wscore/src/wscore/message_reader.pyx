"""Messages instead of frames: assembled, bounded in number, awaited one at a time.

The queue never grows beyond its bound by more than what one read of the socket brought: when it is
full the socket is no longer read, and TCP slows the peer down. The waiting task is resumed at the
end of the read, in the same turn of the event loop (see `wakeup`).
"""

import inspect
from codecs import getincrementaldecoder

cimport cython
from cpython.object cimport PyObject

from .closing cimport WSCloseInfo
from .enums cimport MESSAGE_TOO_BIG

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject* object)

__all__ = ["WSMessageReader"]

_new_decoder = getincrementaldecoder("utf-8")


cdef class Fragment:
    """One frame of a message that came in several."""


@cython.final
cdef class Reception(Step):
    """What `recv` and ``async for`` await: one message."""

    cdef object go_on(self):
        cdef WSMessageReader reader = self.reader
        self.reader = None  # which refers to this
        if not self.is_waiting:
            reader._check_available("recv")
        if reader._queue.size:
            item = reader._pop()
            if isinstance(item, Fragment):
                return self.hand_over(reader._join(<Fragment>item, self.decode))
            return item if self.decode is None else reader._converted(item, self.decode)
        if reader._ended:
            if self.is_iterating and reader.closed_well():
                raise StopAsyncIteration
            raise reader.closed_error()
        self.reader = reader
        self.is_waiting = True
        return self.wait_on(reader._waiter.begin())

    cdef int let_go(self) except -1:
        self.reader = None
        return 0


@cython.final
cdef class Arrival(Step):
    """What awaits until there is something in the queue, or never will be."""

    cdef object go_on(self):
        if self.reader._queue.size:
            return None
        if self.reader._ended:
            raise self.reader.closed_error()
        return self.wait_on(self.reader._waiter.begin())


@cython.final
cdef class Messages:
    """An iteration over messages.

    Not the reader itself: of a class that is derived in Python `__anext__` has to be looked up.
    """

    def __aiter__(self):
        return self

    def __anext__(self):
        return self.reader._reception(None, True)


cdef class WSMessageReader(WSMessageBase):
    """A listener that collects messages for `recv`.

    A CLOSE is answered with the same code, as RFC 6455, 5.5.1 asks for.

    A message is limited to ``max_message_size`` of `ws_connect` and `ws_create_server`, or to
    ``max_frame_size`` if that is None, also when it is inflated. With `stream` the latter holds
    only for what is inflated: other messages then may have any number of frames of that size.

    Args:
        high: how many frames may be queued before the socket is no longer read; None for no limit.
        low: how many queued frames are left when it is read again; a quarter of `high` if None.
        stream: whether frames are queued in pieces as they arrive, so that nothing has to hold a
            whole frame; `recv_streaming` then gives the pieces, of up to 256 KiB before they are
            inflated, and `recv` joins them. The marks then count pieces.

    Raises:
        ValueError: if the marks are not in order.
    """

    #: Frames of a message that `recv` joins; None for any number.
    max_joined = None

    def __init__(self, high=16, low=None, bint stream=False):
        self.takes_pieces = stream
        self._queue = ItemQueue.__new__(ItemQueue)
        self._high = high or 0
        self._low = low if low is not None else self._high // 4
        if self._high and not 0 <= self._low <= self._high:
            raise ValueError(f"high ({high}) must be at least low ({low}), and low at least 0")

    # -- in: messages and fragments

    cdef int begin(self, WSTransport transport, Inflater inflater) except -1:
        self._waiter = Waiter.__new__(Waiter, transport.loop)
        return WSMessageBase.begin(self, transport, inflater)

    cdef int message_received(self, bint is_text, object message) except -1:
        return self._put(message)

    cdef int fragment_received(self, bint is_text, bint fin, bytes data) except -1:
        cdef Fragment fragment = Fragment.__new__(Fragment)
        fragment.is_text = is_text
        fragment.fin = fin
        fragment.data = data
        return self._put(fragment)

    cdef int on_read_end(self) except -1:
        if self._queue.size:
            self._waiter.wake()
        return 0

    cpdef on_ws_disconnected(self, WSTransport transport):
        self.ended()

    cdef int ended(self) except -1:
        self._ended = True
        if self._waiter is not None:
            self._waiter.wake()
        return 0

    cdef int _put(self, object item) except -1:
        cdef bint is_full = 0 < self._high <= self._queue.size + 1
        if is_full and self._discarding:
            return 0
        self._queue.append(item)
        if is_full and not self._paused:
            self._paused = True
            self.transport.pause_reading()
        return 0

    # -- out: messages

    def recv(self, decode=None):
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
        return self._reception(decode, False)

    def __aiter__(self):
        """Iterates over the messages as `recv` gives them.

        The iteration ends if the connection was closed well (`closed_well`).
        """
        cdef Messages messages = Messages.__new__(Messages)
        messages.reader = self
        return messages

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
        self._check_available("recv_streaming")
        while self._queue.size == 0:
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
            while self._queue.size == 0:
                await self._more()
            fragment = <Fragment?>self._pop()
        self._streaming = False

    def discard(self):
        """Nobody will receive much more: read on without pausing.

        What fits into the queue is still kept; further messages are thrown away.
        """
        self._discarding = True
        self._resume()

    async def _join(self, Fragment fragment not None, decode):
        """The rest of a fragmented message, with its first fragment."""
        limit = self.max_joined
        parts = [fragment.data]
        self._streaming = True
        try:
            while not fragment.fin:
                while self._queue.size == 0:
                    await self._more()
                fragment = <Fragment?>self._pop()
                parts.append(fragment.data)
                if limit is not None and len(parts) > limit:
                    parts = []
                    self._queue = ItemQueue.__new__(ItemQueue)
                    self.discard()
                    raise self.fragments_error(limit)
        except BaseException:
            # Cancelled or closed half-way: the next call begins with this message again.
            if parts:
                self._put_back(parts, fragment.is_text)
            raise
        finally:
            self._streaming = False
        return self._converted(b"".join(parts), fragment.is_text if decode is None else decode)

    cdef Reception _reception(self, object decode, bint is_iterating):
        """One call of `recv`; the object of the call before, if nobody has it any more."""
        cdef Reception call = self._reception_before
        if call is None or Py_REFCNT(<PyObject*>call) != 2 or not call.has_ended:
            call = self._reception_before = Reception.__new__(Reception)
            call.name = "recv"
        else:
            call.has_begun = call.has_ended = call.is_waiting = False
            call.inner = None
        call.reader = self
        call.decode = decode
        call.is_iterating = is_iterating
        return call

    cdef Arrival _more(self):
        """What to await until there is something in the queue, or never will be."""
        cdef Arrival arrival = Arrival.__new__(Arrival)
        arrival.reader = self
        return arrival

    cdef int _check_available(self, str name) except -1:
        if self._waiter is None:
            raise RuntimeError("the connection is not open yet")
        if self._streaming or self._waiter.is_busy():
            raise self.concurrency_error(name)
        return 0

    cdef object _pop(self):
        item = self._queue.popleft()
        if self._paused and self._queue.size <= self._low:
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
                self.transport.resume_reading()

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

    cpdef object closed_error(self):
        """The exception for `recv` when there will be no further message."""
        return EOFError("the connection is closed")

    cpdef object concurrency_error(self, str name):
        """The exception for a call when another one has not ended.

        Args:
            name: what was called: ``recv`` or ``recv_streaming``.
        """
        return RuntimeError(
            f"{name}() was called, but another call of recv() or recv_streaming() has not ended"
        )

    def fragments_error(self, limit):
        """The exception for a message of more frames than `max_joined`; it ends the connection.

        Args:
            limit: how many are allowed.
        """
        self.transport.fail(MESSAGE_TOO_BIG, "too many fragments")
        return self.closed_error()

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


# For those who ask: what it returns is a coroutine. Before Python 3.12 this cannot be said.
if hasattr(inspect, "markcoroutinefunction"):
    inspect.markcoroutinefunction(WSMessageReader.recv)
