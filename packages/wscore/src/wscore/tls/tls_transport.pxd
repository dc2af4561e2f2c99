# A SocketTransport that speaks TLS.

from .tls_stream cimport TlsStream


cdef class TlsTransport(TlsStream):
    cdef object _context
    cdef object _shutdown_timeout
    cdef object _opened  # a future for who waits for the end of the handshake, or None

    cdef int _report(self, object exc) except -1
