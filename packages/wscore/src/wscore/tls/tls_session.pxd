# TLS of one connection, in memory.

from libc.stdint cimport uint8_t

from ..loop.loop_io cimport SendBuffer

cdef enum:
    HEAD_SIZE = 5  # bytes: the type, the version, the length
    MAX_RECORD = 16 * 1024  # bytes of plaintext in one record
    MAX_CIPHERTEXT = MAX_RECORD + 2048  # the same when encrypted, in any version of TLS
    AT_ONCE = 64  # records without data (key updates) before the loop iterates


cdef class Window:
    cdef const void *_data
    cdef size_t _size

    cdef Window at(self, const void *data, size_t size)


cdef class TlsSession:
    cdef object ssl_object
    cdef Window _window
    cdef object _read  # methods of `ssl_object`, looked up once
    cdef object _write
    cdef object _incoming
    cdef object _outgoing
    cdef bint _may_have_output  # `_outgoing` may not be empty

    # in
    cdef const uint8_t *_received  # input that is not in `_incoming` yet
    cdef size_t _received_size
    cdef bytes _kept  # the memory that it points to between two reads
    cdef size_t _complete  # records in `_incoming` that are not decrypted; an upper bound
    cdef size_t _missing  # bytes of the last record that have not arrived yet
    cdef uint8_t[5] _head  # the header of the last record
    cdef int _head_size  # bytes of it that have arrived, until it is complete

    cdef bint do_handshake(self) except -1

    cdef int feed(self, const uint8_t *data, size_t size) except -1
    cdef int keep(self) except -1
    cdef const uint8_t *_keep(self, const uint8_t *data, size_t size) except? NULL
    cdef bint has_input(self) noexcept
    cdef Py_ssize_t decrypt(self, uint8_t *data, size_t room) except -2

    cdef Py_ssize_t encrypt(self, const uint8_t *data, size_t size,
                            SendBuffer *ciphertext) except -1
    cdef bint has_output(self) except -1
    cdef int take_output(self, SendBuffer *ciphertext) except -1
    cdef bint send_close_notify(self) except -1

    cdef int _pass_on(self, size_t limit) except -1
    cdef size_t _follow(self, const uint8_t *data, size_t size, size_t limit,
                        size_t most) noexcept
