"""Where frames go on their way out.

A frame is encoded, and masked, straight into the memory it is sent from. While a callback runs it
stays there (see `loop_io`); otherwise it leaves at once.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize

from .loop_io cimport append, free_buffer


cdef class Sink(Endpoint):
    """The way out of one connection; `flush` is what the kinds of sink differ in."""

    def __dealloc__(self):
        if self.pending != NULL:
            free_buffer(self.pending)

    cdef int write_frame(self, const wsf_header* header, const uint8_t* payload,
                         size_t size) except -1:
        """Send a frame: `payload` is masked on the way if the header says so."""
        self.append_frame(header, payload, size)
        return 0 if self.may_hold() else self.flush()

    cdef int write_bytes(self, const uint8_t* data, size_t size) except -1:
        """Send bytes as they are."""
        append(self.open_pending(), data, size)
        return 0 if self.may_hold() else self.flush()

    cdef int write_now(self, const uint8_t* data, size_t size) except -1:
        """Send bytes as they are, also within a callback."""
        self.write_bytes(data, size)
        return self.flush()


cdef class TransportSink(Sink):
    """Into an asyncio transport, such as one for TLS: what is pending becomes one write."""

    def __init__(self, LoopIO io not None, transport):
        self.io = io
        self._write = transport.write

    cdef int flush(self) except -1:
        cdef SendBuffer* pending = self.pending
        if pending == NULL:
            return 0
        data = PyBytes_FromStringAndSize(
            <char*>pending.data + pending.begin, pending.end - pending.begin
        )
        self.drop_pending()
        self._write(data)
        return 0
