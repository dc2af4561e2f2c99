# A SocketTransport that speaks TLS.

from libc.stdint cimport uint8_t

from .loop_io cimport SendBuffer
from .socket_transport cimport SocketTransport


cdef enum Stage:
    SHAKING_HANDS  # the protocol does not know of the transport yet
    SECURED
    SAYING_GOODBYE  # what the peer still sends is thrown away


cdef class Window:
    cdef const void* _data
    cdef size_t _size

    cdef Window at(self, const void* data, size_t size)


cdef class TlsTransport(SocketTransport):
    cdef Stage _stage
    cdef object _tls  # an ssl.SSLObject
    cdef object _tls_read  # methods of the four, looked up once
    cdef object _tls_write
    cdef object _incoming_write
    cdef object _outgoing_read
    cdef object _context
    cdef object _incoming
    cdef object _outgoing
    cdef object _opened  # a future for who waits for the end of the handshake, or None
    cdef object _timer  # of the handshake, then of the goodbye
    cdef object _goodbye_time
    cdef Window _window

    # in
    cdef size_t _complete  # records in `_incoming` that are not decrypted; there may be fewer
    cdef size_t _missing  # bytes of the last record that have not come yet
    cdef uint8_t[5] _head  # of the last record
    cdef int _head_size  # bytes of it that have come, until it is complete
    cdef size_t _room  # in the receive buffer, which is locked; 0 if it is not
    cdef size_t _decrypted  # bytes of that room that are used, and not delivered
    cdef bint _peer_has_ended
    cdef bint _has_ended

    cdef int _take(self, uint8_t* data, size_t room) except -1
    cdef int _shake_hands(self, const uint8_t* data, size_t size) except -1
    cdef int _unseal(self, const uint8_t* data, size_t size) except -1
    cdef size_t _step(self, const uint8_t* data, size_t size, size_t limit) noexcept
    cdef int _decrypt(self) except -1
    cdef Py_ssize_t _read(self, uint8_t* data, size_t room) except -2
    cdef int _deliver(self) except -1
    cdef int _end_received(self) except -1

    # out
    cdef SendBuffer _sealed  # encrypted and not taken by the socket; None if there is nothing
    cdef bint _has_answer  # TLS may have something to say by itself
    cdef bint _must_receive  # TLS encrypts nothing more before it has received something

    cdef int _answer(self) except -1
    cdef int _send_pending(self) except -1
    cdef int _send_from(self, const uint8_t* data, size_t size) except -1
    cdef int _seal_pending(self) except -1
    cdef size_t _seal(self, const uint8_t* data, size_t size) except? 0
    cdef int _fetch(self) except -1
    cdef bint _push_sealed(self) except -1
    cdef bint _push_pieces(self) except -1
    cdef int _keep(self, const uint8_t* data, size_t size) except -1

    # the end
    cdef int _say_goodbye(self) except -1
    cdef int _await_goodbye(self) except -1
    cdef int _stop_timer(self) except -1
    cdef int _report(self, object exc) except -1
