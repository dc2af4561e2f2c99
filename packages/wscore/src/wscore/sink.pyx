"""Where frames go on their way out.

A frame is encoded, and masked, straight into the memory it is sent from. While a callback runs it
stays there (see `loop_io`); otherwise it leaves at once.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize

from wsframe cimport cwsframe as wsf

cdef enum:
    ENOUGH = 64 * 1024  # bytes held back are sent before the callback ends


cdef class Sink(Corked):
    """The way out of one connection; `flush` is what the kinds of sink differ in."""

    cdef int write_frame(self, const wsf_header* header, const uint8_t* payload,
                         size_t size) except -1:
        """Send a frame: `payload` is masked on the way if the header says so."""
        cdef SendBuffer pending = self.open_pending()
        pending.end += wsf.wsf_frame_encode(
            pending.reserve(wsf.WSF_MAX_HEADER_SIZE + size), header, payload
        )
        return self._written()

    cdef int write_bytes(self, const uint8_t* data, size_t size) except -1:
        """Send bytes as they are."""
        self.open_pending().append(data, size)
        return self._written()

    cdef int flush(self) except -1:
        """Hand on what is pending. It never raises for what happens to the connection."""
        raise NotImplementedError

    cdef int uncork(self) except -1:
        return self.flush()

    cdef SendBuffer open_pending(self):
        if self.pending is None:
            self.pending = self.io.take_buffer()
        return self.pending

    cdef int drop_pending(self) except -1:
        if self.pending is not None:
            self.io.give_back(self.pending)
            self.pending = None
        return 0

    cdef int _written(self) except -1:
        if self.io.depth == 0 or self.pending.end - self.pending.begin > ENOUGH:
            return self.flush()
        if not self.is_listed and not self.io.hold(self):
            return self.flush()
        return 0


cdef class TransportSink(Sink):
    """Into an asyncio transport, such as one for TLS: what is pending becomes one write."""

    def __init__(self, LoopIO io not None, transport):
        self.io = io
        self._write = transport.write

    cdef int flush(self) except -1:
        cdef SendBuffer pending = self.pending
        if pending is None:
            return 0
        data = PyBytes_FromStringAndSize(
            <char*>pending.data + pending.begin, pending.end - pending.begin
        )
        self.drop_pending()
        self._write(data)
        return 0
