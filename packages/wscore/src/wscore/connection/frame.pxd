# The view of one received frame.
#
# The bodies of `show` and `retire` stand here so that they are compiled into their callers.

cimport cython
from cpython.object cimport PyObject
from libc.stdint cimport uint8_t, uint16_t

from wsframe.cwsframe cimport WSF_RSV1, WSF_RSV2, WSF_RSV3, wsf_frame

from ..enums cimport WSMsgType
from ..loop.loop_io cimport Block


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
    cdef char *payload_ptr

    cdef PyObject *_member  # `msg_type` as a Python object; borrowed, members are never freed
    cdef PyObject **_members  # all of them, by opcode
    cdef PyObject *_block  # NULL once the callback is over; the receive buffer owns it until then
    cdef Block _shown  # the block that memoryviews of the payload show
    cdef Py_ssize_t _views
    cdef uint16_t _close_code

    cdef inline void show(self, const wsf_frame *parsed, PyObject *block, size_t tail_size,
                          bint last_in_buffer) noexcept:
        """Make this the view of a frame whose payload lies in the block."""
        self.show_as(<WSMsgType>parsed.opcode)
        self.fin = parsed.fin
        self.rsv1 = (parsed.rsv & WSF_RSV1) != 0
        self.rsv2 = (parsed.rsv & WSF_RSV2) != 0
        self.rsv3 = (parsed.rsv & WSF_RSV3) != 0
        self.last_in_buffer = last_in_buffer
        self.payload_ptr = <char *>parsed.payload
        self.payload_size = parsed.payload_size
        self.tail_size = tail_size
        self._close_code = parsed.close_code
        self._block = block

    cdef inline void show_as(self, WSMsgType msg_type) noexcept:
        self.msg_type = msg_type
        self._member = self._members[<int>msg_type]

    cdef inline void retire(self) noexcept:
        self._block = NULL
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
