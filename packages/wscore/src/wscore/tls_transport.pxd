# A SocketTransport that speaks TLS.

from .tls_stream cimport TlsStream


cdef class TlsTransport(TlsStream):
    cdef object _context
    cdef object _opened  # a future for who waits for the end of the handshake, or None
    cdef object _timer  # of the handshake, then of the goodbye
    cdef object _goodbye_time
    cdef bint _peer_has_ended
    cdef bint _has_ended

    cdef int _await_goodbye(self) except -1
    cdef int _stop_timer(self) except -1
    cdef int _report(self, object exc) except -1
