"""TLS on a connected stream socket: a `SocketTransport` that encrypts what it sends.

The cryptography is that of Python's `ssl`, by its public classes for TLS in memory; the socket, the
loop and the buffers are handled here. What a callback sends is encrypted together, in records
as large as TLS allows. To ask `ssl` for data that has not come costs an exception, so the records'
heads, which are never encrypted, are followed here, and it is asked for complete records only.

It must never trouble the loop's exception handler for what a peer does: one that breaks off its
handshake is a line of debug output.
"""

import ssl

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE

from .loop_io cimport PIECES, Block, SendBuffer
from .protocol cimport WSProtocolCore
from .receive_buffer cimport ReceiveBuffer
from .sink cimport Sink
from .syscalls cimport NOTHING, iovec, receive_into, send_parts

__all__ = ["TlsTransport"]

cdef enum:
    HEAD_SIZE = 5  # bytes: the type, the version, the length
    MAX_RECORD = 16 * 1024  # bytes that one record can hold
    MAX_SEALED = MAX_RECORD + 2048  # the same when encrypted, in any version of TLS
    AT_ONCE = HEAD_SIZE + MAX_RECORD + 256  # bytes that are handed to `ssl` to decrypt
    ROUND = 128 * 1024  # bytes that are encrypted before the socket gets them
    AHEAD = 2 * MAX_RECORD  # bytes that what is encrypted is ahead of what is decrypted of it
    ROOMY = 64 * 1024 + AHEAD  # bytes of room that are enough to receive and decrypt in place

cdef object WantRead = ssl.SSLWantReadError
cdef object SSLError = ssl.SSLError
cdef object ALL = 1 << 30  # bytes: what is read into a buffer is not more than fits there


cdef class Window:
    """Memory that one call may look at, so that it need not be copied into an object."""

    cdef Window at(self, const void* data, size_t size):
        self._data = data
        self._size = size
        return self

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, <void*>self._data, self._size, False, flags)


cdef class TlsTransport(SocketTransport):
    """The transport below a `WSTransport` on TLS.

    It has the methods of `asyncio.Transport`. The protocol is told of it when the handshake is
    complete; if that fails, never.

    Args:
        loop: the running loop.
        sock: a connected, non-blocking socket; it belongs to the transport from now on.
        protocol: who gets what is received.
        context: the `ssl.SSLContext`.
        handshake_timeout: seconds that the handshake may take.
        shutdown_timeout: seconds that the end may take once this side has closed.
        server_side: whether this side is the server.
        server_hostname: whom a client expects, or None.
        opened: a future that is told how the handshake ended; without one a failure is logged.
    """

    def __init__(
        self,
        loop,
        sock,
        WSProtocolCore protocol not None,
        context,
        handshake_timeout,
        shutdown_timeout,
        *,
        bint server_side=False,
        server_hostname=None,
        opened=None,
    ):
        self.attach(loop, sock, protocol)
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        try:
            self._tls = context.wrap_bio(
                self._incoming, self._outgoing, server_side=server_side,
                server_hostname=server_hostname,
            )
        except BaseException:
            self._close_socket()
            raise
        self._tls_read = self._tls.read
        self._tls_write = self._tls.write
        self._incoming_write = self._incoming.write
        self._outgoing_read = self._outgoing.read
        self._context = context
        self._opened = opened
        self._goodbye_time = shutdown_timeout
        self._window = Window.__new__(Window)
        self._timer = loop.call_later(handshake_timeout, self._took_too_long, handshake_timeout)
        self.resume_reading()
        if not server_side:
            self._shake_hands(NULL, 0)

    # -- in

    def resume_reading(self):
        """Read the socket again, and first what had been received before."""
        SocketTransport.resume_reading(self)
        if self._complete and self._reading:
            self.loop.call_soon(self._read_ready)

    cdef int _receive(self) except -1:
        """Receive to where the protocol reads, somewhat ahead, so as to decrypt in place.

        Decrypted bytes cannot catch up with those that are still encrypted: they are fewer, but for
        one record, the beginning of which may have come before.
        """
        cdef ReceiveBuffer buffer = self.protocol.buffer
        cdef Block block
        if self._complete:
            self._decrypt()
            self._deliver()
        if not self._reading:
            return 0
        if self._stage != SHAKING_HANDS:
            self._room = buffer.prepare()
            buffer.lock()
            if self._room >= ROOMY:
                block = buffer.block  # it must outlive the buffer's interest in it
                return self._take(block.data + buffer.end + AHEAD, self._room - AHEAD)
        block = self.io.take_block()
        try:
            return self._take(block.data, block.size)
        finally:
            self.io.recycle(block)

    cdef int _take(self, uint8_t* data, size_t room) except -1:
        """Receive once, and handle what has come."""
        cdef Py_ssize_t size = receive_into(self.fd, data, room)
        if size > 0:
            if self._stage == SHAKING_HANDS:
                return self._shake_hands(data, size)
            return self._unseal(data, size)
        self._deliver()
        if size == 0:
            return self._end_received()
        return 0 if size == NOTHING else self._fatal(-size)

    cdef int _shake_hands(self, const uint8_t* data, size_t size) except -1:
        """A step of the handshake; whoever waits for it is told when it is over."""
        cdef size_t left
        if size:
            self._incoming_write(self._window.at(data, size))
        try:
            self._tls.do_handshake()
        except WantRead:
            return self._answer()
        except Exception as exc:
            self._answer()  # an alert tells the peer
            return self._end(exc)
        self._stop_timer()
        self._stage = SECURED
        left = self._incoming.pending
        self._step(data + size - left, left, left)
        self.protocol.connection_made(self)
        self._report(None)
        self._decrypt()
        self._deliver()
        self._has_answer = True  # and it leaves together with what the protocol has to say
        if not self.is_listed and not self.io.hold(self):
            return self.flush()
        return 0

    cdef int _unseal(self, const uint8_t* data, size_t size) except -1:
        """Decrypt what has come, and give it to the protocol at once."""
        cdef size_t taken = 0
        cdef size_t step
        while taken < size and not self._peer_has_ended:
            step = self._step(data + taken, size - taken, AT_ONCE if self._reading else size)
            self._incoming_write(self._window.at(data + taken, step))
            taken += step
            if self._complete:
                self._decrypt()
        self._deliver()
        if self._must_receive:
            self._must_receive = False
            self.flush()
        return 0

    cdef size_t _step(self, const uint8_t* data, size_t size, size_t limit) noexcept:
        """Follow the records, to the last end of one within the limit if there is any."""
        cdef size_t at = 0
        cdef size_t part
        while at < size:
            if self._missing == 0:
                if self._head_size == 0 and at and size - at >= HEAD_SIZE:
                    part = data[at + 3] << 8 | data[at + 4]
                    if at + HEAD_SIZE + part > limit:
                        return at
                self._head[self._head_size] = data[at]
                self._head_size += 1
                at += 1
                if self._head_size < HEAD_SIZE:
                    continue
                self._head_size = 0
                self._missing = self._head[3] << 8 | self._head[4]
                if self._missing == 0 or self._missing > MAX_SEALED:
                    self._missing = 0
                    self._complete += 1  # `ssl` may say what is wrong with it
            else:
                part = min(self._missing, size - at)
                self._missing -= part
                at += part
                if self._missing == 0:
                    self._complete += 1
        return at

    cdef int _decrypt(self) except -1:
        """Decrypt the complete records to where the protocol reads them."""
        cdef ReceiveBuffer buffer = self.protocol.buffer
        cdef Py_ssize_t size
        while self._complete and self._reading:
            if self._room == 0:
                self._room = buffer.prepare()
                buffer.lock()
            size = self._read(
                buffer.block.data + buffer.end + self._decrypted, self._room - self._decrypted
            )
            if size < 0:
                return 0
            if size == 0:
                self._deliver()
                return self._end_received()
            self._decrypted += size
            if self._decrypted < self._room:
                self._complete -= 1
            if self._room - self._decrypted < MAX_RECORD:
                self._deliver()
        return 0

    cdef Py_ssize_t _read(self, uint8_t* data, size_t room) except -2:
        """Decrypt: how many bytes, 0 if the peer has ended its side, -1 if there is nothing."""
        try:
            return self._tls_read(ALL, self._window.at(data, room))
        except WantRead:
            self._complete = 0
            if self._outgoing.pending:
                self._answer()
        except SSLError as exc:
            self._complete = 0
            self._answer()  # an alert tells the peer
            self._end(exc)
        return -1

    cdef int _deliver(self) except -1:
        """Give the protocol what is decrypted, and up the room that was taken for it."""
        cdef ReceiveBuffer buffer = self.protocol.buffer
        cdef size_t size = self._decrypted
        if self._room == 0:
            return 0
        self._room = self._decrypted = 0
        if size and self._stage == SECURED:
            return self.protocol.received(size)
        return buffer.tidy(buffer.needed)  # nothing has come, or nobody wants to know any more

    cdef int _end_received(self) except -1:
        self._complete = 0
        self._peer_has_ended = True
        if self._stage == SHAKING_HANDS:
            return self._end(ConnectionResetError("the peer went away in the TLS handshake"))
        if self._stage == SAYING_GOODBYE:
            return self._end(None)
        self._stop_reading()
        if not self.protocol.eof_received():
            self.close()
        return 0

    # -- out

    def can_write_eof(self):
        """False: TLS is closed in both directions."""
        return False

    def write_eof(self):
        """Not possible.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("TLS is closed in both directions")

    cdef int write_now(self, const uint8_t* data, size_t size) except -1:
        if self.pending is not None or self._closing or self._writing or self._must_receive:
            return Sink.write_now(self, data, size)
        self._send_from(data, size)
        return self._check_limits()

    cdef int flush(self) except -1:
        if self.pending is None and self._sealed is None and not self._has_answer:
            return 0
        if not self._writing and not self._lost:
            self._send_pending()
        return 0 if self._stage == SHAKING_HANDS else self._check_limits()

    cdef int _answer(self) except -1:
        """Send what TLS itself has to say, if anything."""
        self._has_answer = True
        return self.flush()

    cdef int _send_pending(self) except -1:
        while True:
            if self.pending is None or self._must_receive:
                if self._has_answer:
                    self._fetch()
            else:
                self._seal_pending()
            if self._closing and self.pending is None:
                self._say_goodbye()
            if not self._push_sealed() or self._must_receive:
                return 0
            if self.pending is None:
                return self._all_sent()

    cdef int _send_large(self, const uint8_t* header, size_t header_size,
                         const uint8_t* payload, size_t size) except -1:
        """Encrypt a payload from where it is, behind its header and what is pending."""
        cdef SendBuffer pending = self.open_pending()
        cdef size_t done
        if header_size:
            pending.append(header, header_size)
        done = min(size, MAX_RECORD - (pending.end - pending.begin) % MAX_RECORD)
        pending.append(payload, done)
        self._seal_pending()
        if self.pending is None:
            self._send_from(payload + done, size - done)
        elif not self._lost:
            pending.append(payload + done, size - done)
        return self.flush()

    cdef int _send_from(self, const uint8_t* data, size_t size) except -1:
        """Encrypt bytes from where they are, and send them behind what is encrypted already.

        Those that have to wait are kept.
        """
        cdef size_t done = 0
        while not self._lost:
            done += self._seal(data + done, min(size - done, <size_t>ROUND))
            if not self._push_sealed() or self._must_receive or done == size:
                break
        if done < size and not self._lost:
            self.open_pending().append(data + done, size - done)
        return 0

    cdef int _seal_pending(self) except -1:
        """Encrypt a round of what is pending."""
        cdef SendBuffer pending = self.pending
        cdef size_t done = self._seal(
            pending.data + pending.begin, min(pending.end - pending.begin, <size_t>ROUND)
        )
        if self._lost:  # and the buffer is not ours any more
            return 0
        pending.begin += done
        if pending.begin == pending.end:
            self.drop_pending()
        return 0

    cdef size_t _seal(self, const uint8_t* data, size_t size) except? 0:
        """Encrypt; how many of the bytes, fewer if TLS has to receive something first."""
        cdef size_t done = 0
        cdef size_t part
        while done < size:
            part = min(size - done, <size_t>MAX_RECORD)
            try:
                part = self._tls_write(self._window.at(data + done, part))
            except WantRead:
                self._must_receive = True
                part = 0
            except SSLError as exc:
                self._end(exc)
                return done
            self._fetch()
            done += part
            if self._must_receive:
                break
        return done

    cdef int _fetch(self) except -1:
        """Take what `ssl` has encrypted."""
        cdef bytes data = self._outgoing_read()
        self._has_answer = False
        if not data:
            return 0
        if self._sealed is not None or self.io.piece_count == PIECES:
            return self._keep(<uint8_t*>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))
        self.io.pieces[self.io.piece_count] = data
        self.io.piece_count += 1
        return 0

    cdef bint _push_sealed(self) except -1:
        """Give the socket what is encrypted; whether it took all of it."""
        if self._lost:
            return False
        if self.io.piece_count and not self._push_pieces():
            return False
        if self._sealed is None:
            return True
        if not self._push(self._sealed):
            return False
        self.io.give_back(self._sealed)
        self._sealed = None
        return True

    cdef bint _push_pieces(self) except -1:
        """Send records from where `ssl` has put them; what the socket does not take is kept."""
        cdef iovec[PIECES] parts
        cdef int count = self.io.piece_count
        cdef int at
        cdef Py_ssize_t sent
        for at in range(count):
            parts[at].iov_base = PyBytes_AS_STRING(self.io.pieces[at])
            parts[at].iov_len = PyBytes_GET_SIZE(self.io.pieces[at])
        sent = send_parts(self.fd, parts, count)
        if sent < 0 and sent != NOTHING:
            self._fatal(-sent)
            return False
        sent = max(sent, <Py_ssize_t>0)
        self._has_sent = sent > 0
        for at in range(count):
            if <size_t>sent < parts[at].iov_len:
                self._keep(<uint8_t*>parts[at].iov_base + sent, parts[at].iov_len - sent)
            sent -= min(<size_t>sent, parts[at].iov_len)
        self.io.drop_pieces()
        if self._sealed is not None:
            self._wait_for_room()
        return self._sealed is None

    cdef int _keep(self, const uint8_t* data, size_t size) except -1:
        if self._sealed is None:
            self._sealed = self.io.take_buffer()
        return self._sealed.append(data, size)

    cdef size_t _unsent(self) noexcept:
        cdef size_t size = SocketTransport._unsent(self)
        if self._sealed is not None:
            size += self._sealed.end - self._sealed.begin
        return size

    # -- the end

    def close(self):
        """Close when all is sent, and the peer has ended its side or the time for that is up."""
        if self._stage == SHAKING_HANDS or self._must_receive:
            self.abort()
            return
        if self._closing:
            return
        self._closing = True
        if not self._writing:
            self._send_pending()
        if self._lost:
            return
        if self._stage == SECURED:
            self._stop_reading()  # until all is sent
        if self._timer is None:
            self._timer = self.loop.call_later(self._goodbye_time, self.abort)
        self._check_limits()

    cdef int _say_goodbye(self) except -1:
        """End our side, with the last of what is sent if there is any."""
        if self._has_ended or self._lost:
            return 0
        self._has_ended = True
        if self.io.piece_count == 0 and self._sealed is None:
            self._stage = SAYING_GOODBYE
        try:
            self._tls.unwrap()
            self._peer_has_ended = True
        except SSLError:  # the peer has not answered, or had more to say
            pass
        return self._fetch()

    cdef int _finish(self) except -1:
        self._stage = SAYING_GOODBYE
        return self._end(None) if self._peer_has_ended else self._await_goodbye()

    cdef int _await_goodbye(self) except -1:
        """Wait for the peer to end its side as well.

        To close a socket that has something unread resets the connection, and the reset may
        overtake what was sent last. Our direction of TCP stays open as long: peers have been seen
        to drop what they had not read yet when both that and the end of TLS came at once.
        """
        if not self._reading:
            return self._start_reading()
        return 0

    def _took_too_long(self, seconds):
        self._end(ConnectionAbortedError(f"the TLS handshake took longer than {seconds} seconds"))

    cdef int _end(self, object exc) except -1:
        if self._lost:
            return 0
        if self._stage == SAYING_GOODBYE and self._unsent() == 0:
            return SocketTransport._end(self, None)  # whatever the peer did about it
        if self._stage != SHAKING_HANDS:
            return SocketTransport._end(self, exc)
        self._stop()
        self._close_socket()
        return self._report(exc)

    cdef int _stop(self) except -1:
        SocketTransport._stop(self)
        self._stop_timer()
        self.io.drop_pieces()
        if self._sealed is not None:
            self.io.give_back(self._sealed)
            self._sealed = None
        return 0

    cdef int _stop_timer(self) except -1:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        return 0

    cdef int _report(self, object exc) except -1:
        """Tell how the handshake ended."""
        opened, self._opened = self._opened, None
        if opened is None:
            if exc is not None:
                self.protocol.logger.debug(
                    "TLS handshake with %s failed: %r", self.get_extra_info("peername"), exc
                )
        elif not opened.done():
            if exc is None:
                opened.set_result(None)
            else:
                opened.set_exception(exc)
                opened.exception()  # whoever was to ask for it may have been cancelled
        return 0

    # -- what asyncio tells of a transport

    def get_extra_info(self, name, default=None):
        """What is known of the connection.

        Args:
            name: ``socket``, ``sockname``, ``peername``; ``ssl_object``, ``sslcontext``,
                ``peercert``, ``cipher``, ``compression``.
            default: what is returned for any other name.
        """
        if name == "ssl_object":
            return self._tls
        if name == "sslcontext":
            return self._context
        if name == "peercert":
            return self._tls.getpeercert()
        if name == "cipher":
            return self._tls.cipher()
        if name == "compression":
            return self._tls.compression()
        return SocketTransport.get_extra_info(self, name, default)
