"""An asyncio transport for a connected stream socket, without the layers of a loop's own.

It is told by the loop's watcher when there is something to read, receives into the protocol's
buffer, and sends from the sink's. A loop without `add_reader` cannot use it; there the loop's
transports serve.
"""

import asyncio
import os
import socket as socket_module
import warnings

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.errno cimport EAGAIN, EINTR, errno
from libc.stdint cimport uint8_t

from wsframe cimport cwsframe as wsf

from .loop_io cimport SendBuffer
from .protocol cimport WSProtocolCore
from .socket_address cimport address_of_peer, address_of_socket, to_python
from .receive_buffer cimport ReceiveBuffer
from .syscalls cimport (
    MSG_NOSIGNAL,
    NOTHING,
    SHUT_WR,
    becomes_readable,
    close,
    iovec,
    make_quiet,
    now,
    pending_error,
    receive_into,
    send,
    send_parts,
    shutdown,
)
from .watcher cimport unwatch, watcher_of

__all__ = ["SocketTransport"]

cdef enum:
    OFTEN = 8  # times alone, one after the other: from then on the loop itself watches
    HIGH_WATER = 64 * 1024  # bytes; asyncio's own default
    LARGE = 16 * 1024  # bytes of payload that are sent from where they are


cdef class SocketTransport(Sink):
    """The transport below a `WSTransport` on plain TCP or a unix socket.

    It has the methods of `asyncio.Transport`.

    Args:
        loop: the running loop.
        sock: a connected, non-blocking socket, or its descriptor; it belongs to the transport from
            now on.
        protocol: who gets what is received.
    """

    def __init__(self, loop, sock, WSProtocolCore protocol not None):
        self.attach(loop, sock, protocol)
        try:
            protocol.connection_made(self)
            self.resume_reading()
        except BaseException:
            self._close_socket()
            raise

    def __cinit__(self):
        self.fd = -1

    def __del__(self):
        if self.fd >= 0:
            warnings.warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
            self._close_socket()

    cdef int attach(self, object loop, object sock, WSProtocolCore protocol) except -1:
        self.loop = loop
        self.io = protocol.io
        if isinstance(sock, int):
            self.fd = sock
        else:
            self.fd = sock.fileno()
            self._sock = sock
        self.protocol = protocol
        self._sockname = address_of_socket(self.fd)
        self._peername = address_of_peer(self.fd)
        self._high = HIGH_WATER
        self._low = HIGH_WATER // 4
        make_quiet(self.fd)
        return 0

    # -- in

    def is_reading(self):
        """Whether the socket is being read."""
        return self._reading

    def resume_reading(self):
        """Read the socket again."""
        if not self._reading and not self._closing:
            self._start_reading()

    def pause_reading(self):
        """Leave what arrives in the socket's buffer."""
        self._stop_reading()

    cdef int _start_reading(self) except -1:
        self._reading = True
        self._must_ask = False
        self._watcher = watcher_of(self.io, self.loop)
        if self._watcher is None:
            return self._watch_by_loop()
        return self._watcher.add(self.fd, self)

    cdef int _watch_by_loop(self) except -1:
        # libuv tells of an error only once.
        self._must_ask = not isinstance(self.loop, asyncio.SelectorEventLoop)
        self.loop.add_reader(self.fd, self._read_ready)
        return 0

    cdef int ready(self, bint alone) except -1:
        self._read_and_poll()
        self._times_alone = self._times_alone + 1 if alone else 0
        if self._times_alone >= OFTEN and self._reading:
            self._times_alone = 0
            self._watcher.remove(self.fd)
            self._watcher = None
            return self._watch_by_loop()
        return 0

    @cython.binding(False)
    @cython.always_allow_keywords(False)
    def _read_ready(self):
        self._read_and_poll()

    cdef int _read_and_poll(self) except -1:
        if self._lost:
            return 0
        self._read_corked()
        if self.protocol.busy_poll_us:
            self._busy_poll(self.protocol.busy_poll_us)
        return 0

    cdef inline int _read_corked(self) except -1:
        self._has_sent = False
        self.io.enter()
        self.io.no_task_runs = True
        try:
            self._receive()
        finally:
            self.io.no_task_runs = False
            self.io.leave()
        if self._must_ask and self._reading and not self._has_sent:
            return self._ask_for_error()
        return 0

    cdef int _ask_for_error(self) except -1:
        """See whether the peer has reset the connection behind what was read.

        libuv tells of an error once, together with what can be read before it. What was sent since
        has told as well.
        """
        cdef int error = pending_error(self.fd)
        return self._fatal(error) if error else 0

    cdef int _busy_poll(self, unsigned int microseconds) except -1:
        """Read whatever comes within some time, with other threads running meanwhile."""
        cdef long long deadline = now() + <long long>microseconds * 1000
        cdef bint is_ready
        while self._reading:
            with nogil:
                is_ready = becomes_readable(self.fd, deadline)
            if not is_ready:
                break
            self._read_corked()
        return 0

    cdef int _receive(self) except -1:
        cdef ReceiveBuffer buffer = self.protocol.buffer
        cdef size_t room
        cdef Py_ssize_t size
        while self._reading:
            room = buffer.prepare()
            size = receive_into(self.fd, buffer.block.data + buffer.end, room)
            if size < 0:
                return 0 if size == NOTHING else self._fatal(-size)
            if size == 0:
                self._stop_reading()
                if not self.protocol.eof_received():
                    self.close()
                return 0
            self.protocol.received(size)
            if <size_t>size < room:
                return 0  # what has arrived since makes the descriptor ready again
        return 0

    cdef int _stop_reading(self) except -1:
        if self._reading:
            self._reading = False
            unwatch(self._watcher, self.loop, self.fd)
            self._watcher = None
        return 0

    # -- out

    def write(self, data):
        """Send bytes; they leave at once, or with the end of the running callback."""
        cdef Py_buffer view
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            if view.len:
                self.write_bytes(<const uint8_t*>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)

    def writelines(self, list_of_data):
        """Send several pieces of bytes."""
        self.write(b"".join(list_of_data))

    def can_write_eof(self):
        """True: a socket can be closed in one direction."""
        return True

    def write_eof(self):
        """Close the sending direction when all is sent."""
        if self._eof_wanted or self._closing:
            return
        self._eof_wanted = True
        self.flush()
        if self._unsent() == 0 and not self._closing:
            self._all_sent()

    cdef int write_frame(self, const wsf.wsf_header* header, const uint8_t* payload,
                         size_t size) except -1:
        cdef uint8_t[14] head
        if self._closing or self._eof_wanted:
            return 0
        if size < LARGE or header.masked or self._writing:
            self.append_frame(header, payload, size)
            return self._written()
        return self._send_large(head, wsf.wsf_header_encode(head, header), payload, size)

    cdef int write_bytes(self, const uint8_t* data, size_t size) except -1:
        if self._closing or self._eof_wanted:
            return 0
        if size < LARGE or self._writing:
            self.open_pending().append(data, size)
            return self._written()
        return self._send_large(NULL, 0, data, size)

    cdef int write_now(self, const uint8_t* data, size_t size) except -1:
        cdef iovec part
        cdef Py_ssize_t sent
        if self.pending is not None or self._closing or self._eof_wanted:
            return Sink.write_now(self, data, size)
        part.iov_base = <void*>data
        part.iov_len = size
        sent = send_parts(self.fd, &part, 1)
        if sent < 0:
            if sent != NOTHING:
                return self._fatal(-sent)
            sent = 0
        self._has_sent = True
        return 0 if <size_t>sent == size else self._hold_rest(data + sent, size - sent)

    cdef int flush(self) except -1:
        if self.pending is not None and not self._writing and not self._lost:
            if self._push(self.pending):
                self.drop_pending()
                if self._closing or self._eof_wanted:
                    self._all_sent()
        return self._check_limits() if self._over_high or self.pending is not None else 0

    cdef inline int _written(self) except -1:
        if not self.may_hold():
            return self.flush()
        # Otherwise nothing waits but what is held.
        if self._writing or self.pending.end - self.pending.begin > self._high:
            return self._check_limits()
        return 0

    cdef bint _push(self, SendBuffer buffer) except -1:
        """Give bytes to the socket; whether it took all of them, else it is watched, or broken."""
        cdef Py_ssize_t sent
        while buffer.begin != buffer.end:
            sent = send(
                self.fd, buffer.data + buffer.begin, buffer.end - buffer.begin, MSG_NOSIGNAL
            )
            if sent >= 0:
                buffer.begin += sent
                self._has_sent = True
            elif errno == EAGAIN:
                self._wait_for_room()
                return False
            elif errno != EINTR:
                self._fatal(errno)
                return False
        return True

    cdef int _send_large(self, const uint8_t* header, size_t header_size,
                         const uint8_t* payload, size_t size) except -1:
        """Send what is pending, a header and a payload at once, the payload from where it is."""
        cdef SendBuffer pending = self.open_pending()
        cdef size_t begin = 0
        cdef Py_ssize_t sent
        cdef iovec[2] parts
        if header_size:
            pending.append(header, header_size)
        parts[0].iov_base = pending.data + pending.begin
        parts[0].iov_len = pending.end - pending.begin
        parts[1].iov_base = <void*>payload
        parts[1].iov_len = size
        sent = send_parts(self.fd, parts, 2)
        if sent < 0:
            if sent != NOTHING:
                return self._fatal(-sent)
            sent = 0
        self._has_sent = True
        begin = min(<size_t>sent, parts[0].iov_len)
        pending.begin += begin
        sent -= begin
        if <size_t>sent < size:
            return self._hold_rest(payload + sent, size - sent)
        self.drop_pending()
        return self._check_limits()

    cdef int _hold_rest(self, const uint8_t* data, size_t size) except -1:
        """Keep what the socket did not take."""
        self.open_pending().append(data, size)
        self._wait_for_room()
        return self._check_limits()

    cdef int _wait_for_room(self) except -1:
        if not self._writing:
            self._writing = True
            self.loop.add_writer(self.fd, self._write_ready)
        return 0

    def _write_ready(self):
        self._writing = False
        self.loop.remove_writer(self.fd)
        self.flush()

    cdef int _all_sent(self) except -1:
        if self._closing:
            return self._finish()
        if self._eof_wanted:
            if shutdown(self.fd, SHUT_WR) < 0:
                return self._fatal(errno)
        return 0

    # -- flow control

    def get_write_buffer_size(self):
        """Bytes that are not sent yet."""
        return self._unsent()

    def get_write_buffer_limits(self):
        """The low and the high-water mark, in bytes."""
        return self._low, self._high

    def set_write_buffer_limits(self, high=None, low=None):
        """Set the marks at which the protocol is told to pause and to resume writing.

        Args:
            high: bytes; four times `low`, or 64 KiB, if None.
            low: bytes; a quarter of `high` if None.

        Raises:
            ValueError: if they are not in order.
        """
        if high is None:
            high = HIGH_WATER if low is None else 4 * low
        if low is None:
            low = high // 4
        if not high >= low >= 0:
            raise ValueError(f"high ({high}) must be at least low ({low}), and low at least 0")
        self._high, self._low = high, low
        self._check_limits()

    cdef size_t _unsent(self) noexcept:
        return 0 if self.pending is None else self.pending.end - self.pending.begin

    cdef int _check_limits(self) except -1:
        cdef size_t size = self._unsent()
        if self._over_high:
            if size <= self._low:
                self._over_high = False
                self.protocol.resume_writing()
        elif size > self._high:
            self._over_high = True
            self.protocol.pause_writing()
        return 0

    # -- the end

    def is_closing(self):
        """Whether the connection was told to close, or is closed."""
        return self._closing

    def close(self):
        """Close when all is sent."""
        if self._closing:
            return
        self.flush()
        if self._closing:
            return
        self._closing = True
        self._stop_reading()
        if self._unsent() == 0:
            self._finish()

    def abort(self):
        """Close now; what the socket does not take at once is lost."""
        self.flush()
        self._end(None)

    cdef int _finish(self) except -1:
        """Closing, and all is sent."""
        return self._end(None)

    cdef int _fatal(self, int error_number) except -1:
        """The system refused: the connection is over, and `connection_lost` is told why."""
        return self._end(OSError(error_number, os.strerror(error_number)))

    cdef int _end(self, object exc) except -1:
        if self._lost:
            return 0
        self._stop()
        self.loop.call_soon(self._connection_lost, exc)
        return 0

    cdef int _stop(self) except -1:
        """Have nothing more to do with the socket, nor with memory that others can use."""
        self._lost = self._closing = True
        self._stop_reading()
        if self._writing:
            self._writing = False
            self.loop.remove_writer(self.fd)
        return self.drop_pending()

    def _connection_lost(self, exc):
        cdef WSProtocolCore protocol = self.protocol
        # The two would keep each other alive until the garbage collector comes.
        self.protocol = None
        self._over_high = False
        try:
            protocol.connection_lost(exc)
        finally:
            self._close_socket()

    cdef int _close_socket(self) except -1:
        if self._sock is not None:
            self._sock.close()
        elif self.fd >= 0:
            close(self.fd)
        self.fd = -1
        return 0

    # -- what asyncio tells of a transport

    def get_protocol(self):
        """Who gets what is received; None once it has heard that the connection is lost."""
        return self.protocol

    def set_protocol(self, protocol):
        """Not possible: the transport and its protocol share their memory."""
        raise NotImplementedError("a SocketTransport keeps its protocol")

    def get_extra_info(self, name, default=None):
        """What is known of the connection: ``socket``, ``sockname``, ``peername``."""
        if name == "peername":
            return default if self._peername is None else to_python(self._peername)
        if name == "sockname":
            return default if self._sockname is None else to_python(self._sockname)
        if name == "socket":
            if self._sock is None and self.fd >= 0:
                self._sock = socket_module.socket(fileno=self.fd)
                self._sock.setblocking(False)  # nor does it, but the object has to know
            return self._sock
        return default

    def __repr__(self):
        state = "closed" if self._lost else "closing" if self._closing else "open"
        return f"<SocketTransport {state} fd={self.fd}>"
