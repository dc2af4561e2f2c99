# TLS of one connection, in memory.

from libc.stdint cimport uint8_t

from ..loop.loop_io cimport SendBuffer

cdef enum:
    HEAD_SIZE = 5  # bytes: the type, the version, the length
    MAX_RECORD = 16 * 1024  # bytes that one record can hold
    MAX_SEALED = MAX_RECORD + 2048  # the same when encrypted, in any version of TLS
    AT_ONCE = 64  # records without data (new keys) before the loop iterates


cdef class Window:
    cdef const void* _data
    cdef size_t _size

    cdef Window at(self, const void* data, size_t size)


cdef class TlsSession:
    cdef object ssl_object
    cdef Window _window
    cdef object _read  # methods of `ssl_object`, looked up once
    cdef object _write
    cdef object _incoming
    cdef object _outgoing
    cdef bint _may_have_said  # something that nobody has fetched

    # in
    cdef const uint8_t* _received  # what is fed, and not in `_incoming` yet
    cdef size_t _received_size
    cdef bytes _kept  # what that points to between two reads
    cdef size_t _complete  # records in `_incoming` that are not decrypted; there may be fewer
    cdef size_t _missing  # bytes of the last record that have not come yet
    cdef uint8_t[5] _head  # of the last record
    cdef int _head_size  # bytes of it that have come, until it is complete

    cdef bint shake_hands(self) except -1

    cdef int feed(self, const uint8_t* data, size_t size) except -1
    cdef int keep(self) except -1
    cdef const uint8_t* _keep(self, const uint8_t* data, size_t size) except? NULL
    cdef bint has_input(self) noexcept
    cdef Py_ssize_t unseal(self, uint8_t* data, size_t room) except -2

    cdef Py_ssize_t seal(self, const uint8_t* data, size_t size, SendBuffer* sealed) except -1
    cdef bint has_answer(self) except -1
    cdef int fetch(self, SendBuffer* sealed) except -1
    cdef bint send_close_notify(self) except -1

    cdef int _pass_on(self, size_t limit) except -1
    cdef size_t _follow(self, const uint8_t* data, size_t size, size_t limit,
                        size_t most) noexcept
