"""One message to many connections, encoded once.

The frame that servers send is the same for all of their clients, so its bytes are; a client's
frames are masked, each with a key of its own (RFC 6455, 5.3).
"""

from libc.stdint cimport uint8_t

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from wsframe cimport cwsframe as wsf

from .closing cimport can_send
from .enums cimport BINARY, TEXT, TRY_AGAIN_LATER, WSMsgType
from .loop_io cimport SendBuffer
from .transport cimport WSTransport

from .enums import WSSlowPeer

__all__ = ["ws_broadcast"]


def ws_broadcast(transports, WSMsgType msg_type, message, *, when_slow=WSSlowPeer.WAIT):
    """Send a message to many connections.

    Connections that are closing or gone are passed over. The message leaves at once, also within a
    callback.

    Args:
        transports: the `WSTransport` objects; all of the running loop.
        msg_type: TEXT or BINARY.
        message: the payload: any contiguous buffer, or a str (sent as UTF-8).
        when_slow: what to do about a connection that has more waiting to be sent than its
            high-water mark allows: with `WSSlowPeer.WAIT` the message waits, too; with SKIP the
            connection does not get it; with CLOSE it is closed with code 1013.

    Returns:
        The transports that were skipped or closed for being slow.

    Raises:
        ValueError: if the type is another one.
        TypeError: if the message is of another type, or what should be a transport is not one.
        RuntimeError: if this is not the thread that runs the event loop.
    """
    cdef Py_buffer view
    cdef SendBuffer frame = SendBuffer.__new__(SendBuffer)
    cdef WSTransport transport
    cdef list slow = []
    if msg_type != TEXT and msg_type != BINARY:
        raise ValueError("a message is TEXT or BINARY")
    if isinstance(message, str):
        message = message.encode()
    PyObject_GetBuffer(message, &view, PyBUF_SIMPLE)
    try:
        for item in transports:
            if not isinstance(item, WSTransport):
                raise TypeError(f"a WSTransport is needed, not {item!r}")
            transport = <WSTransport>item
            transport._check_thread()
            if not can_send(transport.state):
                continue
            if transport.is_writing_paused and when_slow != WSSlowPeer.WAIT:
                slow.append(transport)
                if when_slow == WSSlowPeer.CLOSE:
                    transport.fail(TRY_AGAIN_LATER, "too slow")
                continue
            if transport.is_client_side:
                transport.write_frame(msg_type, True, 0, <const uint8_t*>view.buf, view.len)
            else:
                if frame.end == 0:
                    _encode(frame, msg_type, <const uint8_t*>view.buf, view.len)
                transport.write_encoded(frame.data, frame.end)
            transport.flush()
    finally:
        PyBuffer_Release(&view)
    return slow


cdef int _encode(SendBuffer frame, WSMsgType msg_type, const uint8_t* payload,
                 size_t size) except -1:
    cdef wsf.wsf_header header
    header.opcode = msg_type
    header.fin = True
    header.rsv = 0
    header.masked = False
    header.payload_size = size
    frame.end = wsf.wsf_frame_encode(
        frame.reserve(wsf.WSF_MAX_HEADER_SIZE + size), &header, payload
    )
    return 0
