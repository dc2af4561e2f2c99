# The listeners of the callback API in Cython, for picows and wscore alike. They touch no Python
# object per message that the library does not make. What includes this cimports the library.

import asyncio

from cpython.bytearray cimport PyByteArray_AS_STRING
from cpython.bytes cimport PyBytes_FromStringAndSize

cdef enum:
    HEADROOM = 14  # what a header may need


cdef class Base(WSListener):
    cdef readonly WSTransport transport
    cdef readonly bint paused
    cdef readonly object resumed

    cpdef on_ws_connected(self, WSTransport transport):
        self.transport = transport

    cpdef pause_writing(self):
        self.paused = True
        self.resumed = asyncio.Event()

    cpdef resume_writing(self):
        self.paused = False
        self.resumed.set()

    cpdef on_ws_disconnected(self, WSTransport transport):
        if self.paused:
            self.resume_writing()

    cdef answer_close(self, WSTransport transport, WSFrame frame):
        if frame.msg_type == WSMsgType.CLOSE:
            if not transport.is_close_frame_sent:
                transport.send_close(WSCloseCode.OK)
            transport.disconnect()


cdef class Echo(Base):
    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        if frame.msg_type == WSMsgType.BINARY:
            # The longer header of a client's frame stood in front of the payload.
            transport.send_reuse_external_buffer(
                WSMsgType.BINARY, frame.payload_ptr, frame.payload_size
            )
        else:
            self.answer_close(transport, frame)


cdef class EchoClient(Base):
    cdef readonly size_t count
    cdef bytearray message
    cdef char* payload
    cdef size_t size

    def __init__(self, bytes message):
        self.message = bytearray(HEADROOM) + message
        self.payload = PyByteArray_AS_STRING(self.message) + HEADROOM
        self.size = len(message)

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        self.count += 1
        # Masks the payload where it lies; nobody looks at what is in it.
        transport.send_reuse_external_buffer(WSMsgType.BINARY, self.payload, self.size)


cdef class Sink(Base):
    cdef readonly size_t count

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        if frame.msg_type == WSMsgType.BINARY:
            self.count += 1
        else:
            self.answer_close(transport, frame)


cdef class Begin(Base):
    cdef object begin

    def __init__(self, begin):
        self.begin = begin

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        self.begin(self)


cdef class Broadcaster(Base):
    cdef set transports
    cdef object broadcast

    def __init__(self, set transports, broadcast):
        self.transports = transports
        self.broadcast = broadcast

    cpdef on_ws_connected(self, WSTransport transport):
        self.transports.add(transport)

    cpdef on_ws_disconnected(self, WSTransport transport):
        self.transports.discard(transport)

    cpdef on_ws_frame(self, WSTransport transport, WSFrame frame):
        self.broadcast(PyBytes_FromStringAndSize(frame.payload_ptr, frame.payload_size))


class Listeners:
    Echo = Echo
    EchoClient = EchoClient
    Sink = Sink
    Begin = Begin
    Broadcaster = Broadcaster


def make(library):
    """Return the listeners, like the corresponding function in Python."""
    return Listeners
