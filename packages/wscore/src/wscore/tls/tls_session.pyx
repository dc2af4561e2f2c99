"""TLS of one connection, in memory, by the public classes of Python's `ssl`.

Ciphertext goes in and plaintext comes out, and the other way round. Asking `ssl` for data that has
not arrived costs an exception, so the headers of records, which are never encrypted, are parsed
here, and `ssl` is asked for complete records only.

It knows neither sockets nor loops. It must never hide an error of TLS: its caller gets it.
"""

import ssl

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

from ..loop.loop_io cimport append
from ..loop.sealed_types cimport seal_type

__all__ = ["TlsSession", "Window"]

cdef enum:
    PORTION = HEAD_SIZE + MAX_RECORD + 256  # bytes that are passed to `ssl` at a time

cdef object WantRead = ssl.SSLWantReadError
cdef object SSLError = ssl.SSLError
cdef object ALL = 1 << 30  # bytes: no limit besides the size of the buffer


cdef class Window:
    """A buffer object for memory that one call may use, which saves a copy into an object."""

    cdef Window at(self, const void *data, size_t size):
        self._data = data
        self._size = size
        return self

    def __getbuffer__(self, Py_buffer *view, int flags):
        PyBuffer_FillInfo(view, self, <void *>self._data, self._size, False, flags)


cdef class TlsSession:
    """The encryption of one connection.

    Args:
        ssl_object: a new `ssl.SSLObject`.
        incoming: the `ssl.MemoryBIO` that it reads from.
        outgoing: the one that it writes to.
    """

    def __init__(self, ssl_object, incoming, outgoing):
        self.ssl_object = ssl_object
        self._read = ssl_object.read
        self._write = ssl_object.write
        self._incoming = incoming
        self._outgoing = outgoing
        self._window = Window.__new__(Window)

    cdef bint do_handshake(self) except -1:
        """Continue the handshake; return whether it is complete.

        Raises:
            ssl.SSLError: if it failed; `ssl` may raise other exceptions, too.
        """
        cdef const uint8_t *begin = self._received
        cdef size_t size = self._received_size
        cdef size_t left
        self._may_have_output = True
        if size:
            self._incoming.write(self._window.at(begin, size))
            self._received_size = 0
        try:
            self.ssl_object.do_handshake()
        except WantRead:
            return False
        left = self._incoming.pending
        self._follow(begin + size - left, left, left, left)
        return True

    # -- in

    cdef int feed(self, const uint8_t *data, size_t size) except -1:
        """Take ciphertext; the memory is used until the caller calls `keep`."""
        self._kept = None
        self._received = data
        self._received_size = size
        return 0

    cdef int keep(self) except -1:
        """Copy the ciphertext that is left; the protocol could not take more."""
        self._received = self._keep(self._received, self._received_size)
        return 0

    cdef const uint8_t *_keep(self, const uint8_t *data, size_t size) except? NULL:
        """Copy bytes, unless they are a copy already; return where they are now."""
        if size == 0 or self._kept is not None:
            return data
        self._kept = PyBytes_FromStringAndSize(<const char *>data, size)
        return <const uint8_t *>PyBytes_AS_STRING(self._kept)

    cdef bint has_input(self) noexcept:
        """Return whether there is something to decrypt, though it may be less than a record."""
        return self._complete != 0 or self._received_size != 0

    cdef Py_ssize_t decrypt(self, uint8_t *data, size_t room) except -2:
        """Decrypt; return the bytes, 0 after the peer's close_notify, -1 if there is nothing yet.

        Raises:
            ssl.SSLError: if the input is wrong.
        """
        cdef Py_ssize_t size
        if self._complete == 0:
            self._pass_on(PORTION)
            if self._complete == 0:
                return -1
        try:
            size = self._read(ALL, self._window.at(data, room))
        except WantRead:
            self._complete = 0
            self._may_have_output = True
            return -1
        except SSLError:
            self._complete = self._received_size = 0
            self._may_have_output = True
            raise
        if size == 0:
            self._complete = self._received_size = 0
        elif <size_t>size < room:
            self._complete -= 1
        return size

    cdef int _pass_on(self, size_t limit) except -1:
        """Pass input to `ssl`, up to the last end of a record within the limit if possible."""
        cdef size_t step = self._follow(self._received, self._received_size, limit, AT_ONCE)
        self._incoming.write(self._window.at(self._received, step))
        self._received += step
        self._received_size -= step
        return 0

    cdef size_t _follow(self, const uint8_t *data, size_t size, size_t limit,
                        size_t most) noexcept:
        """Count complete records, up to `most` if possible; return how many bytes were parsed."""
        cdef size_t at = 0
        cdef size_t part
        while at < size:
            if self._missing == 0:
                if self._head_size == 0 and at and size - at >= HEAD_SIZE:
                    part = data[at + 3] << 8 | data[at + 4]
                    if at + HEAD_SIZE + part > limit or self._complete >= most:
                        return at
                self._head[self._head_size] = data[at]
                self._head_size += 1
                at += 1
                if self._head_size < HEAD_SIZE:
                    continue
                self._head_size = 0
                self._missing = self._head[3] << 8 | self._head[4]
                if self._missing == 0 or self._missing > MAX_CIPHERTEXT:
                    self._missing = 0
                    self._complete += 1  # `ssl` will report the error
            else:
                part = min(self._missing, size - at)
                self._missing -= part
                at += part
                if self._missing == 0:
                    self._complete += 1
        return at

    # -- out

    cdef Py_ssize_t encrypt(self, const uint8_t *data, size_t size,
                            SendBuffer *ciphertext) except -1:
        """Encrypt; return how many bytes, fewer than `size` if TLS must receive something first.

        Args:
            ciphertext: gets TLS's own output, if there is any, and the encrypted bytes.

        Raises:
            ssl.SSLError: if the connection cannot be used any more.
        """
        cdef size_t done = 0
        cdef size_t part
        while done < size:
            part = min(size - done, <size_t>MAX_RECORD)
            try:
                part = self._write(self._window.at(data + done, part))
            except WantRead:
                self.take_output(ciphertext)
                break
            self.take_output(ciphertext)
            done += part
        return done

    cdef bint has_output(self) except -1:
        """Return whether TLS has output of its own."""
        return self._may_have_output and self._outgoing.pending

    cdef int take_output(self, SendBuffer *ciphertext) except -1:
        """Append TLS's own output to the ciphertext."""
        cdef bytes data = self._outgoing.read()
        self._may_have_output = False
        return append(ciphertext, <uint8_t *>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))

    cdef bint send_close_notify(self) except -1:
        """Make a close_notify, as output; return whether the peer's has come."""
        self._may_have_output = True
        try:
            self.ssl_object.unwrap()
        except SSLError:  # the peer has not answered, or had more to say
            return False
        return True


seal_type(Window)
seal_type(TlsSession)
