"""A `SocketTransport` that speaks TLS: it encrypts what it sends and decrypts what it receives.

The cryptography is that of Python's `ssl`, or of the OpenSSL below it, in memory (`tls_session`).
Frames sent in one callback are encrypted together, in records as large as TLS allows. Input is
decrypted straight into the protocol's receive buffer. Nothing here may refer to encrypted input
after the call that received it.

Nothing that a peer does may reach the loop's exception handler: a handshake that it breaks off is
one line of debug output.
"""

import ssl

from libc.stdint cimport uint8_t

from ..connection.protocol cimport WSProtocolCore
from ..connection.read_budget cimport TURN_SIZE
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
    ROUND = 128 * 1024  # bytes that are encrypted before they are written to the socket
    AHEAD = 2 * MAX_RECORD  # distance in bytes of the ciphertext from the plaintext, in place
    # Bytes of TLS's own output that wait while the socket takes nothing; one output may be larger.
    MAX_OUTPUT = 4096
    ROOMY = 64 * 1024 + AHEAD  # bytes of room that suffice to receive and decrypt in place

cdef object SSLError = ssl.SSLError


cdef class TlsTransport(SocketTransport):
    """The transport below a `WSTransport` on TLS.

    It has the methods of `asyncio.Transport`. The protocol's `connection_made` is called when the
    handshake is complete, and never if it fails.

    Args:
        loop: the running loop.
        sock: a connected, non-blocking socket; it belongs to the transport from now on.
        protocol: the protocol of the connection.
        context: the `ssl.SSLContext`.
        handshake_timeout: seconds that the handshake may take.
        shutdown_timeout: seconds that closing may take; the protocol's ``disconnect_timeout`` if
            None.
        server_side: whether this side is the server.
        server_hostname: the name that a client verifies, or None.
        opened: a future for the result of the handshake; without one a failure is logged.
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
        self._timer = loop.call_later(
            handshake_timeout, self._handshake_timed_out, handshake_timeout
        )
        self.resume_reading()
        if not server_side:
            self._do_handshake()

    def __dealloc__(self):
        if self._ciphertext != NULL:
            free_buffer(self._ciphertext)

    # -- the handshake

    cdef int _do_handshake(self) except -1:
        """Continue the handshake; when it is complete, connect the protocol."""
        try:
            if not self._tls.do_handshake():
                return self._send_output()
        except Exception as exc:
            self._send_output()  # the alert
            return self._end(exc)
        self._stop_timer()
        self._advance(OPEN)
        self.protocol.connection_made(self)
        if self._shutdown_timeout is not None:
            self.protocol.transport.disconnect_timeout = self._shutdown_timeout
        self._end_handshake(None)
        self._decrypt()
        self._deliver()
        if self._tls.has_output():  # it leaves together with the protocol's first frames
            self._queue_output()
        return self.flush()

    def _handshake_timed_out(self, seconds):
        self._end(ConnectionAbortedError(f"the TLS handshake took longer than {seconds} seconds"))

    cdef int _end_handshake(self, object exc) except -1:
        """Resolve `opened`, or log a failure."""
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
                opened.exception()  # marks it as retrieved: the waiting task may be cancelled
        return 0

    # -- reading begins

    cpdef resume_reading(self):
        """Read the socket again, after the input that was received before."""
        SocketTransport.resume_reading(self)
        if self._reading and (self._end_is_due or self._tls.has_input()):
            self.schedule_reading()

    # -- in

    cdef int _receive(self) except -1:
        """Receive into the protocol's buffer, some distance ahead, and decrypt in place.

        The plaintext cannot overtake the ciphertext: it is shorter, except for one record whose
        beginning was received before.
        """
        cdef ReceiveBuffer buffer = self.protocol.buffer
        cdef Block block
        if self._state != HANDSHAKING:
            if self._tls.has_input():
                return self._decrypt_and_deliver()
            self._room = buffer.prepare()
            buffer.lock()
            if self._room >= ROOMY:
                block = buffer.block  # a reference: the buffer may move on to another block
                return self._take(block.data + buffer.end + AHEAD, self._room - AHEAD)
        block = self.io.take_block()
        try:
            return self._take(block.data, block.size)
        finally:
            self.io.recycle(block)

    cdef int _read_again(self, WSProtocolCore protocol) except -1:
        """Do nothing: decrypting takes more time than another iteration of the loop."""
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

    cdef int _take(self, uint8_t *data, size_t room) except -1:
        """Receive once, and handle the input."""
        cdef Py_ssize_t size = receive_into(self.fd, data, min(room, <size_t>TURN_SIZE))
        self._was_full = <size_t>size == room
        if size > 0:
            self._tls.feed(data, size)
            try:
                if self._state == HANDSHAKING:
                    return self._do_handshake()
                return self._decrypt_and_deliver()
            finally:
                self._tls.keep()
        self._deliver()
        if size == 0:
            return self._end_received()
        if size == NOTHING:
            self._is_drained = True
            return 0
        return self._fatal(-size)

    cdef int _decrypt_and_deliver(self) except -1:
        """Decrypt the input, and pass it to the protocol at once."""
        self._decrypt()
        self._deliver()
        if self._must_receive:
            self._must_receive = False
            self.flush()
        return 0

    cdef int _decrypt(self) except -1:
        """Decrypt into the protocol's buffer."""
        cdef ReceiveBuffer buffer = self.protocol.buffer
        cdef Py_ssize_t size
        while self._reading and not self.protocol.has_unparsed and self._tls.has_input():
            if self._room == 0:
                self._room = buffer.prepare()
                buffer.lock()
            try:
                size = self._tls.decrypt(
                    buffer.block.data + buffer.end + self._decrypted, self._room - self._decrypted
                )
            except SSLError as exc:
                self._send_output()  # the alert
                return self._end(exc)
            if size == 0:
                self._deliver()
                if not self._reading or self.protocol.has_unparsed:
                    self._end_is_due = True  # after the input in front of it
                    return 0
                return self._end_received()
            if size > 0:
                self._decrypted += size
                if self._room - self._decrypted < MAX_RECORD:
                    self._deliver()
            elif self._tls.has_input():  # key updates are expensive: the rest waits an iteration
                self.schedule_reading()
                break
        return self._send_output() if self._tls.has_output() else 0

    cdef int _deliver(self) except -1:
        """Pass the plaintext to the protocol, and release the room in its buffer."""
        cdef WSProtocolCore protocol = self.protocol
        cdef size_t size = self._decrypted
        if self._room == 0:  # also if the connection was lost during an earlier delivery
            return 0
        self._room = self._decrypted = 0
        if size and self._state != DRAINING:  # also if LOST: it came before the error
            return protocol.received(size)
        return protocol.buffer.tidy(protocol.buffer.needed)

    cdef int _end_received(self) except -1:
        self._peer_has_ended = True
        if self._state == HANDSHAKING:
            return self._end(ConnectionResetError("the peer closed during the TLS handshake"))
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

    cdef int write_now(self, const uint8_t *data, size_t size) except -1:
        if self.pending != NULL or self._state != OPEN or self._writing or self._must_receive:
            return Sink.write_now(self, data, size)
        self._send_from(data, size)
        return self._check_limits()

    cdef int flush(self) except -1:
        if self.pending == NULL and self._ciphertext == NULL:
            return 0
        if not self._writing and self._state != LOST:
            self._send_pending()
        return 0 if self._state == HANDSHAKING else self._check_limits()

    cdef int _send_output(self) except -1:
        """Send TLS's own output, such as alerts and key updates, if there is any."""
        if self._tls.has_output():
            if not self._writing:
                self._output_waiting = 0
            elif self._output_waiting > MAX_OUTPUT:
                return self._end(
                    ConnectionAbortedError("the peer requests key updates without reading them")
                )
            self._output_waiting += self._queue_output()
        return self.flush()

    cdef Py_ssize_t _queue_output(self) except -1:
        """Append TLS's own output to the ciphertext; return its bytes."""
        cdef SendBuffer *ciphertext = self._open_ciphertext()
        cdef size_t before = ciphertext.end - ciphertext.begin
        self._tls.take_output(ciphertext)
        return ciphertext.end - ciphertext.begin - before

    cdef int _send_pending(self) except -1:
        while True:
            if self.pending != NULL and not self._must_receive:
                self._encrypt_pending()
            if self.pending == NULL and self._state == CLOSING and not self._awaits_close():
                self._end_writing()
            if not self._push_ciphertext() or self._must_receive:
                return 0
            if self.pending == NULL:
                return self._finish() if self._state >= CLOSING else 0

    cdef int _send_large(self, const uint8_t *header, size_t header_size,
                         const uint8_t *payload, size_t size) except -1:
        """Encrypt a payload without copying it, after its header and pending data."""
        cdef SendBuffer *pending = self.open_pending()
        cdef size_t done
        if header_size:
            append(pending, header, header_size)
        done = min(size, MAX_RECORD - (pending.end - pending.begin) % MAX_RECORD)
        append(pending, payload, done)
        if not self._must_receive:
            self._encrypt_pending()
        if self.pending == NULL:
            self._send_from(payload + done, size - done)
        elif self._state != LOST:
            append(pending, payload + done, size - done)
        return self.flush()

    cdef int _send_from(self, const uint8_t *data, size_t size) except -1:
        """Encrypt bytes from the caller's memory, and send them; copy those that must wait."""
        cdef size_t done = 0
        while self._state != LOST:
            done += self._encrypt(data + done, min(size - done, <size_t>ROUND))
            if not self._push_ciphertext() or self._must_receive or done == size:
                break
        if done < size and self._state != LOST:
            append(self.open_pending(), data + done, size - done)
        return 0

    cdef int _encrypt_pending(self) except -1:
        """Encrypt a round of the pending data."""
        cdef SendBuffer *pending = self.pending
        cdef size_t done = self._encrypt(
            pending.data + pending.begin, min(pending.end - pending.begin, <size_t>ROUND)
        )
        if self._state == LOST:  # the buffer was given back
            return 0
        pending.begin += done
        if pending.begin == pending.end:
            self.drop_pending()
        return 0

    cdef size_t _encrypt(self, const uint8_t *data, size_t size) except? 0:
        """Encrypt; return how many bytes, fewer than `size` if TLS must receive something first."""
        cdef size_t done = 0
        try:
            done = self._tls.encrypt(data, size, self._open_ciphertext())
            self._must_receive = done < size
        except SSLError as exc:
            self._end(exc)
        return done

    cdef bint _push_ciphertext(self) except -1:
        """Write the ciphertext to the socket; return whether it took all."""
        if self._state == LOST:
            return False
        if self._ciphertext == NULL:
            return True
        if not self._push(self._ciphertext):
            return False
        self.io.give_back(self._ciphertext)
        self._ciphertext = NULL
        return True

    # -- flow control

    def can_write_eof(self):
        """Return False: TLS cannot be closed in one direction."""
        return False

    def write_eof(self):
        """Raise NotImplementedError, as asyncio's transports do."""
        raise NotImplementedError("TLS cannot be closed in one direction")

    cdef size_t _unsent(self) noexcept:
        cdef size_t size = SocketTransport._unsent(self)
        if self._ciphertext != NULL:
            size += self._ciphertext.end - self._ciphertext.begin
        return size

    # -- the end

    cdef int _send_rest(self) except -1:
        self._send_pending()
        return 0 if self._state == LOST else self._check_limits()

    cdef int _end_writing(self) except -1:
        self._advance(WRITE_ENDED if self._ciphertext != NULL else DRAINING)
        if self._tls.send_close_notify():
            self._peer_has_ended = True
        self._end_size = self._queue_output()
        return 0

    cdef int _finish(self) except -1:
        """Closing, with all data sent: wait for the peer's close_notify.

        Our direction of TCP stays open until then: some peers drop unread input if our close_notify
        and the end of TCP arrive together.
        """
        if self._state < WRITE_ENDED:
            return 0
        self._advance(DRAINING)
        return self._end(None) if self._peer_has_ended else 0

    cdef int _end(self, object exc) except -1:
        if self._state == HANDSHAKING:
            self._stop()
            self._close_socket()
            return self._end_handshake(exc)
        if self._state == DRAINING and self._unsent() == 0:
            exc = None  # all was delivered: errors do not matter
        return SocketTransport._end(self, exc)

    cdef int _stop(self) except -1:
        SocketTransport._stop(self)
        if self._ciphertext != NULL:
            self.io.give_back(self._ciphertext)
            self._ciphertext = NULL
        return 0

    # -- the rest of `asyncio.Transport`

    def get_extra_info(self, name, default=None):
        """Return information on the connection.

        Args:
            name: ``socket``, ``sockname``, ``peername``; ``ssl_object``, ``sslcontext``,
                ``peercert``, ``cipher``, ``compression``; ``records``: ``openssl`` or ``ssl``,
                depending on which of them encrypts the records.
            default: the result for any other name.
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
