# The frame as user code sees it.

cimport cython
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint16_t

from wsframe.cwsframe cimport wsf_frame

from .enums cimport WSMsgType
from .loop_io cimport Block


@cython.final
cdef class WSFrame:
    cdef readonly WSMsgType msg_type
    cdef readonly bint fin
    cdef readonly bint rsv1
    cdef readonly bint rsv2
    cdef readonly bint rsv3
    cdef readonly bint last_in_buffer
    cdef readonly size_t payload_size
    cdef readonly size_t tail_size
    cdef char* payload_ptr

    cdef PyObject* _member  # what `msg_type` is in Python; borrowed, the members are never freed
    cdef Block _block  # None once the callback is over
    cdef Block _shown  # the block that views of the payload show
    cdef Py_ssize_t _views
    cdef uint16_t _close_code

    cdef void show(self, const wsf_frame* parsed, Block block, size_t tail_size,
                   bint last_in_buffer) noexcept
    cdef void show_as(self, WSMsgType msg_type) noexcept
    cdef inline void retire(self) noexcept:
        self._block = None
        self.payload_ptr = NULL

    cdef int _check(self) except -1
    cpdef bytes get_payload_as_bytes(self)
    cpdef str get_payload_as_utf8_text(self)
    cpdef str get_payload_as_utf8(self)
    cpdef str get_payload_as_ascii_text(self)
    cpdef object get_payload_as_memoryview(self)
    cpdef object get_close_code(self)
    cpdef bytes get_close_message(self)
    cpdef str get_close_reason(self)
