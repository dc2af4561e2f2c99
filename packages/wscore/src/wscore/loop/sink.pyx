"""The outgoing side of a connection.

A frame is encoded, and masked, directly into the memory it is sent from. During a callback it stays
there (corking, see `loop_io`); otherwise it is sent immediately.
"""

from cpython.bytes cimport PyBytes_FromStringAndSize

from .loop_io cimport append, free_buffer
from .outflow cimport ask_system, has_hung_up, unread_by_us
from .sealed_types cimport seal_type


cdef class Sink(Endpoint):
    """The outgoing side of one connection; subclasses differ mainly in `flush`."""

    def __dealloc__(self):
        if self.pending != NULL:
            free_buffer(self.pending)

    cdef int end(self) except -1:
        """Drop pending bytes: the connection has ended."""
        self.drop_pending()
        return 0

    # -- in: how much is read

    cdef int schedule_reading(self) except -1:
        """Let the protocol parse its remaining input in the next iteration of the loop."""
        return self.io.schedule(self)

    cpdef is_reading(self):
        """Return whether the socket is being read."""
        raise NotImplementedError

    cpdef pause_reading(self):
        """Stop reading the socket; data stays in the system's receive buffer."""
        raise NotImplementedError

    cpdef resume_reading(self):
        """Resume reading the socket, once the data received before is parsed."""
        raise NotImplementedError

    # -- out

    cdef int write_frame(self, const wsf_header *header, const uint8_t *payload,
                         size_t size) except -1:
        """Send a frame; `payload` is masked if the header says so."""
        self.append_frame(header, payload, size)
        return 0 if self.may_hold() else self.flush()

    cdef int write_bytes(self, const uint8_t *data, size_t size) except -1:
        """Send bytes as they are."""
        append(self.open_pending(), data, size)
        return 0 if self.may_hold() else self.flush()

    cdef int write_now(self, const uint8_t *data, size_t size) except -1:
        """Send bytes as they are, immediately even within a callback."""
        self.write_bytes(data, size)
        return self.flush()

    cdef bint is_blocked(self) except -1:
        """Return whether the system has refused bytes (EAGAIN), and not accepted them since."""
        return False

    cdef int measure(self, Outflow *flow) except -1:
        """Measure the progress of the sent data."""
        raise NotImplementedError

    cdef bint has_unread(self) except -1:
        """Return whether there is data from the peer that was not read, or not parsed yet."""
        raise NotImplementedError

    cdef bint peer_has_ended(self) except -1:
        """Return whether the peer has sent EOF or RST, as far as the system knows."""
        raise NotImplementedError


cdef class TransportSink(Sink):
    """A sink that writes to an asyncio transport, such as one for TLS, in one write per flush.

    Reading is paused while the protocol has unparsed input, and while the protocol or its listener
    has paused it.

    Args:
        io: the loop's.
        transport: an asyncio transport.
        protocol: a `WSProtocolCore`.
    """

    def __init__(self, LoopIO io not None, transport, protocol):
        self.io = io
        self._transport = transport
        self._write = transport.write
        self._protocol = protocol
        sock = transport.get_extra_info("socket")
        self._fd = -1 if sock is None else sock.fileno()

    cdef int schedule_reading(self) except -1:
        self._transport.pause_reading()
        return Sink.schedule_reading(self)

    cdef int continue_reading(self) except -1:
        if self._protocol is None or self._is_paused:
            return 0
        self._protocol.parse_received()
        if not (self._protocol.has_unparsed or self._is_paused):
            self._transport.resume_reading()
        return 0

    cpdef is_reading(self):
        return not self._is_paused

    cpdef pause_reading(self):
        self._is_paused = True
        self._transport.pause_reading()

    cpdef resume_reading(self):
        self._is_paused = False
        if self._protocol is None:
            return
        if self._protocol.has_unparsed:
            self.schedule_reading()
        else:
            self._transport.resume_reading()

    cdef int end(self) except -1:
        self._protocol = None
        return Sink.end(self)

    cdef int flush(self) except -1:
        cdef SendBuffer *pending = self.pending
        if pending == NULL:
            return 0
        data = PyBytes_FromStringAndSize(
            <char *>pending.data + pending.begin, pending.end - pending.begin
        )
        self.drop_pending()
        self._write(data)
        if self._protocol is not None and self._transport.is_closing():
            self._protocol.sending_failed()
        return 0

    cdef int measure(self, Outflow *flow) except -1:
        flow.waiting = 0 if self.pending == NULL else self.pending.end - self.pending.begin
        flow.waiting += <size_t>self._transport.get_write_buffer_size()
        flow.late_sends = 0
        ask_system(flow, self._fd)
        return 0

    cdef bint has_unread(self) except -1:
        # A paused transport means unparsed input. Data buffered inside the transport for TLS is not
        # visible from here.
        return not self._transport.is_reading() or unread_by_us(self._fd) > 0

    cdef bint peer_has_ended(self) except -1:
        return self._fd >= 0 and has_hung_up(self._fd)


seal_type(Sink)
seal_type(TransportSink)
