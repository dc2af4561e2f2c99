"""TLS of one connection, in memory, by the public classes of Python's `ssl`.

Encrypted bytes are fed to it and come out decrypted; what is to be sent comes out encrypted. To ask
`ssl` for data that has not come costs an exception, so the records' heads, which are never
encrypted, are followed here, and it is asked for complete records only.

It knows neither sockets nor loops. It must never hide an error of TLS: who asks gets the exception.
"""

import ssl

from cpython.buffer cimport PyBuffer_FillInfo
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE

from ..loop.loop_io cimport append
from ..loop.sealed_types cimport seal_type

__all__ = ["TlsSession", "Window"]

cdef enum:
    PORTION = HEAD_SIZE + MAX_RECORD + 256  # bytes that are handed to `ssl` to decrypt

cdef object WantRead = ssl.SSLWantReadError
cdef object SSLError = ssl.SSLError
cdef object ALL = 1 << 30  # bytes: what is read into a buffer is not more than fits there


cdef class Window:
    """Memory that one call may look at, so that it need not be copied into an object."""

    cdef Window at(self, const void* data, size_t size):
        self._data = data
        self._size = size
        return self

    def __getbuffer__(self, Py_buffer* view, int flags):
        PyBuffer_FillInfo(view, self, <void*>self._data, self._size, False, flags)


cdef class TlsSession:
    """What encrypts and decrypts for one connection.

    Args:
        ssl_object: an `ssl.SSLObject` that has done nothing yet.
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

    cdef bint shake_hands(self) except -1:
        """Go on with the handshake; whether it is complete.

        Raises:
            ssl.SSLError: if it has failed, or another exception that `ssl` raises.
        """
        cdef const uint8_t* begin = self._received
        cdef size_t size = self._received_size
        cdef size_t left
        self._may_have_said = True
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

    cdef int feed(self, const uint8_t* data, size_t size) except -1:
        """Take encrypted bytes; they are looked at until the caller calls `keep`."""
        self._kept = None
        self._received = data
        self._received_size = size
        return 0

    cdef int keep(self) except -1:
        """Copy what was fed and not looked at yet; it was more than could be delivered."""
        self._received = self._keep(self._received, self._received_size)
        return 0

    cdef const uint8_t* _keep(self, const uint8_t* data, size_t size) except? NULL:
        """Copy bytes that do not last, unless they are a copy already; where they are then."""
        if size == 0 or self._kept is not None:
            return data
        self._kept = PyBytes_FromStringAndSize(<const char*>data, size)
        return <const uint8_t*>PyBytes_AS_STRING(self._kept)

    cdef bint has_input(self) noexcept:
        """Whether there is something to decrypt, though it may be less than a record."""
        return self._complete != 0 or self._received_size != 0

    cdef Py_ssize_t unseal(self, uint8_t* data, size_t room) except -2:
        """Decrypt: how many bytes, 0 if the peer has ended its side, -1 for nothing this time.

        Raises:
            ssl.SSLError: if what has come is wrong.
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
            self._may_have_said = True
            return -1
        except SSLError:
            self._complete = self._received_size = 0
            self._may_have_said = True
            raise
        if size == 0:
            self._complete = self._received_size = 0
        elif <size_t>size < room:
            self._complete -= 1
        return size

    cdef int _pass_on(self, size_t limit) except -1:
        """Give `ssl` what was fed, up to the last end of a record within the limit if it can."""
        cdef size_t step = self._follow(self._received, self._received_size, limit, AT_ONCE)
        self._incoming.write(self._window.at(self._received, step))
        self._received += step
        self._received_size -= step
        return 0

    cdef size_t _follow(self, const uint8_t* data, size_t size, size_t limit,
                        size_t most) noexcept:
        """Count complete records, up to so many if it can; how many bytes were looked at."""
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
                if self._missing == 0 or self._missing > MAX_SEALED:
                    self._missing = 0
                    self._complete += 1  # `ssl` may say what is wrong with it
            else:
                part = min(self._missing, size - at)
                self._missing -= part
                at += part
                if self._missing == 0:
                    self._complete += 1
        return at

    # -- out

    cdef Py_ssize_t seal(self, const uint8_t* data, size_t size, SendBuffer* sealed) except -1:
        """Encrypt; how many of the bytes, fewer if TLS has to receive something first.

        Args:
            sealed: gets what is encrypted, and before it what TLS has to say by itself.

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
                self.fetch(sealed)
                break
            self.fetch(sealed)
            done += part
        return done

    cdef bint has_answer(self) except -1:
        """Whether TLS has something to say by itself."""
        return self._may_have_said and self._outgoing.pending

    cdef int fetch(self, SendBuffer* sealed) except -1:
        """Take what TLS wants to have sent."""
        cdef bytes data = self._outgoing.read()
        self._may_have_said = False
        return append(sealed, <uint8_t*>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data))

    cdef bint send_close_notify(self) except -1:
        """End our side; whether the peer has ended its own. There is something to fetch then."""
        self._may_have_said = True
        try:
            self.ssl_object.unwrap()
        except SSLError:  # the peer has not answered, or had more to say
            return False
        return True


seal_type(Window)
seal_type(TlsSession)
