"""One message to many connections, encoded once.

The frame that servers send is the same for all of their clients, so its bytes are; a client's
frames are masked, each with a key of its own (RFC 6455, 5.3). A message is compressed once for all
connections with the same settings, without reference to what any of them was sent before.

Between two messages to one connection lie those to all the others, and the system's work for each:
by then what is known of the connection has left the processor's cache. So it is asked for a little
before it is needed, and comes while the system sends to the one before.
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
    void prefetch "wscore_prefetch"(const void* address) noexcept nogil

__all__ = ["broadcast_message", "ws_broadcast"]

cdef enum:
    CACHE_LINE = 64  # bytes, on most processors


def ws_broadcast(transports, WSMsgType msg_type, message, *, when_slow=WSSlowPeer.WAIT,
                 compress=None):
    """Send a message to many connections.

    Connections that are closing or gone are passed over. The message leaves at once, also within a
    callback; it is sent to nobody if an exception is raised.

    Args:
        transports: the `WSTransport` objects; all of the running loop.
        msg_type: TEXT or BINARY.
        message: the payload: any contiguous buffer, or a str (sent as UTF-8).
        when_slow: what to do about a connection that has more waiting to be sent than its
            high-water mark allows: with `WSSlowPeer.WAIT` the message waits, too; with SKIP the
            connection does not get it; with CLOSE it is closed with code 1013.
        compress: whether to compress it where deflate was agreed on, as for
            `WSTransport.send_message`. It is compressed once for all connections with the same
            `WSDeflate` and window, by itself; what is then sent to one of them alone cannot refer
            to anything before it.

    Returns:
        The transports that were skipped or closed for being slow.

    Raises:
        ValueError: if the type is another one.
        TypeError: if the message is of another type, what should be a transport is not one, or
            `when_slow` is not a member of `WSSlowPeer`.
        RuntimeError: if this is not the thread that runs the event loop.
    """
    cdef EncodedMessage encoded
    cdef WSTransport transport
    cdef Py_ssize_t index
    cdef list targets = list(transports)
    cdef list slow = []
    if msg_type != TEXT and msg_type != BINARY:
        raise ValueError("a message is TEXT or BINARY")
    if not isinstance(when_slow, WSSlowPeer):
        raise TypeError(f"when_slow must be a WSSlowPeer, not {when_slow!r}")
    encoded = EncodedMessage.__new__(EncodedMessage, msg_type, message)
    for item in targets:
        if type(item) is not WSTransport:
            raise TypeError(f"a WSTransport is needed, not {item!r}")
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

    It does what `ws_broadcast` does, with its defaults; here, too, it is sent to nobody if an
    exception is raised.

    Args:
        connections: the `WSMessageConnection` objects; all of the running loop.
        msg_type: TEXT or BINARY.
        message: the payload, as for `ws_broadcast`.

    Returns:
        Three lists. Of connections that did not get the message: those that are in the middle of
        sending one in fragments, and those that do not send with a `WSTransport`. And of what has
        a `logged_transport`, a `WSTransport` with which it was sent; that is still to be logged.

    Raises:
        TypeError: if the message is of another type, or what should be a connection is not one.
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
            raise TypeError(f"a connection is needed, not {item!r}")
        connection = <WSMessageConnection>item
        core = connection._core
        if type(core) is not WSTransport:
            core = getattr(core, "logged_transport", None)
            if type(core) is not WSTransport:
                others.append(connection)
                continue
            loggers[core] = connection._core
        transport = <WSTransport>core
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
    """Ask for what the next two need: for the second one itself, which leads to its sink."""
    cdef Py_ssize_t following = len(transports) - index - 1
    if following > 0:
        prefetch_object(<PyObject*>(<WSTransport>PyList_GET_ITEM(transports, index + 1))._sink)
    if following > 1:
        prefetch_object(PyList_GET_ITEM(transports, index + 2))


cdef inline void prefetch_object(PyObject* item) noexcept:
    """Have the first fields of an object brought into the processor's cache; nothing waits."""
    prefetch(item)
    prefetch(<char*>item + CACHE_LINE)


@cython.final
cdef class EncodedMessage:
    """A message as the frames that connections need, each made when it is first needed."""

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
        """Send it, at once, to one that can send."""
        cdef EncodedFrame frame = self.plain
        if transport.deflater is not None and transport.deflater.wants(
            self.message, True, compress
        ):
            frame = self.deflated_for(transport.deflater)
        return frame.send(transport)

    cdef EncodedFrame deflated_for(self, Deflater deflater):
        """The message as a connection gets it that compresses like this."""
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
    """A payload, and the frame that is made of it."""

    cdef WSMsgType _msg_type
    cdef int _rsv
    cdef Py_buffer _payload
    cdef SendBuffer* _frame  # NULL until a server needs it

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
                self._msg_type, True, self._rsv, <const uint8_t*>self._payload.buf,
                self._payload.len,
            )
            return transport.flush()
        if self._frame == NULL:
            self._encode()
        return transport._sink.write_now(self._frame.data, self._frame.end)

    cdef int _encode(self) except -1:
        cdef wsf.wsf_header header
        cdef SendBuffer* frame = new_buffer()
        self._frame = frame
        header.opcode = self._msg_type
        header.fin = True
        header.rsv = self._rsv
        header.masked = False
        header.payload_size = self._payload.len
        frame.end = wsf.wsf_frame_encode(
            reserve(frame, wsf.WSF_MAX_HEADER_SIZE + self._payload.len), &header,
            <const uint8_t*>self._payload.buf,
        )
        return 0


seal_type(EncodedMessage)
seal_type(EncodedFrame)
