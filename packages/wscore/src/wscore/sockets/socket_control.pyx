"""What is rarely asked of a transport that owns its socket: all but the way of the data.

It is made, begins and stops reading, has limits and an end, and tells asyncio what a transport has
to tell. How it reads and writes is `socket_transport`'s.
"""

import os
import socket as socket_module
import warnings

from libc.errno cimport errno

from ..connection.state cimport AWAITING_CLOSE
from ..loop.loop_io cimport this_thread
from ..loop.outflow cimport ask_system, has_hung_up, unacknowledged, unread_by_us
from ..connection.protocol cimport WSProtocolCore
from ..loop.sealed_types cimport seal_type
from .socket_address cimport address_of_peer, address_of_socket, to_python
from ..loop.syscalls cimport SHUT_WR, close, make_quiet, shutdown
from ..connection.transport cimport refuse_thread
from ..loop.watcher cimport unwatch

__all__ = ["SocketControl"]

cdef enum:
    HIGH_WATER = 64 * 1024  # bytes; asyncio's own default
    PROGRESS = 16 * 1024  # bytes that a peer has to take to be given more time

#: Seconds that a peer that has all that was sent may take to answer with its CLOSE before it is
#: shown our end of the connection, or to show its own if it has sent its CLOSE.
LOOK_INTERVAL = 1.0

#: Seconds until the first look, where something is on its way: peers that take it do so at once,
#: and their time begins then.
FIRST_LOOK = 0.05


cdef class SocketControl(Sink):
    """A connected stream socket, and what asyncio asks of its transport.

    What changes anything raises RuntimeError in another thread than the one that runs the loop.
    """

    def __cinit__(self):
        self.fd = -1

    def __del__(self):
        if self.fd >= 0:
            if not (self._closing and self._unsent() == 0):
                warnings.warn(f"unclosed transport {self!r}", ResourceWarning, source=self)
            # Others that are garbage, too, may still use this: nobody watches the socket any more.
            self._lost = self._closing = True
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
        """Another thread could do something in the middle of what this one does."""
        if self.io is not None and this_thread() != self.io.thread:
            return refuse_thread(self.io)
        return 0

    def set_server(self, server):
        """Let a server know when the socket is closed, by its method `forget`."""
        self._server = server

    # -- reading begins and ends

    cpdef is_reading(self):
        """Whether the socket is being read; not if that is only done to close it."""
        return self._reading and not self._closing

    cpdef resume_reading(self):
        """Read the socket again, once what was received before is parsed."""
        self._check_thread()
        if not self._reading and not self._closing:
            self._start_reading()
            if self.protocol.has_unparsed:
                self.schedule_reading()

    cpdef pause_reading(self):
        """Leave what arrives in the socket's buffer; not any more once this is closing."""
        self._check_thread()
        if not self._closing:
            self._stop_reading()

    cdef int _start_reading(self) except -1:
        self._reading = True
        return 0 if self._watched else self._watch()

    cdef int _stop_reading(self) except -1:
        # Within a read the watch goes on: most often reading is resumed before that ends.
        self._reading = False
        return self._unwatch() if self._watched and not self._is_within_read else 0

    cdef int _watch(self) except -1:
        raise NotImplementedError

    cdef int _unwatch(self) except -1:
        self._watched = False
        unwatch(self._watcher, self.loop, self.fd)
        self._watcher = None
        return 0

    # -- flow control

    def can_write_eof(self):
        """True: a socket can be closed in one direction."""
        return True

    def write_eof(self):
        """Close the sending direction when all is sent."""
        self._check_thread()
        if self._eof_wanted or self._closing:
            return
        self._eof_wanted = True
        self.flush()
        if self._unsent() == 0 and not self._closing:
            self._all_sent()

    cdef int _all_sent(self) except -1:
        if self._closing:
            return self._finish()
        if self._eof_wanted:
            if shutdown(self.fd, SHUT_WR) < 0:
                return self._fatal(errno)
        return 0

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
        self._check_thread()
        self._high, self._low = high, low
        self._check_limits()

    cdef size_t _unsent(self) noexcept:
        return 0 if self.pending == NULL else self.pending.end - self.pending.begin

    cdef int _check_limits(self) except -1:
        cdef size_t size = self._unsent()
        if self._over_high:
            if size <= self._low and not self._lost:
                self._over_high = False
                self.protocol.resume_writing()
        elif size > self._high:
            self._over_high = True
            self.protocol.pause_writing()
        return 0

    cdef bint is_blocked(self) except -1:
        return self._writing

    cdef int measure(self, Outflow* flow) except -1:
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
        """Whether the connection was told to close, or is closed."""
        return self._closing

    def close(self):
        """Close when all is sent, and the peer has ended its side or the time for that is up.

        A socket that is closed with something unread, or gets something before all is delivered,
        resets the connection, and the reset overtakes what was sent last. So what the peer still
        sends is read, and thrown away. Called again, this goes on as far as the state of the
        WebSocket connection allows.
        """
        self._check_thread()
        if self._lost:
            return
        if not self._closing:
            if not self._peer_has_ended:
                self.resume_reading()
            self._closing = True
            self.protocol.transport.closed_below()
        if not self._writing:
            self._send_rest()
        if self._timer is None and not self._lost:
            self._undelivered = self._undelivered_now()
            first = FIRST_LOOK if self._undelivered else LOOK_INTERVAL
            self._look_later(self.loop.time(), True, first)

    cdef int _send_rest(self) except -1:
        """Closing: send what can be sent, and go on if that was all."""
        return self._all_sent() if self.pending == NULL else self.flush()

    cdef int _finish(self) except -1:
        """Closing, and all is sent: end what can be ended."""
        if self._peer_has_ended:
            return self._end(None)
        if self.protocol.transport.has_received_close() and unread_by_us(self.fd) <= 0:
            return self._end(None)  # nothing more comes
        if not self._has_ended and not self._awaits_close():
            self._has_ended = True
            self._end_size = 1  # as TCP counts it
            if shutdown(self.fd, SHUT_WR) < 0:
                return self._fatal(errno)
        return 0

    cdef bint _awaits_close(self) noexcept:
        """Whether our direction stays open until the peer's CLOSE has come."""
        return (
            self.protocol.transport.state == AWAITING_CLOSE
            and not (self._awaits_no_more or self._peer_has_ended)
        )

    cdef size_t _undelivered_now(self) noexcept:
        """Bytes that the peer has not acknowledged, without what ends our direction.

        Of those that left, where it is known.
        """
        cdef long long known = unacknowledged(self.fd)
        cdef size_t left = self._unsent() + (<size_t>known if known > 0 else 0)
        return left - min(left, self._end_size)

    def _look(self):
        """See whether the peer still takes what was sent; if it does not, its time passes."""
        cdef size_t left = self._undelivered_now()
        cdef double now = self.loop.time()
        cdef bint is_progress = (
            left + PROGRESS <= self._undelivered or left == 0 < self._undelivered
        )
        self._timer = None
        if is_progress:
            self._undelivered = left
        elif left == 0 and (now >= self._due or self.protocol.transport.has_received_close()):
            SocketControl._end(self, None)
            return
        elif now >= self._due:
            SocketControl._end(self, TimeoutError(
                "the peer has not taken what was sent within "
                f"{self.protocol.transport.disconnect_timeout:g} seconds"
            ))
            return
        elif left == 0 and self._awaits_close():
            self._awaits_no_more = True  # it may be one that waits for the end of the connection
            self._send_rest()
            if self._lost:
                return
        self._look_later(now, is_progress, LOOK_INTERVAL)

    cdef int _look_later(self, double now, bint anew, double interval) except -1:
        """Look in a while, and no later than the time is up; it may begin anew."""
        if anew:
            self._due = now + self.protocol.transport.disconnect_timeout
        self._timer = self.loop.call_later(min(interval, self._due - now), self._look)
        return 0

    def abort(self):
        """Close now; what the socket does not take at once is lost."""
        self._check_thread()
        self.flush()
        self._end(None)

    cdef int _fatal(self, int error_number) except -1:
        """The system refused: the connection is over, and `connection_lost` is told why.

        Unless all was sent, and the connection is being closed: that the peer resets it then may be
        its way to close.
        """
        if self._closing and self._unsent() == 0:
            return self._end(None)
        return self._end(OSError(error_number, os.strerror(error_number)))

    cdef int _end(self, object exc) except -1:
        if self._lost:
            return 0
        self._stop()
        if self.protocol.transport is not None:
            self.protocol.transport.broken_below()
        self.loop.call_soon(self._connection_lost, exc)
        return 0

    cdef int _stop(self) except -1:
        """Have nothing more to do with the socket, nor with memory that others can use."""
        self._lost = self._closing = True
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
        if protocol.has_unparsed:  # it came before the end
            protocol.parse_received()
            if protocol.has_unparsed:
                self.loop.call_soon(self._connection_lost, exc)
                return
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
        if self._server is not None:
            server, self._server = self._server, None
            server.forget(self)
        return 0

    # -- what asyncio tells of a transport

    def get_protocol(self):
        """Who gets what is received; None once it has heard that the connection is lost."""
        return self.protocol

    def set_protocol(self, protocol):
        """Not possible: the transport and its protocol share their memory."""
        raise NotImplementedError("a transport of this kind keeps its protocol")

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
        return f"<{type(self).__name__} {state} fd={self.fd}>"


seal_type(SocketControl)
