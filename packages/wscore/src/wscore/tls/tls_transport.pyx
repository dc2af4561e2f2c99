"""A `SocketTransport` that speaks TLS: it encrypts what it sends and decrypts what it receives.

The cryptography is that of Python's `ssl`, or of the OpenSSL below it, in memory (`tls_session`).
What a callback sends is encrypted together, in records as large as TLS allows. What comes is
decrypted where the protocol reads it. Nothing here may look at encrypted bytes after the call that
received them.

It must never trouble the loop's exception handler for what a peer does: one that breaks off its
handshake is a line of debug output.
"""

import ssl

from libc.stdint cimport uint8_t

from ..connection.protocol cimport WSProtocolCore
from ..loop.loop_io cimport Block, SendBuffer, append, free_buffer
from ..loop.receive_buffer cimport ReceiveBuffer
from ..loop.sealed_types cimport seal_type
from ..loop.sink cimport Sink
from ..loop.syscalls cimport NOTHING, receive_into
from ..sockets.socket_transport cimport (
    CLOSING,
    DRAINING,
    HANDSHAKING,
    LOST,
    OPEN,
    WRITE_ENDED,
    SocketTransport,
)
from .openssl_session cimport OpensslSession, new_session
from .tls_session cimport MAX_RECORD

__all__ = ["TlsTransport"]

cdef enum:
    ROUND = 128 * 1024  # bytes that are encrypted before the socket gets them
    AHEAD = 2 * MAX_RECORD  # bytes that what is encrypted is ahead of what is decrypted of it
    # Bytes of TLS's own that wait while the socket takes nothing; one answer may be larger.
    MAX_ANSWERS = 4096
    ROOMY = 64 * 1024 + AHEAD  # bytes of room that are enough to receive and decrypt in place

cdef object SSLError = ssl.SSLError


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
        shutdown_timeout: seconds that the end may take, instead of the protocol's
            ``disconnect_timeout``; that if None.
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
        try:
            self._tls = new_session(context, server_side, server_hostname)
        except BaseException:
            self._close_socket()
            raise
        self._context = context
        self._opened = opened
        self._shutdown_timeout = shutdown_timeout
        self._timer = loop.call_later(handshake_timeout, self._took_too_long, handshake_timeout)
        self.resume_reading()
        if not server_side:
            self._shake_hands()

    def __dealloc__(self):
        if self._sealed != NULL:
            free_buffer(self._sealed)

    # -- the handshake

    cdef int _shake_hands(self) except -1:
        """A step of the handshake; whoever waits for it is told when it is over."""
        try:
            if not self._tls.shake_hands():
                return self._answer()
        except Exception as exc:
            self._answer()  # an alert tells the peer
            return self._end(exc)
        self._stop_timer()
        self._advance(OPEN)
        self.protocol.connection_made(self)
        if self._shutdown_timeout is not None:
            self.protocol.transport.disconnect_timeout = self._shutdown_timeout
        self._report(None)
        self._decrypt()
        self._deliver()
        if self._tls.has_answer():  # and it leaves together with what the protocol has to say
            self._fetch()
        return self.flush()

    def _took_too_long(self, seconds):
        self._end(ConnectionAbortedError(f"the TLS handshake took longer than {seconds} seconds"))

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

    # -- reading begins

    cpdef resume_reading(self):
        """Read the socket again, and first what had been received before."""
        SocketTransport.resume_reading(self)
        if self._reading and (self._end_is_due or self._tls.has_input()):
            self.schedule_reading()

    # -- in

    cdef int _receive(self) except -1:
        """Receive to where the protocol reads, somewhat ahead, so as to decrypt in place.

        Decrypted bytes cannot catch up with those that are still encrypted: they are fewer, but for
        one record, the beginning of which may have come before.
        """
        cdef ReceiveBuffer buffer = self.protocol.buffer
        cdef Block block
        if self._state != HANDSHAKING:
            if self._tls.has_input():
                return self._unseal()
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

    cdef int _read_again(self, WSProtocolCore protocol) except -1:
        """Never: to decrypt takes more time than another iteration of the loop."""
        return 0

    cdef int _continue(self) except -1:
        if not self._end_is_due:
            return SocketTransport._continue(self)
        if self.protocol.has_unparsed:
            self.protocol.continue_reading()
        if self._reading and not self.protocol.has_unparsed:
            self._end_is_due = False
            return self._end_received()
        return 0

    cdef int _take(self, uint8_t* data, size_t room) except -1:
        """Receive once, and handle what has come."""
        cdef Py_ssize_t size = receive_into(self.fd, data, min(room, <size_t>MOST))
        self._was_full = <size_t>size == room
        if size > 0:
            self._tls.feed(data, size)
            try:
                return self._shake_hands() if self._state == HANDSHAKING else self._unseal()
            finally:
                self._tls.keep()
        self._deliver()
        if size == 0:
            return self._end_received()
        if size == NOTHING:
            self._is_drained = True
            return 0
        return self._fatal(-size)

    cdef int _unseal(self) except -1:
        """Decrypt what has come, and give it to the protocol at once."""
        self._decrypt()
        self._deliver()
        if self._must_receive:
            self._must_receive = False
            self.flush()
        return 0

    cdef int _decrypt(self) except -1:
        """Decrypt to where the protocol reads."""
        cdef ReceiveBuffer buffer = self.protocol.buffer
        cdef Py_ssize_t size
        while self._reading and not self.protocol.has_unparsed and self._tls.has_input():
            if self._room == 0:
                self._room = buffer.prepare()
                buffer.lock()
            try:
                size = self._tls.unseal(
                    buffer.block.data + buffer.end + self._decrypted, self._room - self._decrypted
                )
            except SSLError as exc:
                self._answer()  # an alert tells the peer
                return self._end(exc)
            if size == 0:
                self._deliver()
                if not self._reading or self.protocol.has_unparsed:
                    self._end_is_due = True  # behind what was sent before it
                    return 0
                return self._end_received()
            if size > 0:
                self._decrypted += size
                if self._room - self._decrypted < MAX_RECORD:
                    self._deliver()
            elif self._tls.has_input():  # new keys are expensive: the rest has to wait
                self.schedule_reading()
                break
        return self._answer() if self._tls.has_answer() else 0

    cdef int _deliver(self) except -1:
        """Give the protocol what is decrypted, and up the room that was taken for it."""
        cdef WSProtocolCore protocol = self.protocol
        cdef size_t size = self._decrypted
        if self._room == 0:  # and so if the connection was lost while it was delivered
            return 0
        self._room = self._decrypted = 0
        if size and self._state != DRAINING:  # what came before an error is delivered
            return protocol.received(size)
        return protocol.buffer.tidy(protocol.buffer.needed)

    cdef int _end_received(self) except -1:
        self._peer_has_ended = True
        if self._state == HANDSHAKING:
            return self._end(ConnectionResetError("the peer went away in the TLS handshake"))
        if self._state >= DRAINING:
            return self._end(None)
        self._stop_reading()
        if self.protocol.holds_end():
            self._end_is_due = True
        elif not self.protocol.eof_received():
            self.close()
        return 0

    cdef bint has_unread(self) except -1:
        return self._tls.has_input() or SocketTransport.has_unread(self)

    # -- out

    cdef int write_now(self, const uint8_t* data, size_t size) except -1:
        if self.pending != NULL or self._state != OPEN or self._writing or self._must_receive:
            return Sink.write_now(self, data, size)
        self._send_from(data, size)
        return self._check_limits()

    cdef int flush(self) except -1:
        if self.pending == NULL and self._sealed == NULL:
            return 0
        if not self._writing and self._state != LOST:
            self._send_pending()
        return 0 if self._state == HANDSHAKING else self._check_limits()

    cdef int _answer(self) except -1:
        """Send what TLS itself has to say, if anything."""
        if self._tls.has_answer():
            if not self._writing:
                self._answers_waiting = 0
            elif self._answers_waiting > MAX_ANSWERS:
                return self._end(
                    ConnectionAbortedError("the peer asks for new keys, and does not read them")
                )
            self._answers_waiting += self._fetch()
        return self.flush()

    cdef Py_ssize_t _fetch(self) except -1:
        """Have what TLS itself has to say sent next; how many bytes it is."""
        cdef SendBuffer* sealed = self._open_sealed()
        cdef size_t before = sealed.end - sealed.begin
        self._tls.fetch(sealed)
        return sealed.end - sealed.begin - before

    cdef int _send_pending(self) except -1:
        while True:
            if self.pending != NULL and not self._must_receive:
                self._seal_pending()
            if self.pending == NULL and self._state == CLOSING and not self._awaits_close():
                self._end_writing()
            if not self._push_sealed() or self._must_receive:
                return 0
            if self.pending == NULL:
                return self._all_sent()

    cdef int _send_large(self, const uint8_t* header, size_t header_size,
                         const uint8_t* payload, size_t size) except -1:
        """Encrypt a payload from where it is, behind its header and what is pending."""
        cdef SendBuffer* pending = self.open_pending()
        cdef size_t done
        if header_size:
            append(pending, header, header_size)
        done = min(size, MAX_RECORD - (pending.end - pending.begin) % MAX_RECORD)
        append(pending, payload, done)
        if not self._must_receive:
            self._seal_pending()
        if self.pending == NULL:
            self._send_from(payload + done, size - done)
        elif self._state != LOST:
            append(pending, payload + done, size - done)
        return self.flush()

    cdef int _send_from(self, const uint8_t* data, size_t size) except -1:
        """Encrypt bytes from where they are, and send them behind what is encrypted already.

        Those that have to wait are kept.
        """
        cdef size_t done = 0
        while self._state != LOST:
            done += self._seal(data + done, min(size - done, <size_t>ROUND))
            if not self._push_sealed() or self._must_receive or done == size:
                break
        if done < size and self._state != LOST:
            append(self.open_pending(), data + done, size - done)
        return 0

    cdef int _seal_pending(self) except -1:
        """Encrypt a round of what is pending."""
        cdef SendBuffer* pending = self.pending
        cdef size_t done = self._seal(
            pending.data + pending.begin, min(pending.end - pending.begin, <size_t>ROUND)
        )
        if self._state == LOST:  # and the buffer is not ours any more
            return 0
        pending.begin += done
        if pending.begin == pending.end:
            self.drop_pending()
        return 0

    cdef size_t _seal(self, const uint8_t* data, size_t size) except? 0:
        """Encrypt; how many of the bytes, fewer if TLS has to receive something first."""
        cdef size_t done = 0
        try:
            done = self._tls.seal(data, size, self._open_sealed())
            self._must_receive = done < size
        except SSLError as exc:
            self._end(exc)
        return done

    cdef bint _push_sealed(self) except -1:
        """Give the socket what is encrypted; whether it took all of it."""
        if self._state == LOST:
            return False
        if self._sealed == NULL:
            return True
        if not self._push(self._sealed):
            return False
        self.io.give_back(self._sealed)
        self._sealed = NULL
        return True

    # -- flow control

    def can_write_eof(self):
        """False: TLS is closed in both directions."""
        return False

    def write_eof(self):
        """Not possible.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("TLS is closed in both directions")

    cdef size_t _unsent(self) noexcept:
        cdef size_t size = SocketTransport._unsent(self)
        if self._sealed != NULL:
            size += self._sealed.end - self._sealed.begin
        return size

    # -- the end

    cdef int _send_rest(self) except -1:
        self._send_pending()
        return 0 if self._state == LOST else self._check_limits()

    cdef int _end_writing(self) except -1:
        self._advance(WRITE_ENDED if self._sealed != NULL else DRAINING)
        if self._tls.send_close_notify():
            self._peer_has_ended = True
        self._end_size = self._fetch()
        return 0

    cdef int _finish(self) except -1:
        """Closing, and all is sent: wait for the peer to end its side as well.

        Our direction of TCP stays open as long: peers have been seen to drop what they had not read
        yet when both that and the end of TLS came at once.
        """
        if self._state < WRITE_ENDED:
            return 0
        self._advance(DRAINING)
        return self._end(None) if self._peer_has_ended else 0

    cdef int _end(self, object exc) except -1:
        if self._state == LOST:
            return 0
        if self._state == DRAINING and self._unsent() == 0:
            return SocketTransport._end(self, None)  # whatever the peer did about it
        if self._state != HANDSHAKING:
            return SocketTransport._end(self, exc)
        self._stop()
        self._close_socket()
        return self._report(exc)

    cdef int _stop(self) except -1:
        SocketTransport._stop(self)
        if self._sealed != NULL:
            self.io.give_back(self._sealed)
            self._sealed = NULL
        return 0

    # -- what asyncio tells of a transport

    def get_extra_info(self, name, default=None):
        """What is known of the connection.

        Args:
            name: ``socket``, ``sockname``, ``peername``; ``ssl_object``, ``sslcontext``,
                ``peercert``, ``cipher``, ``compression``; ``records``, which is ``openssl`` or
                ``ssl`` for who encrypts them.
            default: what is returned for any other name.
        """
        if name == "ssl_object":
            return self._tls.ssl_object
        if name == "records":
            return "openssl" if isinstance(self._tls, OpensslSession) else "ssl"
        if name == "sslcontext":
            return self._context
        if name == "peercert":
            return self._tls.ssl_object.getpeercert()
        if name == "cipher":
            return self._tls.ssl_object.cipher()
        if name == "compression":
            return self._tls.ssl_object.compression()
        return SocketTransport.get_extra_info(self, name, default)


seal_type(TlsTransport)
