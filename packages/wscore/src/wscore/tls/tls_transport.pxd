# A SocketTransport that speaks TLS.

from libc.stdint cimport uint8_t

from ..loop.loop_io cimport SendBuffer
from ..sockets.socket_transport cimport MOST, SocketTransport
from .tls_session cimport TlsSession


cdef class TlsTransport(SocketTransport):
    cdef TlsSession _tls
    cdef object _context
    cdef object _shutdown_timeout
    cdef object _opened  # a future for who waits for the end of the handshake, or None

    # in
    cdef size_t _room  # in the receive buffer, which is locked; 0 if it is not
    cdef size_t _decrypted  # bytes of that room that are used, and not delivered
    cdef bint _end_is_due  # the peer has ended its side, behind what is not parsed yet

    # out
    cdef SendBuffer* _sealed  # encrypted and not taken by the socket; NULL if there is nothing
    cdef size_t _answers_waiting  # bytes that TLS has answered while the socket took nothing
    cdef bint _must_receive  # TLS encrypts nothing more before it has received something

    # the handshake
    cdef int _shake_hands(self) except -1
    cdef int _report(self, object exc) except -1

    # in
    cdef int _take(self, uint8_t* data, size_t room) except -1
    cdef int _unseal(self) except -1
    cdef int _decrypt(self) except -1
    cdef int _deliver(self) except -1
    cdef int _end_received(self) except -1

    # out
    cdef int _answer(self) except -1
    cdef Py_ssize_t _fetch(self) except -1
    cdef int _send_pending(self) except -1
    cdef int _send_from(self, const uint8_t* data, size_t size) except -1
    cdef int _seal_pending(self) except -1
    cdef size_t _seal(self, const uint8_t* data, size_t size) except? 0
    cdef bint _push_sealed(self) except -1

    cdef inline SendBuffer* _open_sealed(self) except NULL:
        if self._sealed == NULL:
            self._sealed = self.io.take_buffer()
        return self._sealed
