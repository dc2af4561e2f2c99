"""An asyncio transport for a connected stream socket, without the layers of a loop's own.

This is the way of the data; the rest of the transport is `socket_control`.

It is told by the loop's watcher when there is something to read, receives into the protocol's
buffer, and sends from the sink's. A loop without `add_reader` cannot use it; there the loop's
transports serve.
"""

import asyncio

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t

from wsframe cimport cwsframe as wsf

from ..loop.branch_hints cimport rarely
from ..loop.loop_io cimport RECEIVE_SIZE, SendBuffer, append
from ..connection.protocol cimport WSProtocolCore
from ..loop.sealed_types cimport seal_type
from ..loop.syscalls cimport (
    NOTHING,
    becomes_readable,
    iovec,
    now,
    pending_error,
    receive_into,
    send_parts,
)
from ..loop.watcher cimport watcher_of

__all__ = ["SocketTransport"]

cdef enum:
    OFTEN = 8  # times alone, one after the other: from then on the loop itself watches
    LARGE = 16 * 1024  # bytes of payload that are sent from where they are


cdef class SocketTransport(SocketControl):
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

    # -- in

    cdef int _watch(self) except -1:
        self._must_ask = False
        self._watched = True
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

    cdef int continue_reading(self) except -1:
        # Held here: user code that runs the loop within a callback may have the connection lost.
        cdef WSProtocolCore protocol = self.protocol
        cdef bint may_read_again
        if self._lost or not self._reading:  # then `_connection_lost` or `resume_reading` goes on
            return 0
        if self._is_within_read:
            return self.schedule_reading()
        # Until there is nothing to read it is called from here: were it called in the same
        # iteration because its descriptor is ready, too, it would have a second part before others
        # have their first.
        self._is_drained = False
        may_read_again = not protocol.has_unparsed and self.io.last_reader == <void*>self
        self._read_corked(True)
        if may_read_again:
            self._read_again(protocol)
        self.io.last_reader = <void*>self
        if self._reading and not self._is_drained:
            return self.schedule_reading()
        return 0

    @cython.binding(False)
    @cython.always_allow_keywords(False)
    def _read_ready(self):
        self._read_and_poll()

    cdef inline int _read_and_poll(self) except -1:
        cdef WSProtocolCore protocol = self.protocol  # held here, as in `continue_reading`
        # Nor may it have this read by another one, into the memory of the frame it looks at. And
        # what was received before is parsed first.
        if rarely(self._lost | self._is_within_read | self.is_scheduled):
            return 0
        self._read_corked(False)
        if rarely(self._was_full | self.is_scheduled | (protocol.busy_poll_us != 0)):
            self._read_more(protocol)
        self.io.last_reader = <void*>self
        return 0

    cdef int _read_more(self, WSProtocolCore protocol) except -1:
        """There was much to read, or this polls."""
        if self.io.last_reader != <void*>self:
            if self._was_full or self.is_scheduled:
                self._watch_beside_others()
        else:
            self._read_again(protocol)
        return self._busy_poll(protocol.busy_poll_us) if protocol.busy_poll_us else 0

    cdef int _watch_beside_others(self) except -1:
        """Have the watcher see to it that all that are ready together get their turns in time."""
        if self._reading and self._watched and self._watcher is None and self.io.watcher:
            self.loop.remove_reader(self.fd)
            return self._watch()
        return 0

    cdef int _read_again(self, WSProtocolCore protocol) except -1:
        """Receive on, as long as reads bring all that there is room for, within the time of a turn.

        An iteration of the loop for each read would cost a fast handler a tenth of its rate. But
        not on within a large frame, of which one read may bring as much as a turn.
        """
        cdef long long end = protocol.read_began() + TURN_TIME
        cdef int left = MOST // RECEIVE_SIZE - 1
        while (
            left > 0 and self._was_full and self._reading and not self.is_scheduled
            and protocol.buffer.needed <= RECEIVE_SIZE and now() < end
        ):
            left -= 1
            self._read_corked(False)
        return 0

    cdef inline int _read_corked(self, bint continues) except -1:
        # What this connection sends meanwhile is looked for here, so it need not be listed.
        cdef bint was_listed = self.is_listed
        self.is_listed = True
        self._is_within_read = True
        self._has_sent = False
        self.io.enter()
        self.io.no_task_runs = True
        try:
            if continues:
                self._continue()
            else:
                self._receive()
        finally:
            self._is_within_read = False
            self.io.no_task_runs = False
            self.is_listed = was_listed
            self._end_cork()
        if rarely(self._watched != self._reading) and self._watched:
            self._unwatch()
        if rarely(self._must_ask and not self._has_sent) and self._reading:
            return self._ask_for_error()
        return 0

    cdef inline int _end_cork(self) except -1:
        """The read is over: what it has sent leaves, unless there is a cork around it."""
        if self.pending != NULL:
            if not rarely(self.io.depth != 1) or not (self.is_listed or self.io.hold(self)):
                self.flush()
        return self.io.leave()

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
        while self._reading and not self.is_scheduled:
            with nogil:
                is_ready = becomes_readable(self.fd, deadline)
            if not is_ready:
                break
            self._read_corked(False)
            if now() >= deadline:
                break
        return 0

    cdef int _receive(self) except -1:
        """Receive once: what has arrived since makes the descriptor ready again."""
        cdef size_t room
        cdef Py_ssize_t size
        room = self.protocol.buffer.prepare()
        size = receive_into(
            self.fd,
            self.protocol.buffer.block.data + self.protocol.buffer.end,
            min(room, <size_t>MOST),
        )
        self._was_full = <size_t>size == room
        if rarely(size <= 0):
            self.protocol.buffer.tidy(self.protocol.buffer.needed)  # `prepare` has moved the rest
            return self._receive_no_more(size)
        return self.protocol.received(size)

    cdef int _continue(self) except -1:
        """Go on with what was received in an earlier iteration of the loop, or receive."""
        if self.protocol.has_unparsed:
            return self.protocol.continue_reading()
        return self._receive()

    cdef int _receive_no_more(self, Py_ssize_t result) except -1:
        """There is nothing, or the end, or an error."""
        if result == NOTHING:
            self._is_drained = True
            return 0
        if result < 0:
            return self._fatal(-result)
        self._peer_has_ended = True
        self._stop_reading()
        if not self.protocol.holds_end() and not self.protocol.eof_received():
            self.close()
        return 0

    # -- out

    def write(self, data):
        """Send bytes; they leave at once, or with the end of the running callback."""
        cdef Py_buffer view
        self._check_thread()
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            if view.len:
                self.write_bytes(<const uint8_t*>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)

    def writelines(self, list_of_data):
        """Send several pieces of bytes."""
        self.write(b"".join(list_of_data))

    cdef int write_frame(self, const wsf.wsf_header* header, const uint8_t* payload,
                         size_t size) except -1:
        cdef uint8_t[14] head
        if rarely(self._closing | self._eof_wanted):
            return 0
        if size < LARGE or header.masked or self._writing:
            self.append_frame(header, payload, size)
            return self._written()
        return self._send_large(head, wsf.wsf_header_encode(head, header), payload, size)

    cdef int write_bytes(self, const uint8_t* data, size_t size) except -1:
        if rarely(self._closing | self._eof_wanted):
            return 0
        if size < LARGE or self._writing:
            append(self.open_pending(), data, size)
            return self._written()
        return self._send_large(NULL, 0, data, size)

    cdef int write_now(self, const uint8_t* data, size_t size) except -1:
        if self.pending != NULL or self._closing or self._eof_wanted:
            return SocketControl.write_now(self, data, size)
        return self._send_alone(data, size)

    cdef int flush(self) except -1:
        if self.pending != NULL and not rarely(self._writing | self._lost):
            if self._push(self.pending):
                self.drop_pending()
                if rarely(self._closing | self._eof_wanted):
                    self._all_sent()
        if rarely(self._over_high | (self.pending != NULL)):
            return self._check_limits()
        return 0

    cdef inline int _written(self) except -1:
        if not self.may_hold():
            return self.flush()
        # Otherwise nothing waits but what is held.
        if rarely(self._writing | (self.pending.end - self.pending.begin > self._high)):
            return self._check_limits()
        return 0

    cdef int _send_large(self, const uint8_t* header, size_t header_size,
                         const uint8_t* payload, size_t size) except -1:
        """Send what is pending, a header and a payload at once, the payload from where it is."""
        cdef SendBuffer* pending
        cdef size_t begin = 0
        cdef Py_ssize_t sent
        cdef iovec[2] parts
        if header_size == 0 and self.pending == NULL:
            return self._send_alone(payload, size)
        pending = self.open_pending()
        if header_size:
            append(pending, header, header_size)
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

    cdef inline int _send_alone(self, const uint8_t* data, size_t size) except -1:
        """Send bytes from where they are, with nothing pending before them."""
        cdef iovec part
        cdef Py_ssize_t sent
        part.iov_base = <void*>data
        part.iov_len = size
        sent = send_parts(self.fd, &part, 1)
        if sent < 0:
            if sent != NOTHING:
                return self._fatal(-sent)
            sent = 0
        self._has_sent = True
        return 0 if <size_t>sent == size else self._hold_rest(data + sent, size - sent)

    cdef int _hold_rest(self, const uint8_t* data, size_t size) except -1:
        """Keep what the socket did not take."""
        append(self.open_pending(), data, size)
        self._wait_for_room()
        return self._check_limits()

    cdef int _wait_for_room(self) except -1:
        if not self._writing:
            self._writing = True
            self.loop.add_writer(self.fd, self._write_ready)
        return 0

    def _write_ready(self):
        self._writing = False
        self._late_sends += 1
        self.loop.remove_writer(self.fd)
        self.flush()
        if not (self._over_high or self._lost):
            self.protocol.has_room()


seal_type(SocketTransport)
