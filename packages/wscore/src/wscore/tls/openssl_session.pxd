# A TlsSession that calls OpenSSL itself.

from .openssl cimport BIO, SSL, Wire
from .tls_session cimport TlsSession


cdef class OpensslSession(TlsSession):
    cdef SSL *_ssl  # kept alive by `ssl_object`
    cdef BIO *_bio
    cdef Wire *_wire  # of `_bio`
    cdef unsigned int _reads  # left for records without data

    cdef int attach(self, SSL *ssl) except -1
    cdef Py_ssize_t _decrypt_by_ssl(self, unsigned char *data, size_t room) except -2


cdef TlsSession new_session(object context, bint server_side, object server_hostname)
