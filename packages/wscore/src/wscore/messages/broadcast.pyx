"""Broadcasting one message to many connections, encoded once.

A server's frame is the same for all clients, so it is encoded only once; a client's frames are
masked, each with its own key (RFC 6455, 5.3). A message is compressed once for all connections with
the same settings, without context takeover.

Between two messages to one connection the system sends to all others, which evicts the objects of
the connection from the CPU cache. So they are prefetched while the system sends to the previous
one.
"""

cimport cython
from libc.stdint cimport uint8_t

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.list cimport PyList_GET_ITEM
from cpython.object cimport PyObject
from wsframe cimport cwsframe as wsf

from ..connection.state cimport OPEN, can_send
from ..connection.deflate_streams cimport Deflater
from ..enums cimport BINARY, TEXT, TRY_AGAIN_LATER, WSMsgType
from ..loop.loop_io cimport SendBuffer, free_buffer, new_buffer, reserve
from .message_connection cimport WSMessageConnection
from ..loop.sealed_types cimport seal_type
from ..connection.transport cimport WSTransport

from ..enums import WSSlowPeer

cdef extern from *:
    """
    #if defined(__GNUC__) || defined(__clang__)
    #define wscore_prefetch(address) __builtin_prefetch(address)
    #else
    #define wscore_prefetch(address) ((void)(address))
    #endif
    """
    void prefetch "wscore_prefetch"(const void *address) noexcept nogil

__all__ = ["broadcast_message", "ws_broadcast"]

cdef enum:
    CACHE_LINE = 64  # bytes, on most processors


def ws_broadcast(transports, WSMsgType msg_type, message, *, when_slow=WSSlowPeer.WAIT,
                 compress=None):
    """Send a message to many connections.

    Connections that are closing or closed are skipped. The message is sent immediately, even within
    a callback; if an exception is raised it is sent to none.

    Args:
        transports: the `WSTransport` objects; all of the running loop.
        msg_type: TEXT or BINARY.
        message: the payload: any contiguous buffer, or a str (sent as UTF-8).
        when_slow: how to treat a connection whose write buffer is above its high-water mark: with
            `WSSlowPeer.WAIT` the message is buffered as well; with SKIP it is not sent there; with
            CLOSE the connection is closed with code 1013.
        compress: whether to compress it where permessage-deflate was negotiated, as for
            `WSTransport.send_message`. It is compressed once for all connections with the same
            `WSDeflate` and window, without context takeover; the next message to each of them
            cannot refer to earlier ones either.

    Returns:
        The transports that were skipped or closed for being slow.

    Raises:
        ValueError: if `msg_type` is another one.
        TypeError: if the message is of another type, an item is not a `WSTransport`, or
            `when_slow` is not a member of `WSSlowPeer`.
        RuntimeError: if this is not the thread that runs the event loop.
    """
    cdef EncodedMessage encoded
    cdef WSTransport transport
    cdef Py_ssize_t index
    cdef list targets = list(transports)
    cdef list slow = []
    if msg_type != TEXT and msg_type != BINARY:
        raise ValueError("msg_type must be TEXT or BINARY")
    if not isinstance(when_slow, WSSlowPeer):
        raise TypeError(f"when_slow must be a WSSlowPeer, not {when_slow!r}")
    encoded = EncodedMessage.__new__(EncodedMessage, msg_type, message)
    for item in targets:
        if type(item) is not WSTransport:
            raise TypeError(f"transports must be WSTransport objects, not {item!r}")
        (<WSTransport>item)._check_thread()
    for index in range(len(targets)):
        prefetch_next(targets, index)
        transport = <WSTransport>PyList_GET_ITEM(targets, index)
        if not can_send(transport.state):
            continue
        if transport.is_writing_paused and when_slow != WSSlowPeer.WAIT:
            slow.append(transport)
            if when_slow == WSSlowPeer.CLOSE:
                transport.fail(TRY_AGAIN_LATER, "too slow")
            continue
        encoded.send(transport, compress)
    return slow


def broadcast_message(connections, WSMsgType msg_type, message):
    """Send a message to many connections of wscompat.

    Like `ws_broadcast` with its defaults; if an exception is raised the message is sent to none.

    Args:
        connections: the `WSMessageConnection` objects; all of the running loop.
        msg_type: TEXT or BINARY.
        message: the payload, as for `ws_broadcast`.

    Returns:
        Three lists. The message was not sent to the connections in the first, which are in the
        middle of a fragmented message, nor to those in the second, which do not send with a
        `WSTransport`. The third has the objects with a `logged_transport`, a `WSTransport`, on
        which it was sent; the caller must log that.

    Raises:
        TypeError: if the message is of another type, or an item is not a connection.
        RuntimeError: if this is not the thread that runs the event loop.
    """
    cdef EncodedMessage encoded = EncodedMessage.__new__(EncodedMessage, msg_type, message)
    cdef WSMessageConnection connection
    cdef WSTransport transport
    cdef Py_ssize_t index
    cdef list targets = []
    cdef list busy = []
    cdef list others = []
    cdef list logged = []
    cdef dict loggers = {}  # by their transports
    for item in connections:
        if not isinstance(item, WSMessageConnection):
            raise TypeError(f"connections must be WSMessageConnection objects, not {item!r}")
        connection = <WSMessageConnection>item
        sender = connection._transport
        if type(sender) is not WSTransport:
            sender = getattr(sender, "logged_transport", None)
            if type(sender) is not WSTransport:
                others.append(connection)
                continue
            loggers[sender] = connection._transport
        transport = <WSTransport>sender
        transport._check_thread()
        if connection._fragments_sent is None:
            targets.append(transport)
        elif transport.state == OPEN:
            busy.append(connection)
    for index in range(len(targets)):
        prefetch_next(targets, index)
        transport = <WSTransport>PyList_GET_ITEM(targets, index)
        if can_send(transport.state):
            encoded.send(transport, None)
            if loggers and transport in loggers:
                logged.append(loggers[transport])
    return busy, others, logged


cdef inline void prefetch_next(list transports, Py_ssize_t index) noexcept:
    """Prefetch the next transport's sink, and the transport after it, which leads to its sink."""
    cdef Py_ssize_t following = len(transports) - index - 1
    if following > 0:
        prefetch_object(<PyObject *>(<WSTransport>PyList_GET_ITEM(transports, index + 1))._sink)
    if following > 1:
        prefetch_object(PyList_GET_ITEM(transports, index + 2))


cdef inline void prefetch_object(PyObject *item) noexcept:
    """Load the first fields of an object into the CPU cache, without waiting for them."""
    prefetch(item)
    prefetch(<char *>item + CACHE_LINE)


@cython.final
cdef class EncodedMessage:
    """A message and its encoded frames, each created when first needed."""

    cdef EncodedFrame plain
    cdef object message  # any contiguous buffer
    cdef WSMsgType _msg_type
    cdef dict _deflated  # by keys of deflaters

    def __cinit__(self, WSMsgType msg_type, message):
        self._msg_type = msg_type
        self.message = message.encode() if isinstance(message, str) else message
        self._deflated = {}
        self.plain = EncodedFrame.__new__(EncodedFrame, msg_type, 0, self.message)

    cdef int send(self, WSTransport transport, object compress) except -1:
        """Send the message immediately on a transport that can send."""
        cdef EncodedFrame frame = self.plain
        if transport.deflater is not None and transport.deflater.wants(
            self.message, True, compress
        ):
            frame = self.deflated_for(transport.deflater)
        return frame.send(transport)

    cdef EncodedFrame deflated_for(self, Deflater deflater):
        """Return the frame for connections with the same compression settings."""
        key = deflater.key()
        frame = self._deflated.get(key)
        if frame is None:
            payload = deflater.deflate_alone(self.message, True)
            frame = self._deflated[key] = EncodedFrame.__new__(
                EncodedFrame, self._msg_type, wsf.WSF_RSV1, payload
            )
        deflater.forget()
        return frame


@cython.final
cdef class EncodedFrame:
    """A payload, and the frame that it is encoded in."""

    cdef WSMsgType _msg_type
    cdef int _rsv
    cdef Py_buffer _payload
    cdef SendBuffer *_frame  # NULL until a server needs it

    def __cinit__(self, WSMsgType msg_type, int rsv, payload):
        PyObject_GetBuffer(payload, &self._payload, PyBUF_SIMPLE)
        self._msg_type = msg_type
        self._rsv = rsv

    def __dealloc__(self):
        PyBuffer_Release(&self._payload)
        if self._frame != NULL:
            free_buffer(self._frame)

    cdef int send(self, WSTransport transport) except -1:
        if transport.is_client_side:
            transport.write_frame(
                self._msg_type, True, self._rsv, <const uint8_t *>self._payload.buf,
                self._payload.len,
            )
            return transport.flush()
        if self._frame == NULL:
            self._encode()
        return transport._sink.write_now(self._frame.data, self._frame.end)

    cdef int _encode(self) except -1:
        cdef wsf.wsf_header header
        cdef SendBuffer *frame = new_buffer()
        self._frame = frame
        header.opcode = self._msg_type
        header.fin = True
        header.rsv = self._rsv
        header.masked = False
        header.payload_size = self._payload.len
        frame.end = wsf.wsf_frame_encode(
            reserve(frame, wsf.WSF_MAX_HEADER_SIZE + self._payload.len), &header,
            <const uint8_t *>self._payload.buf,
        )
        return 0


seal_type(EncodedMessage)
seal_type(EncodedFrame)
