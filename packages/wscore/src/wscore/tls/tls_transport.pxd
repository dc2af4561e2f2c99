# A SocketTransport that speaks TLS.

from libc.stdint cimport uint8_t

from ..loop.loop_io cimport SendBuffer
from ..sockets.socket_transport cimport SocketTransport
from .tls_session cimport TlsSession


cdef class TlsTransport(SocketTransport):
    cdef TlsSession _tls
    cdef object _context
    cdef object _shutdown_timeout
    cdef object _opened  # a future for the end of the handshake, or None

    # in
    cdef size_t _room  # bytes in the receive buffer, which is locked; 0 if it is not
    cdef size_t _decrypted  # bytes of that room with plaintext that is not delivered yet
    cdef bint _end_is_due  # the peer has ended its direction, after input that is not parsed yet

    # out
    cdef SendBuffer *_ciphertext  # not yet taken by the socket; NULL if there is none
    cdef size_t _output_waiting  # bytes of TLS's own output while the socket took nothing
    cdef bint _must_receive  # TLS must receive something before it encrypts more

    # the handshake
    cdef int _do_handshake(self) except -1
    cdef int _end_handshake(self, object exc) except -1

    # in
    cdef int _take(self, uint8_t *data, size_t room) except -1
    cdef int _decrypt_and_deliver(self) except -1
    cdef int _decrypt(self) except -1
    cdef int _deliver(self) except -1
    cdef int _end_received(self) except -1

    # out
    cdef int _send_output(self) except -1
    cdef Py_ssize_t _queue_output(self) except -1
    cdef int _send_pending(self) except -1
    cdef int _send_from(self, const uint8_t *data, size_t size) except -1
    cdef int _encrypt_pending(self) except -1
    cdef size_t _encrypt(self, const uint8_t *data, size_t size) except? 0
    cdef bint _push_ciphertext(self) except -1

    cdef inline SendBuffer *_open_ciphertext(self) except NULL:
        if self._ciphertext == NULL:
            self._ciphertext = self.io.take_buffer()
        return self._ciphertext
