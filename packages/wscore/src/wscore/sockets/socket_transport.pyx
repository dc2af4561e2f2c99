"""An asyncio transport for a connected stream socket, without the layers of a loop's own.

The loop's watcher calls it when there is something to read. It receives into the protocol's buffer
and sends from the sink's. A loop without `add_reader` cannot use it, and uses its own transports.
"""

import asyncio
import os
import socket as socket_module
import warnings

cimport cython
from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.errno cimport errno
from libc.stdint cimport uint8_t

from wsframe cimport cwsframe as wsf

from ..connection.protocol cimport WSProtocolCore
from ..connection.read_budget cimport TURN_SIZE, TURN_TIME
from ..connection.state cimport AWAITING_CLOSE
from ..connection.transport cimport refuse_thread
from ..loop.branch_hints cimport unlikely
from ..loop.loop_io cimport RECEIVE_SIZE, SendBuffer, append, this_thread
from ..loop.outflow cimport ask_system, has_hung_up, unacknowledged, unread_by_us
from ..loop.sealed_types cimport seal_type
from ..loop.syscalls cimport (
    NOTHING,
    SHUT_WR,
    becomes_readable,
    close,
    iovec,
    make_quiet,
    now,
    pending_error,
    receive_into,
    send_parts,
    shutdown,
)
from ..loop.water_marks import check_marks
from ..loop.watcher cimport unwatch, watcher_of
from .socket_address cimport address_of_peer, address_of_socket, to_python

__all__ = ["SocketTransport"]

cdef enum:
    OFTEN = 8  # consecutive reads as the only ready socket: from then on the loop itself watches
    LARGE = 16 * 1024  # bytes of payload that are sent from the caller's memory
    HIGH_WATER = 64 * 1024  # bytes; asyncio's own default
    PROGRESS = 16 * 1024  # bytes that a peer must take to get more time

#: Seconds that a peer that has all data may take to answer with its CLOSE before our direction is
#: closed, or to close its direction if it has sent its CLOSE.
LOOK_INTERVAL = 1.0

#: Seconds until the first look while data is undelivered: a peer that reads takes it at once, and
#: then its time begins.
FIRST_LOOK = 0.05


cdef class SocketTransport(Sink):
    """The transport below a `WSTransport` on plain TCP or a unix socket.

    It has the methods of `asyncio.Transport`. Those that change anything raise RuntimeError in
    another thread than the one that runs the loop.

    Args:
        loop: the running loop.
        sock: a connected, non-blocking socket, or its descriptor; it belongs to the transport from
            now on.
        protocol: the protocol of the connection.
    """

    def __cinit__(self):
        self.fd = -1

    def __init__(self, loop, sock, WSProtocolCore protocol not None):
        self.attach(loop, sock, protocol)
        self._advance(OPEN)
        try:
            protocol.connection_made(self)
            self.resume_reading()
        except BaseException:
            self._close_socket()
            raise

    def __del__(self):
        if self.fd >= 0:
            if self._state < CLOSING or self._unsent() > 0:
                warnings.warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
            # Other objects of the same garbage may still call methods of this one.
            self._advance(LOST)
            self._reading = self._watched = self._writing = False
            self._close_socket()

    cdef int attach(self, object loop, object sock, WSProtocolCore protocol) except -1:
        self.loop = loop
        self.io = protocol.io
        self.io.thread = this_thread()
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

    cdef int _check_thread(self) except -1:
        """Refuse other threads, whose calls could come in the middle of this thread's."""
        if self.io is not None and this_thread() != self.io.thread:
            return refuse_thread(self.io)
        return 0

    cdef int _refuse_state(self, SocketState state) except -1:
        raise RuntimeError(f"a socket in state {self._state} cannot return to {state}")

    def set_server(self, server):
        """Have the server's method `forget` called when the socket is closed."""
        self._server = server

    # -- reading begins and ends

    cpdef is_reading(self):
        """Return whether the socket is being read; not if that only serves to close it."""
        return self._reading and self._state < CLOSING

    cpdef resume_reading(self):
        """Read the socket again, once earlier input is parsed."""
        self._check_thread()
        if not self._reading and self._state < CLOSING:
            self._start_reading()
            if self.protocol.has_unparsed:
                self.schedule_reading()

    cpdef pause_reading(self):
        """Leave arriving data in the socket's buffer; without effect once this is closing."""
        self._check_thread()
        if self._state < CLOSING:
            self._stop_reading()

    cdef int _start_reading(self) except -1:
        self._reading = True
        return 0 if self._watched else self._watch()

    cdef int _stop_reading(self) except -1:
        # Within a read the watch goes on: usually reading is resumed before the read ends.
        self._reading = False
        return self._unwatch() if self._watched and not self._is_within_read else 0

    cdef int _watch(self) except -1:
        self._must_ask = False
        self._watched = True
        self._watcher = watcher_of(self.io, self.loop)
        if self._watcher is None:
            return self._watch_by_loop()
        return self._watcher.add(self.fd, self)

    cdef int _watch_by_loop(self) except -1:
        # libuv reports an error only once.
        self._must_ask = not isinstance(self.loop, asyncio.SelectorEventLoop)
        self.loop.add_reader(self.fd, self._read_ready)
        return 0

    cdef int _unwatch(self) except -1:
        self._watched = False
        unwatch(self._watcher, self.loop, self.fd)
        self._watcher = None
        return 0

    # -- in

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
        # A reference of its own: user code may run the loop in a callback, and lose the connection.
        cdef WSProtocolCore protocol = self.protocol
        cdef bint may_read_again
        # Else `_connection_lost` goes on, or `resume_reading`.
        if self._state == LOST or not self._reading:
            return 0
        if self._is_within_read:
            return self.schedule_reading()
        # Until the socket is empty, reading is scheduled here. If the readiness of its descriptor
        # caused another read in the same iteration, this connection would get two turns of it.
        self._is_drained = False
        may_read_again = not protocol.has_unparsed and self.io.last_reader == <void *>self
        self._read_corked(True)
        if may_read_again:
            self._read_again(protocol)
        self.io.last_reader = <void *>self
        if self._reading and not self._is_drained:
            return self.schedule_reading()
        return 0

    @cython.binding(False)
    @cython.always_allow_keywords(False)
    def _read_ready(self):
        self._read_and_poll()

    cdef inline int _read_and_poll(self) except -1:
        cdef WSProtocolCore protocol = self.protocol  # a reference, as in `continue_reading`
        # A read within a read would overwrite the frame of the running callback. And if one is
        # scheduled, earlier input must be parsed first.
        if unlikely((self._state == LOST) | self._is_within_read | self.is_scheduled):
            return 0
        self._read_corked(False)
        if unlikely(self._was_full | self.is_scheduled | (protocol.busy_poll_us != 0)):
            self._read_more(protocol)
        self.io.last_reader = <void *>self
        return 0

    cdef int _read_more(self, WSProtocolCore protocol) except -1:
        """Go on after a read that filled its buffer, or poll if that is asked for."""
        if self.io.last_reader != <void *>self:
            if self._was_full or self.is_scheduled:
                self._watch_beside_others()
        else:
            self._read_again(protocol)
        return self._busy_poll(protocol.busy_poll_us) if protocol.busy_poll_us else 0

    cdef int _watch_beside_others(self) except -1:
        """Use the watcher, which gives all connections that are ready together their turns."""
        if self._reading and self._watched and self._watcher is None and self.io.watcher:
            self.loop.remove_reader(self.fd)
            return self._watch()
        return 0

    cdef int _read_again(self, WSProtocolCore protocol) except -1:
        """Receive again while reads fill their buffer, within the budget.

        An iteration of the loop for each read would cost a fast handler a tenth of its rate. Within
        a large frame there is no further read: one alone may take all of the budget.
        """
        cdef long long end = protocol.read_began() + TURN_TIME
        cdef int left = TURN_SIZE // RECEIVE_SIZE - 1
        while (
            left > 0 and self._was_full and self._reading and not self.is_scheduled
            and protocol.buffer.needed <= RECEIVE_SIZE and now() < end
        ):
            left -= 1
            self._read_corked(False)
        return 0

    cdef inline int _read_corked(self, bint continues) except -1:
        # `_end_cork` sends what this connection writes, so the cork need not list it.
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
        if unlikely(self._watched != self._reading) and self._watched:
            self._unwatch()
        if unlikely(self._must_ask and not self._has_sent) and self._reading:
            return self._ask_for_error()
        return 0

    cdef inline int _end_cork(self) except -1:
        """Send the frames written during the read, unless there is an outer cork."""
        if self.pending != NULL:
            if not unlikely(self.io.depth != 1) or not (self.is_listed or self.io.hold(self)):
                self.flush()
        return self.io.leave()

    cdef int _ask_for_error(self) except -1:
        """Check whether the peer has reset the connection after the data that was read.

        libuv reports an error once, together with the data before it. A write since then has
        checked it, too.
        """
        cdef int error = pending_error(self.fd)
        return self._fatal(error) if error else 0

    cdef int _busy_poll(self, unsigned int microseconds) except -1:
        """Poll the socket for some time, and read it; other threads run meanwhile."""
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
        """Receive once; data that arrives later makes the descriptor ready again."""
        cdef size_t room
        cdef Py_ssize_t size
        room = self.protocol.buffer.prepare()
        size = receive_into(
            self.fd,
            self.protocol.buffer.block.data + self.protocol.buffer.end,
            min(room, <size_t>TURN_SIZE),
        )
        self._was_full = <size_t>size == room
        if unlikely(size <= 0):
            self.protocol.buffer.tidy(self.protocol.buffer.needed)  # undoes `prepare`
            return self._receive_no_more(size)
        return self.protocol.received(size)

    cdef int _continue(self) except -1:
        """Parse input left from an earlier iteration of the loop, or else receive."""
        if self.protocol.has_unparsed:
            return self.protocol.continue_reading()
        return self._receive()

    cdef int _receive_no_more(self, Py_ssize_t result) except -1:
        """Handle a read without data: nothing to read, the end, or an error."""
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
        """Send bytes, at once or at the end of the running callback."""
        cdef Py_buffer view
        self._check_thread()
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            if view.len:
                self.write_bytes(<const uint8_t *>view.buf, view.len)
        finally:
            PyBuffer_Release(&view)

    def writelines(self, list_of_data):
        """Send several bytes-like objects."""
        self.write(b"".join(list_of_data))

    cdef int write_frame(self, const wsf.wsf_header *header, const uint8_t *payload,
                         size_t size) except -1:
        cdef uint8_t[14] head
        if unlikely(self._state > OPEN):
            return 0
        if size < LARGE or header.masked or self._writing:
            self.append_frame(header, payload, size)
            return self._written()
        return self._send_large(head, wsf.wsf_header_encode(head, header), payload, size)

    cdef int write_bytes(self, const uint8_t *data, size_t size) except -1:
        if unlikely(self._state > OPEN):
            return 0
        if size < LARGE or self._writing:
            append(self.open_pending(), data, size)
            return self._written()
        return self._send_large(NULL, 0, data, size)

    cdef int write_now(self, const uint8_t *data, size_t size) except -1:
        if self.pending != NULL or self._state > OPEN:
            return Sink.write_now(self, data, size)
        return self._send_alone(data, size)

    cdef int flush(self) except -1:
        if self.pending != NULL and not unlikely(self._writing | (self._state == LOST)):
            if self._push(self.pending):
                self.drop_pending()
                if unlikely(self._state > OPEN):
                    self._all_sent()
        if unlikely(self._over_high | (self.pending != NULL)):
            return self._check_limits()
        return 0

    cdef inline int _written(self) except -1:
        if not self.may_hold():
            return self.flush()
        # Without `_writing`, only held-back data is pending.
        if unlikely(self._writing | (self.pending.end - self.pending.begin > self._high)):
            return self._check_limits()
        return 0

    cdef int _send_large(self, const uint8_t *header, size_t header_size,
                         const uint8_t *payload, size_t size) except -1:
        """Send pending data, a header and a payload by one call, without copying the payload."""
        cdef SendBuffer *pending
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
        parts[1].iov_base = <void *>payload
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

    cdef inline int _send_alone(self, const uint8_t *data, size_t size) except -1:
        """Send bytes from the caller's memory, with nothing pending before them."""
        cdef iovec part
        cdef Py_ssize_t sent
        part.iov_base = <void *>data
        part.iov_len = size
        sent = send_parts(self.fd, &part, 1)
        if sent < 0:
            if sent != NOTHING:
                return self._fatal(-sent)
            sent = 0
        self._has_sent = True
        return 0 if <size_t>sent == size else self._hold_rest(data + sent, size - sent)

    cdef int _hold_rest(self, const uint8_t *data, size_t size) except -1:
        """Keep the bytes that the socket did not take."""
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
        if not self._over_high and self._state != LOST:
            self.protocol.has_room()

    # -- flow control

    def can_write_eof(self):
        """Return True: a socket can be closed in one direction."""
        return True

    def write_eof(self):
        """Close the sending direction once all data is sent."""
        self._check_thread()
        if self._state > OPEN:
            return
        self._advance(EOF_WANTED)
        self.flush()
        if self._unsent() == 0 and self._state == EOF_WANTED:
            self._all_sent()

    cdef int _all_sent(self) except -1:
        if self._state >= CLOSING:
            return self._finish()
        if self._state == EOF_WANTED:
            return self._shut_down_writing()
        return 0

    cdef int _shut_down_writing(self) except -1:
        return self._fatal(errno) if shutdown(self.fd, SHUT_WR) < 0 else 0

    def get_write_buffer_size(self):
        """Return the bytes that are not sent yet."""
        return self._unsent()

    def get_write_buffer_limits(self):
        """Return the low-water and the high-water mark, in bytes."""
        return self._low, self._high

    def set_write_buffer_limits(self, high=None, low=None):
        """Set the marks for the protocol's `pause_writing` and `resume_writing`.

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
        check_marks(high, low)
        self._check_thread()
        self._high, self._low = high, low
        self._check_limits()

    cdef size_t _unsent(self) noexcept:
        return 0 if self.pending == NULL else self.pending.end - self.pending.begin

    cdef int _check_limits(self) except -1:
        cdef size_t size = self._unsent()
        if self._over_high:
            if size <= self._low and self._state != LOST:
                self._over_high = False
                self.protocol.resume_writing()
        elif size > self._high:
            self._over_high = True
            self.protocol.pause_writing()
        return 0

    cdef bint is_blocked(self) except -1:
        return self._writing

    cdef int measure(self, Outflow *flow) except -1:
        flow.waiting = self._unsent()
        flow.late_sends = self._late_sends
        ask_system(flow, self.fd)
        return 0

    cdef bint has_unread(self) except -1:
        return (
            self.protocol is not None and self.protocol.has_unparsed or unread_by_us(self.fd) > 0
        )

    cdef bint peer_has_ended(self) except -1:
        return self._peer_has_ended or self.fd < 0 or has_hung_up(self.fd)

    # -- the end

    def is_closing(self):
        """Return whether the transport is closing or closed."""
        return self._state >= CLOSING

    def close(self):
        """Close once all data is sent and the peer has closed its direction, or time is up.

        If a socket is closed with unread input, or receives data before everything is delivered,
        the system resets the connection, and the reset overtakes the data sent last. So input is
        read and discarded. Further calls go on as far as the state of the WebSocket connection
        allows.
        """
        self._check_thread()
        if self._state == HANDSHAKING:
            return self.abort()
        if self._state == LOST:
            return
        if self._state < CLOSING:
            if not self._peer_has_ended:
                self.resume_reading()
            self._advance(CLOSING)
            self.protocol.transport.closed_below()
        if not self._writing:
            self._send_rest()
        if self._timer is None and self._state != LOST:
            self._undelivered = self._undelivered_now()
            first = FIRST_LOOK if self._undelivered else LOOK_INTERVAL
            self._look_later(self.loop.time(), True, first)

    cdef int _send_rest(self) except -1:
        """Closing: send pending data, and continue if nothing is left."""
        return self._all_sent() if self.pending == NULL else self.flush()

    cdef int _finish(self) except -1:
        """Closing, with all data sent: close our direction or the socket, as far as possible."""
        if self._peer_has_ended:
            return self._end(None)
        if self.protocol.transport.has_received_close() and unread_by_us(self.fd) <= 0:
            return self._end(None)  # there is no further input
        if self._state < WRITE_ENDED and not self._awaits_close():
            return self._end_writing()
        return 0

    cdef int _end_writing(self) except -1:
        """Closing: close our direction."""
        self._advance(WRITE_ENDED)
        self._end_size = 1  # as TCP counts it
        return self._shut_down_writing()

    cdef bint _awaits_close(self) noexcept:
        """Return whether our direction must stay open until the peer's CLOSE has come."""
        return (
            self.protocol.transport.state == AWAITING_CLOSE
            and self._state < WRITE_ENDED and not self._peer_has_ended
        )

    cdef size_t _undelivered_now(self) noexcept:
        """Return the bytes that the peer has not acknowledged, without the end of our direction.

        On systems that do not report acknowledgements, only those not sent count.
        """
        cdef long long known = unacknowledged(self.fd)
        cdef size_t left = self._unsent() + (<size_t>known if known > 0 else 0)
        return left - min(left, self._end_size)

    def _look(self):
        """Check whether the peer still takes data; if not, and its time is up, end."""
        cdef size_t left = self._undelivered_now()
        cdef double time = self.loop.time()
        cdef bint is_progress = (
            left + PROGRESS <= self._undelivered or left == 0 < self._undelivered
        )
        self._timer = None
        if is_progress:
            self._undelivered = left
        elif left == 0 and (time >= self._due or self.protocol.transport.has_received_close()):
            SocketTransport._end(self, None)
            return
        elif time >= self._due:
            SocketTransport._end(self, TimeoutError(
                "the peer has not taken what was sent within "
                f"{self.protocol.transport.disconnect_timeout:g} seconds"
            ))
            return
        elif left == 0 and self._awaits_close():
            self._end_writing()  # some peers wait for that instead of sending their CLOSE
            self._send_rest()
            if self._state == LOST:
                return
        self._look_later(time, is_progress, LOOK_INTERVAL)

    cdef int _look_later(self, double time, bint anew, double interval) except -1:
        """Call `_look` after the interval, or when the time is up; `anew` restarts that time."""
        if anew:
            self._due = time + self.protocol.transport.disconnect_timeout
        self._timer = self.loop.call_later(min(interval, self._due - time), self._look)
        return 0

    def abort(self):
        """Close now; data that the socket does not take at once is lost."""
        self._check_thread()
        self.flush()
        self._end(None)

    cdef int _fatal(self, int error_number) except -1:
        """End the connection after an error of the system, and pass it to `connection_lost`.

        It is not passed if the connection was being closed and all data was sent: a reset may then
        be the peer's way to close.
        """
        if self._state >= CLOSING and self._unsent() == 0:
            return self._end(None)
        return self._end(OSError(error_number, os.strerror(error_number)))

    cdef int _end(self, object exc) except -1:
        if self._state == LOST:
            return 0
        self._stop()
        if self.protocol.transport is not None:
            self.protocol.transport.broken_below()
        self.loop.call_soon(self._connection_lost, exc)
        return 0

    cdef int _stop(self) except -1:
        """Stop using the socket, and give shared memory back."""
        self._advance(LOST)
        self._reading = False
        if self._watched:
            self._unwatch()
        if self._writing:
            self._writing = False
            self.loop.remove_writer(self.fd)
        self._stop_timer()
        self.drop_pending()
        return 0

    cdef int _stop_timer(self) except -1:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return 0

    def _connection_lost(self, exc):
        cdef WSProtocolCore protocol = self.protocol
        if protocol.has_unparsed:  # input from before the end
            protocol.parse_received()
            if protocol.has_unparsed:
                self.loop.call_soon(self._connection_lost, exc)
                return
        # The two would keep each other alive until the next garbage collection.
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
        if self._server is not None:
            server, self._server = self._server, None
            server.forget(self)
        return 0

    # -- the rest of `asyncio.Transport`

    def get_protocol(self):
        """Return the protocol; None once its `connection_lost` was called."""
        return self.protocol

    def set_protocol(self, protocol):
        """Raise NotImplementedError: the transport and its protocol share memory."""
        raise NotImplementedError("the protocol of this transport cannot be replaced")

    def get_extra_info(self, name, default=None):
        """Return information on the connection: ``socket``, ``sockname``, ``peername``."""
        if name == "peername":
            return default if self._peername is None else to_python(self._peername)
        if name == "sockname":
            return default if self._sockname is None else to_python(self._sockname)
        if name == "socket":
            if self._sock is None and self.fd >= 0:
                self._sock = socket_module.socket(fileno=self.fd)
                self._sock.setblocking(False)  # the descriptor is; this sets the object's timeout
            return self._sock
        return default

    def __repr__(self):
        state = "open" if self._state < CLOSING else "closed" if self._state == LOST else "closing"
        return f"<{type(self).__name__} {state} fd={self.fd}>"


seal_type(SocketTransport)
