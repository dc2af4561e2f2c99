"""The view of one received frame that is passed to `on_ws_frame`.

A frame points into the receive buffer and owns nothing. When the callback returns it is retired:
its methods raise from then on. Memoryviews of its payload that are still alive keep their memory,
and keep showing the same bytes.
"""

cimport cython
from cpython.buffer cimport PyBUF_FORMAT, PyBUF_ND, PyBUF_STRIDES, PyBUF_WRITABLE
from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.memoryview cimport PyMemoryView_FromObject
from cpython.unicode cimport PyUnicode_DecodeASCII, PyUnicode_DecodeUTF8

from wsframe.cwsframe cimport WSF_CLOSE_NO_STATUS

from .. import enums
from ..enums cimport CLOSE, CONTINUATION, close_code_to_python, msg_type_to_python
from ..loop.sealed_types cimport seal_type

__all__ = ["WSFrame"]

cdef extern from "Python.h":
    ctypedef struct PyTypeObject:
        PyObject *tp_dict

    void PyType_Modified(type owner)

cdef extern from "structmember.h":
    ctypedef struct PyMemberDef:
        const char *name
        int type
        Py_ssize_t offset
        int flags

    enum:
        T_OBJECT_EX
        READONLY

    object PyDescr_NewMember(type owner, PyMemberDef *definition)


@cython.binding(False)  # builtin methods are cheaper to call
@cython.always_allow_keywords(False)  # and none has arguments
@cython.embedsignature(True)
@cython.embedsignature.format("clinic")
@cython.no_gc  # it refers to nothing that could refer back; a view of it may outlive a clearing
cdef class WSFrame:
    """A received frame, valid during the callback that it was passed to.

    Attributes:
        msg_type: its `WSMsgType`; CONTINUATION for all frames of a message but the first.
        fin: whether it is the last frame of its message.
        rsv1: the first reserved bit, set by some extensions.
        rsv2: the second reserved bit.
        rsv3: the third reserved bit.
        last_in_buffer: whether no further frame is delivered in this iteration of the loop: no
            complete one has been received, or the connection has used its budget.
        payload_size: bytes of payload.
        tail_size: received bytes after this frame.
    """

    def __init__(self):
        raise TypeError("frames are made by a connection")

    def __cinit__(self):
        self._members = MEMBERS
        self.show_as(CONTINUATION)

    cdef int _check(self) except -1:
        if self._block == NULL:
            raise RuntimeError(
                "a WSFrame is valid only during the callback that it was passed to: "
                "copy the payload there"
            )
        return 0

    # -- for user code

    cpdef bytes get_payload_as_bytes(self):
        """Return a copy of the payload."""
        self._check()
        return PyBytes_FromStringAndSize(self.payload_ptr, self.payload_size)

    cpdef str get_payload_as_utf8_text(self):
        """Return the payload decoded as UTF-8.

        Raises:
            UnicodeDecodeError: if it is not UTF-8; a fragment of a text may end inside a character.
        """
        self._check()
        return PyUnicode_DecodeUTF8(self.payload_ptr, self.payload_size, NULL)

    cpdef str get_payload_as_utf8(self):
        """Do the same as `get_payload_as_utf8_text`, under its older name."""
        return self.get_payload_as_utf8_text()

    cpdef str get_payload_as_ascii_text(self):
        """Return the payload decoded as ASCII.

        Raises:
            UnicodeDecodeError: if it is not ASCII.
        """
        self._check()
        return PyUnicode_DecodeASCII(self.payload_ptr, self.payload_size, NULL)

    cpdef object get_payload_as_memoryview(self):
        """Return a read-only memoryview of the payload where it was received, without a copy.

        It may be kept, but holds a whole receive buffer then: a copy of a small payload costs less.
        """
        self._check()
        return PyMemoryView_FromObject(self)

    cpdef object get_close_code(self):
        """Return the code of a CLOSE frame; `WSCloseCode.NO_INFO` if it has none.

        A code that is not registered, such as 4000, becomes a `WSCloseCode` without a name.

        Raises:
            TypeError: if this is not a CLOSE frame.
        """
        self._check_close()
        cdef unsigned int code = self._close_code
        return close_code_to_python(0 if code == WSF_CLOSE_NO_STATUS else code)

    cpdef bytes get_close_message(self):
        """Return the reason of a CLOSE frame as bytes, or None if it has none.

        Raises:
            TypeError: if this is not a CLOSE frame.
        """
        self._check_close()
        if self.payload_size <= 2:
            return None
        return PyBytes_FromStringAndSize(self.payload_ptr + 2, self.payload_size - 2)

    cpdef str get_close_reason(self):
        """Return the reason of a CLOSE frame as text, or None if it has none.

        Raises:
            TypeError: if this is not a CLOSE frame.
        """
        message = self.get_close_message()
        return None if message is None else message.decode()

    def _check_close(self):
        self._check()
        if self.msg_type != CLOSE:
            raise TypeError(f"this is not a CLOSE frame but {msg_type_to_python(self.msg_type)!r}")

    def __getbuffer__(self, Py_buffer *view, int flags):
        self._check()
        if flags & PyBUF_WRITABLE == PyBUF_WRITABLE:
            raise BufferError("the payload of a frame is read-only")
        view.obj = self
        view.buf = self.payload_ptr
        view.len = self.payload_size
        view.readonly = True
        view.itemsize = 1
        view.format = NULL
        if flags & PyBUF_FORMAT:
            view.format = "B"
        view.ndim = 1
        view.shape = &view.len if flags & PyBUF_ND else NULL
        view.strides = &view.itemsize if flags & PyBUF_STRIDES == PyBUF_STRIDES else NULL
        view.suboffsets = NULL
        view.internal = NULL
        self._shown = <Block>self._block
        self._shown.views += 1
        self._views += 1

    def __releasebuffer__(self, Py_buffer *view):
        self._shown.views -= 1
        self._views -= 1
        if self._views == 0:
            self._shown = None

    def __repr__(self):
        return (
            f"WSFrame(msg_type={msg_type_to_python(self.msg_type)!r}, fin={bool(self.fin)}, "
            f"payload_size={self.payload_size})"
        )


# `msg_type` is the attribute that every listener reads. Cython's descriptor looks up the member of
# the enumeration for each access, which on Python 3.11 calls Python code: three times the cost of
# another attribute. So each frame holds the member, and a descriptor that the interpreter reads
# without a call replaces Cython's.
cdef PyObject *MEMBERS[16]  # by opcode; NULL where the protocol has none

for _member in enums.WSMsgType:
    MEMBERS[<int>_member.value] = <PyObject *>_member

cdef PyMemberDef MSG_TYPE
MSG_TYPE.name = "msg_type"
MSG_TYPE.type = T_OBJECT_EX
MSG_TYPE.flags = READONLY


cdef int show_members() except -1:
    cdef WSFrame frame = WSFrame.__new__(WSFrame)
    cdef PyTypeObject *owner = <PyTypeObject *>WSFrame
    MSG_TYPE.offset = <char *>&frame._member - <char *><PyObject *>frame
    (<dict>owner.tp_dict)["msg_type"] = PyDescr_NewMember(WSFrame, &MSG_TYPE)
    PyType_Modified(WSFrame)
    return 0


show_members()


seal_type(WSFrame)
