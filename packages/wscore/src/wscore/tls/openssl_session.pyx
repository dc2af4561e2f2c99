"""A `TlsSession` that calls OpenSSL directly for records, without Python's `ssl` in between.

The handshake, certificates, close_notify and all errors remain with the `ssl.SSLObject`: when a
call of OpenSSL neither succeeds nor wants more input, the `ssl` method for the same purpose is
called, meets the same error, and raises its usual exception. So no error is translated here.

OpenSSL reads from and writes to our memory, by a BIO for each connection. Outside the calls here
the BIO points only to memory of its own, so that other users of the `SSLObject` cannot make OpenSSL
touch ours.
"""

import ssl as ssl_module

from libc.stdint cimport uint8_t
from libc.stdlib cimport free

from ..loop.loop_io cimport SendBuffer, append, reserve
from .openssl cimport ANY_READS, SSL_ERROR_WANT_READ, new_wire, openssl, wrap
from ..loop.sealed_types cimport seal_type
from .tls_session cimport AT_ONCE, MAX_CIPHERTEXT, MAX_RECORD

__all__ = ["OpensslSession"]

cdef enum:
    READS = 2 * AT_ONCE  # OpenSSL reads the header of a record, and then its body

cdef object WantRead = ssl_module.SSLWantReadError
cdef object ALL = 1 << 30  # bytes: no limit besides the size of the buffer


cdef TlsSession new_session(object context, bint server_side, object server_hostname):
    """Make the session of a new connection, an `OpensslSession` if possible.

    A context with a key log or a message callback reports errors of those through `ssl`, so its
    connections use `ssl`.

    Raises:
        ValueError: if the host name is invalid; the context may raise other exceptions.
    """
    cdef SSL *ssl
    cdef OpensslSession session
    incoming = ssl_module.MemoryBIO()
    outgoing = ssl_module.MemoryBIO()
    made = wrap(context, incoming, outgoing, server_side, server_hostname, &ssl)
    if ssl == NULL or _is_observed(made.context):
        return TlsSession(made, incoming, outgoing)
    session = OpensslSession(made, incoming, outgoing)
    session.attach(ssl)
    return session


cdef bint _is_observed(object context) except -1:
    return (
        context.keylog_filename is not None
        or getattr(context, "_msg_callback", None) is not None
    )


cdef class OpensslSession(TlsSession):
    """The encryption of one connection, by direct calls of OpenSSL."""

    cdef int attach(self, SSL *ssl) except -1:
        """Have OpenSSL read from and write to our memory, from the first byte on."""
        self._bio = new_wire(&self._wire)
        self._reads = READS
        self._ssl = ssl
        openssl.bio_up_ref(self._bio)
        openssl.set_bio(ssl, self._bio, self._bio)  # which takes one reference
        self._incoming = self._outgoing = None
        return 0

    def __dealloc__(self):
        if self._bio != NULL:
            self._wire.received_size = self._wire.room = 0
            openssl.bio_free(self._bio)

    cdef bint do_handshake(self) except -1:
        try:
            self.ssl_object.do_handshake()
        except WantRead:
            return False
        return True

    # -- in

    cdef int feed(self, const uint8_t *data, size_t size) except -1:
        self._kept = None
        self._wire.received = data
        self._wire.received_size = size
        return 0

    cdef int keep(self) except -1:
        self._wire.received = self._keep(self._wire.received, self._wire.received_size)
        return 0

    cdef bint has_input(self) noexcept:
        return self._wire.received_size != 0 or openssl.pending(self._ssl) > 0

    cdef Py_ssize_t decrypt(self, uint8_t *data, size_t room) except -2:
        cdef Wire *wire = self._wire
        cdef size_t size
        cdef bint has_read
        if openssl.err_peek_error():
            openssl.err_clear_error()  # an error left by other code would be taken for ours
        wire.reads = self._reads
        has_read = openssl.read_ex(self._ssl, data, room, &size)
        self._reads = wire.reads
        wire.reads = ANY_READS
        if has_read:
            self._reads = min(self._reads + 2, <unsigned int>READS)
            return size
        if openssl.get_error(self._ssl, 0) == SSL_ERROR_WANT_READ:
            if wire.received_size:
                self._reads = READS
            return -1
        return self._decrypt_by_ssl(data, room)

    cdef Py_ssize_t _decrypt_by_ssl(self, uint8_t *data, size_t room) except -2:
        """Have `ssl` report OpenSSL's error, which is still the last one in OpenSSL's queue."""
        self._wire.received_size = 0
        try:
            return self._read(ALL, self._window.at(data, room))
        except WantRead:
            return -1

    # -- out

    cdef Py_ssize_t encrypt(self, const uint8_t *data, size_t size,
                            SendBuffer *ciphertext) except -1:
        cdef Wire *wire = self._wire
        cdef size_t done = 0
        cdef size_t part
        cdef bint is_encrypted
        if openssl.err_peek_error():
            openssl.err_clear_error()
        if wire.extra_size:
            self.take_output(ciphertext)
        while done < size:
            part = min(size - done, <size_t>MAX_RECORD)
            wire.place = reserve(ciphertext, MAX_CIPHERTEXT)
            wire.room = MAX_CIPHERTEXT
            is_encrypted = openssl.write_ex(self._ssl, data + done, part, &part)
            ciphertext.end += wire.size
            wire.size = wire.room = 0
            if wire.extra_size:
                self.take_output(ciphertext)
            if not is_encrypted:
                if openssl.get_error(self._ssl, 0) == SSL_ERROR_WANT_READ:
                    break
                # `ssl` raises the error, or encrypts if it was temporary.
                return done + TlsSession.encrypt(self, data + done, size - done, ciphertext)
            done += part
        return done

    cdef bint has_output(self) except -1:
        return self._wire.extra_size != 0

    cdef int take_output(self, SendBuffer *ciphertext) except -1:
        cdef Wire *wire = self._wire
        if wire.extra_size:
            append(ciphertext, wire.extra, wire.extra_size)
            free(wire.extra)
            wire.extra = NULL
            wire.extra_size = wire.extra_room = 0
        return 0


seal_type(OpensslSession)
