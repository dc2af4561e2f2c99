"""A `TlsSession` whose records are made and read by OpenSSL itself, without Python's `ssl` between.

The handshake, certificates, the goodbye and every error remain with the `ssl.SSLObject`: where a
call of OpenSSL's does anything but succeed or want more to read, the method of `ssl` for the same
purpose is called, meets the same error, and raises what it always raises.

OpenSSL reads from and writes to our own memory, by a BIO of its own for each connection. Outside
the calls here it has no place to write to but that BIO's, so that nothing that others do with the
`SSLObject` can reach memory that is not theirs.
"""

import ssl as ssl_module

from libc.stdint cimport uint8_t
from libc.stdlib cimport free

from ..loop.loop_io cimport SendBuffer, append, reserve
from .openssl cimport ANY_READS, SSL_ERROR_WANT_READ, new_wire, openssl, wrap
from ..loop.sealed_types cimport seal_type
from .tls_session cimport AT_ONCE, MAX_RECORD, MAX_SEALED

__all__ = ["OpensslSession"]

cdef enum:
    READS = 2 * AT_ONCE  # of a head and of what is behind it

cdef object WantRead = ssl_module.SSLWantReadError
cdef object ALL = 1 << 30  # bytes: what is read into a buffer is not more than fits there


cdef TlsSession new_session(object context, bint server_side, object server_hostname):
    """Make the session of a new connection, the fastest that there can be.

    A context that writes its keys down, or shows its messages, reports what goes wrong with that
    through `ssl`, so its connections go that way.

    Raises:
        ValueError: if the host name is not one, or whatever else the context raises.
    """
    cdef SSL* ssl
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
    """What encrypts and decrypts for one connection."""

    cdef int attach(self, SSL* ssl) except -1:
        """Have TLS read from and write to our memory, from its first byte on."""
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

    cdef bint shake_hands(self) except -1:
        try:
            self.ssl_object.do_handshake()
        except WantRead:
            return False
        return True

    # -- in

    cdef int feed(self, const uint8_t* data, size_t size) except -1:
        self._kept = None
        self._wire.received = data
        self._wire.received_size = size
        return 0

    cdef int keep(self) except -1:
        self._wire.received = self._keep(self._wire.received, self._wire.received_size)
        return 0

    cdef bint has_input(self) noexcept:
        return self._wire.received_size != 0 or openssl.pending(self._ssl) > 0

    cdef Py_ssize_t unseal(self, uint8_t* data, size_t room) except -2:
        cdef Wire* wire = self._wire
        cdef size_t size
        cdef bint has_read
        if openssl.err_peek_error():
            openssl.err_clear_error()  # somebody else's would be taken for ours
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
        return self._unseal_by_ssl(data, room)

    cdef Py_ssize_t _unseal_by_ssl(self, uint8_t* data, size_t room) except -2:
        """Have `ssl` say what OpenSSL has met; the error is still the last one that OpenSSL noted.
        """
        self._wire.received_size = 0
        try:
            return self._read(ALL, self._window.at(data, room))
        except WantRead:
            return -1

    # -- out

    cdef Py_ssize_t seal(self, const uint8_t* data, size_t size, SendBuffer* sealed) except -1:
        cdef Wire* wire = self._wire
        cdef size_t done = 0
        cdef size_t part
        cdef bint is_sealed
        if openssl.err_peek_error():
            openssl.err_clear_error()
        if wire.extra_size:
            self.fetch(sealed)
        while done < size:
            part = min(size - done, <size_t>MAX_RECORD)
            wire.place = reserve(sealed, MAX_SEALED)
            wire.room = MAX_SEALED
            is_sealed = openssl.write_ex(self._ssl, data + done, part, &part)
            sealed.end += wire.size
            wire.size = wire.room = 0
            if wire.extra_size:
                self.fetch(sealed)
            if not is_sealed:
                if openssl.get_error(self._ssl, 0) == SSL_ERROR_WANT_READ:
                    break
                # `ssl` says what is wrong, or does what is not.
                return done + TlsSession.seal(self, data + done, size - done, sealed)
            done += part
        return done

    cdef bint has_answer(self) except -1:
        return self._wire.extra_size != 0

    cdef int fetch(self, SendBuffer* sealed) except -1:
        cdef Wire* wire = self._wire
        if wire.extra_size:
            append(sealed, wire.extra, wire.extra_size)
            free(wire.extra)
            wire.extra = NULL
            wire.extra_size = wire.extra_room = 0
        return 0


seal_type(OpensslSession)
