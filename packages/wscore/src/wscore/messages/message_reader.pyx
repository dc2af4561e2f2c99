"""Receiving messages by awaiting: assembled from frames, in a queue bounded in number and bytes.

The queue must not exceed its bounds by more than one read of the socket, or one compressed message:
when it is full the socket is no longer read, and TCP's flow control slows the peer down. The
waiting task is resumed at the end of the read, in the same iteration of the event loop (see
`waiter`).
"""

import asyncio
from codecs import getincrementaldecoder

cimport cython
from cpython.bytes cimport PyBytes_GET_SIZE
from cpython.object cimport PyObject

from ..connection.state cimport WSCloseInfo
from ..enums cimport MESSAGE_TOO_BIG
from ..loop.branch_hints cimport unlikely
from ..loop.loop_io cimport this_thread
from ..loop.sealed_types cimport seal_type
from .awaitable cimport is_unshared, keep, take
from ..connection.transport cimport refuse_thread

from ..loop.water_marks import check_marks
from .coroutine_functions import mark_as_coroutine_function

cdef extern from "Python.h":
    Py_ssize_t PY_SSIZE_T_MAX
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    int PyUnicode_KIND(object text)
    void Py_XDECREF(PyObject *object)

__all__ = ["WSMessageReader"]

cdef enum:
    HIGH = 16  # queued frames, by default
    LOOKS = 8  # checks whether an item was taken, before further messages are dropped
    AS_IT_IS = -1  # return text as str and binary as bytes; otherwise whether to decode

cdef object current_task = asyncio.current_task
cdef object sleep = asyncio.sleep

_new_decoder = getincrementaldecoder("utf-8")


@cython.final
cdef class RecvCall(Step):
    """The awaitable for one message, of `recv` and ``async for``."""

    cdef object go_on(self):
        cdef WSMessageReader reader = self.reader
        self.reader = None  # it may keep this object for reuse: break the reference cycle
        if not self.is_waiting:
            reader._check_available("recv")
        if reader._queue.size:
            if unlikely(reader._takes_too_many()):
                self.reader = reader
                return self.wait_on(None)  # a bare yield: the next iteration of the loop resumes it
            item = reader._pop()
            if unlikely(type(item) is Fragment):
                return self.hand_over(reader._join(<Fragment>item, self))
            reader._keep(self)
            return item if self.decode == AS_IT_IS else reader._converted(item, self.decode)
        if reader._ended:
            return reader._end(self.is_iterating)
        self.reader = reader
        self.is_waiting = True
        return self.wait_on(reader._wait(self))

    cdef int let_go(self) except -1:
        cdef WSMessageReader reader = self.reader
        self.reader = None
        return 0 if reader is None else reader._stop_waiting(self)


@cython.final
cdef class Joining(Step):
    """The awaitable that joins a fragmented message for a `RecvCall`."""

    cdef object go_on(self):
        cdef WSMessageReader reader = self.reader
        limit = reader.max_joined
        while True:
            if self.fragment is not None:
                self.parts.append(self.fragment.data)
                if limit is not None and len(self.parts) > limit:
                    return self.refuse(limit)
                if self.fragment.fin:
                    return self.finish()
                self.fragment = None
            if reader._queue.size == 0:
                break
            self.fragment = <Fragment?>reader._pop()
        if not reader._ended:
            return self.wait_on(reader._wait(self))
        self.let_go()  # puts the incomplete message back, which no later call returns either
        return reader._end(self.is_iterating)

    cdef object finish(self):
        cdef WSMessageReader reader = self.reader
        self.reader = None
        reader._streaming = False
        message = b"".join(self.parts)
        return reader._converted(message, self.is_text if self.decode == AS_IT_IS else self.decode)

    cdef object refuse(self, limit):
        cdef WSMessageReader reader = self.reader
        self.reader = None
        reader._streaming = False
        reader._queue = ItemQueue.__new__(ItemQueue)
        reader._give_up()
        raise reader.fragments_error(limit)

    cdef int let_go(self) except -1:
        """Put the fragments back into the queue: the next call begins with this message again."""
        cdef WSMessageReader reader = self.reader
        self.reader = None
        if reader is not None:
            reader._stop_waiting(self)
            reader._put_back(self.parts, self.is_text)
        return 0


@cython.final
cdef class ItemWait(Step):
    """The awaitable that ends when there is an item in the queue, and raises if none will come."""

    cdef object go_on(self):
        cdef WSMessageReader reader = self.reader
        if reader._queue.size:
            return None
        if reader._ended:
            raise reader.closed_error()
        return self.wait_on(reader._wait(self))

    cdef int let_go(self) except -1:
        if self.reader is not None:
            self.reader._stop_waiting(self)
        return 0


@cython.final
cdef class MessageIterator:
    """An iterator over messages.

    A separate type and not the reader: in a Python subclass of that `__anext__` would be looked up
    for each message.
    """

    def __init__(self):
        raise TypeError("cannot create 'MessageIterator' objects: iterate over a reader")

    def __aiter__(self):
        return self

    def __anext__(self):
        return self.reader._recv_call(AS_IT_IS, True)


@cython.final
cdef class Patience:
    """A time limit for receivers to make room in a full queue, while a connection is being closed.

    It consists of several short timers instead of one: if the loop was blocked, a single expired
    timer would not mean that the receiver had time to receive.
    """

    cdef int start(self) except -1:
        """Start the time limit: the queue is full, and reading has paused."""
        if self.timer is None and not self.reader._ended:
            self.left = LOOKS
            self.look_later()
        return 0

    cdef int stop(self) except -1:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
        return 0

    cdef int look_later(self) except -1:
        self.reader._was_taken = False
        self.reader._set_marks()
        self.timer = self.reader.transport.loop.call_later(self.seconds / LOOKS, self._look)
        return 0

    def _look(self):
        self.timer = None
        if not self.reader._paused:
            return
        self.left = LOOKS if self.reader._was_taken else self.left - 1
        if self.left:
            self.look_later()
        else:
            self.reader._give_up()


cdef class WSMessageReader(WSMessageBase):
    """A listener that queues messages for `recv`.

    A CLOSE is answered with the same code (RFC 6455, 5.5.1).

    A message is limited to ``max_message_size`` of `ws_connect` and `ws_create_server`, or to
    ``max_frame_size`` if that is None, even after decompression. With `stream` the latter applies
    only to decompressed data: uncompressed messages may have any number of frames of that size.

    Reading the socket pauses while `high` frames, or 1 MiB in memory as str and bytes, are queued,
    and resumes when no more than `low` frames and 256 KiB are left. So the queue of a connection
    without a receiver is limited to 1 MiB, plus the data that arrives before reading pauses: one
    message of any allowed size, and the rest of one read after it, or one more compressed message.

    Args:
        high: how many frames may be queued before reading pauses; None for no limit, nor one of
            bytes.
        low: how many queued frames are left when reading resumes; a quarter of `high` if None.
        stream: whether frames are queued in pieces as they arrive, so that a whole frame need not
            be held in memory; `recv_streaming` then yields the pieces, of up to 256 KiB before
            decompression, and `recv` joins them. The marks then count pieces.

    Raises:
        ValueError: if `low` is greater than `high`, or negative.
    """

    #: Maximum frames of a message that `recv` joins; None for any number.
    max_joined = None

    def __cinit__(self):
        self._queue = ItemQueue.__new__(ItemQueue)
        self._high = HIGH
        self._low = HIGH // 4
        self._high_bytes = HIGH_BYTES
        self._set_marks()

    def __init__(self, high=HIGH, low=None, bint stream=False):
        cdef Py_ssize_t most = high or 0
        self.takes_pieces = stream
        self._low = low if low is not None else most // 4
        if most:
            check_marks(most, self._low)
        self._high = most or PY_SSIZE_T_MAX
        self._high_bytes = HIGH_BYTES if most else PY_SSIZE_T_MAX
        self._set_marks()

    def __dealloc__(self):
        Py_XDECREF(self._spare)

    # -- in: messages and fragments

    cdef int begin(self, WSTransport transport, Inflater inflater) except -1:
        self._waiter = Waiter.__new__(Waiter, transport.loop)
        return WSMessageBase.begin(self, transport, inflater)

    cdef int message_received(self, bint is_text, object message) except -1:
        if is_text:
            return self._put(message, PyUnicode_GET_LENGTH(message) * PyUnicode_KIND(message))
        return self._put(message, PyBytes_GET_SIZE(message))

    cdef int fragment_received(self, bint is_text, bint fin, bytes data) except -1:
        cdef Fragment fragment = Fragment.__new__(Fragment)
        fragment.is_text = is_text
        fragment.fin = fin
        fragment.data = data
        return self._put(fragment, PyBytes_GET_SIZE(data))

    cdef int on_read_end(self) except -1:
        if self._queue.size:
            self._waiter.wake()
        return 0

    cpdef on_ws_disconnected(self, WSTransport transport):
        self.ended()

    cdef int ended(self) except -1:
        self._ended = True
        if self._patience is not None:
            self._patience.stop()
            self._patience = None  # it refers to this reader: break the reference cycle
        if self._waiter is not None:
            self._waiter.wake()
        return 0

    cdef inline int _put(self, object item, Py_ssize_t size) except -1:
        if unlikely(self._shut):
            return 0
        self._queue.put(item, size)
        if unlikely(
            (self._queue.size >= self._full_at) | (self._queue.held() >= self._high_bytes)
        ):
            return self._pause()
        return 0

    cdef int _pause(self) except -1:
        """Pause reading: the queue is full."""
        cdef bint was_full = self._paused_by_bytes
        if self._queue.held() >= self._high_bytes:
            self._paused_by_bytes = True
            self._set_marks()
        if self._paused:
            # After a connection is lost all its input is parsed at once, regardless of pauses. A
            # compressed rest of 256 KiB can inflate to a thousand times as much, so the excess is
            # dropped, as the system drops unread data when a peer resets.
            if was_full and self.transport.is_disconnected:
                self._shut = True
            return 0
        if self._patience is not None and self._patience.seconds <= 0:
            return self._give_up()
        self._paused = True
        self._was_taken = False
        self._set_marks()
        self.transport.pause_reading()
        if self._patience is not None:
            self._patience.start()
        return 0

    cdef int _set_marks(self) noexcept:
        """Set the marks at which `_put` calls `_pause`, and `_pop` calls `_make_room`.

        They are called only when needed. While reading is paused by the number of frames, another
        frame matters only for its bytes. Taking a frame then matters the first time, and from the
        low mark down.
        """
        self._full_at = PY_SSIZE_T_MAX if self._paused and not self._paused_by_bytes else self._high
        if not self._paused:
            self._heed_at = -1
        else:
            self._heed_at = self._low + 1 if self._was_taken else PY_SSIZE_T_MAX
        return 0

    cdef int _give_up(self) except -1:
        """Drop all further messages, and resume reading.

        Only messages at the end may be lost, never one before a message that is received.
        """
        self._shut = True
        return self._resume()

    # -- out: messages

    def recv(self, decode=None):
        """Receive the next message.

        A queued message is returned without waiting; but after 64 of them the loop iterates once,
        so that a long queue does not delay everything else. Messages received before the connection
        ended are still returned after that. Cancelling a call loses no message.

        Args:
            decode: None returns a text message as str and a binary one as bytes; True returns both
                as str, False returns both as bytes.

        Raises:
            EOFError: if the connection has ended and there are no more messages; see
                `WSTransport.close_handshake` for the reason. A subclass may choose another
                exception (`closed_error`).
            RuntimeError: if another call is waiting; a subclass may choose another exception
                (`concurrency_error`). Also if this is not the thread that runs the event loop.
            UnicodeDecodeError: if a binary message to decode is not UTF-8. A subclass may choose
                another exception (`decode_error`).
        """
        return self._recv_call(AS_IT_IS if decode is None else bool(decode), False)

    def __aiter__(self):
        """Iterate over the messages that `recv` returns, even if that is overridden.

        The iteration ends if the connection was closed normally (`closed_well`).
        """
        cdef MessageIterator iterator
        if getattr(self.recv, "__func__", None) is not _recv:
            return self._each()
        iterator = MessageIterator.__new__(MessageIterator)
        iterator.reader = self
        return iterator

    async def _each(self):
        """Iterate over the messages of a `recv` that a subclass or a mock has overridden."""
        while True:
            try:
                message = await self.recv()
            except Exception as exc:
                if self.ends_iteration(exc):
                    return
                raise
            yield message

    async def recv_streaming(self, decode=None):
        """Receive the next message by fragments, as they arrive.

        It must be read to its end before the next message can be received.

        Args:
            decode: as for `recv`.

        Raises:
            EOFError: as for `recv`.
            RuntimeError: as for `recv`; also if an earlier message was not read to its end.
            UnicodeDecodeError: as for `recv`.
        """
        cdef Fragment fragment
        if self._takes_too_many():
            await sleep(0)
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
            if self._takes_too_many():
                await sleep(0)
            while self._queue.size == 0:
                await self._more()
            fragment = <Fragment?>self._pop()
        self._streaming = False

    def discard(self, double patience=0):
        """Keep a full queue from blocking the peer's CLOSE, while a connection is being closed.

        As long as messages are received, none is lost: reading pauses while the queue is full. If
        the queue stays full for `patience`, all further messages are dropped, so that only whole
        messages at the end are lost. Queued messages can still be received.

        Args:
            patience: seconds within which a message must be received. It is 0 if the task that
                received last calls this, since it cannot receive meanwhile.
        """
        if self._ended or self._waiter is None:
            return
        self.transport._check_thread()
        task = current_task(self.transport.loop)
        if task is not None and self._taker == <PyObject *>task and not self._waiter.is_busy():
            patience = 0
        if self._patience is None:
            self._patience = Patience.__new__(Patience)
            self._patience.reader = self
            self._patience.seconds = patience
        elif patience < self._patience.seconds:
            self._patience.stop()
            self._patience.seconds = patience
        if not self._paused:
            return
        if self._patience.seconds <= 0:
            self._give_up()
        else:
            self._patience.start()

    cdef inline RecvCall _recv_call(self, int decode, bint is_iterating):
        """Return the awaitable of a call of `recv`: that of an earlier call if it is unused."""
        cdef RecvCall call
        if is_unshared(self._spare):
            call = <RecvCall>take(&self._spare)
            call.has_begun = call.has_ended = call.is_waiting = False
        else:
            call = RecvCall.__new__(RecvCall)
            call.begin("recv")
        call.reader = self
        call.decode = decode
        call.is_iterating = is_iterating
        return call

    cdef inline int _keep(self, RecvCall call) except -1:
        """Keep the awaitable of an ended call for reuse."""
        if call.origin is None:
            keep(&self._spare, call)
        return 0

    cdef Joining _join(self, Fragment first, RecvCall call):
        """Return the awaitable for the rest of a fragmented message."""
        cdef Joining joining = Joining.__new__(Joining)
        joining.has_begun = joining.has_ended = False
        joining.reader = self
        joining.fragment = first
        joining.parts = []
        joining.is_text = first.is_text
        joining.decode = call.decode
        joining.is_iterating = call.is_iterating
        self._streaming = True
        return joining

    cdef object _end(self, bint is_iterating):
        """End a call: there are no more messages."""
        if is_iterating and self.closed_well():
            raise StopAsyncIteration
        raise self.closed_error()

    cdef object _wait(self, Step step):
        """Return the future that a call must wait on."""
        self._taken = 0
        self._waiting = <PyObject *>step
        return self._waiter.begin()

    cdef int _stop_waiting(self, Step step) except -1:
        """End the wait of a call that was closed or thrown into, if it was waiting."""
        if self._waiting == <PyObject *>step:
            self._waiter.give_up()
        return 0

    cdef ItemWait _more(self):
        """Return the awaitable that ends when there is an item in the queue."""
        cdef ItemWait wait = ItemWait.__new__(ItemWait)
        wait.has_begun = wait.has_ended = False
        wait.reader = self
        return wait

    cdef inline int _check_available(self, str name) except -1:
        if unlikely(
            self._waiter is None or this_thread() != self._waiter._io.thread
            or self._streaming | self._waiter.is_waiting
        ):
            return self._refuse(name)
        return 0

    cdef int _refuse(self, str name) except -1:
        """Raise the reason against another call; there is none if the waiting one was cancelled."""
        self._check_open()
        if this_thread() != self._waiter._io.thread:
            refuse_thread(self._waiter._io)
        if self._streaming or self._waiter.is_busy():
            raise self.concurrency_error(name)
        return 0

    cdef inline object _pop(self):
        if unlikely(self._queue.size <= self._heed_at):
            return self._make_room()
        return self._queue.take()

    cdef object _make_room(self):
        """Take an item while reading is paused: remember the task, and resume if there is room."""
        item = self._queue.take()
        if not self._was_taken:
            self._was_taken = True
            task = current_task(self.transport.loop)
            self._taker = <PyObject *>task
            self._set_marks()
        if self._has_room():
            self._resume()
        return item

    cdef int _put_back(self, list parts, bint is_text) except -1:
        """Put the fragments taken so far back, as one, at the front of the queue."""
        cdef Fragment fragment = Fragment.__new__(Fragment)
        fragment.data = b"".join(parts)
        fragment.is_text = is_text
        self._queue.put_first(fragment, PyBytes_GET_SIZE(fragment.data))
        self._streaming = False
        return 0

    cdef bint _has_room(self) noexcept:
        """Return whether the queue is down to its low mark, and to that of bytes if they paused."""
        if self._paused_by_bytes and self._queue.held() > LOW_BYTES:
            return False
        return self._queue.size <= self._low

    cdef int _resume(self) except -1:
        if self._paused:
            self._paused = self._paused_by_bytes = False
            self._set_marks()
            if not self._ended:
                self.transport.resume_reading()
        return 0

    cdef object _converted(self, object message, bint decode):
        """Return a whole message as str if `decode`, else as bytes."""
        if isinstance(message, str):
            return message if decode else message.encode()
        if not decode:
            return message
        try:
            return message.decode()
        except UnicodeDecodeError as exc:
            raise self.decode_error(exc)

    # -- subclasses may override

    cpdef object closed_error(self):
        """Return the exception for `recv` when there are no more messages."""
        return EOFError("the connection is closed")

    cpdef object concurrency_error(self, str name):
        """Return the exception for a call while another one has not ended.

        Args:
            name: of the called method: ``recv`` or ``recv_streaming``.
        """
        return RuntimeError(
            f"{name}() was called, but another call of recv() or recv_streaming() has not ended, "
            "or has left its message unfinished"
        )

    def fragments_error(self, limit):
        """Close the connection, and return the exception for more frames than `max_joined`.

        Args:
            limit: how many are allowed.
        """
        self._check_open()
        self.transport.fail(MESSAGE_TOO_BIG, "too many fragments")
        return self.closed_error()

    cpdef object decode_error(self, object exc):
        """Return the exception for a message that is not UTF-8.

        Args:
            exc: the `UnicodeDecodeError`.
        """
        return exc

    cpdef bint closed_well(self) except -1:
        """Return whether a closed connection ends an iteration normally, without an exception.

        It does if a CLOSE was sent or received, and each had the code 1000, 1001 or none.
        """
        if self.transport is None or self.transport.close_handshake is None:
            return False
        closing = self.transport.close_handshake
        return _is_well(closing.recv) and _is_well(closing.sent)

    cpdef bint ends_iteration(self, object exc) except -1:
        """Return whether an exception of an overridden `recv` ends an iteration normally.

        Args:
            exc: the exception.
        """
        return isinstance(exc, EOFError) and self.closed_well()


cdef bint _is_well(WSCloseInfo info) except -1:
    return info is None or info.code in (0, 1000, 1001)


cdef object _recv = WSMessageReader.recv
mark_as_coroutine_function(_recv)


seal_type(RecvCall)
seal_type(Joining)
seal_type(ItemWait)
seal_type(MessageIterator)
seal_type(Patience)
