# cython: annotation_typing=False
"""Building frames (RFC 6455, section 5.2), on libwsframe.

Every byte of a frame is written once, by the C library. The only state is the position within a
message; nothing is sent.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_Check
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

import cython

from wsframe cimport cwsframe as c
from wsframe.errors cimport frame_error

from wsframe.close import decode_close, encode_close
from wsframe.role import Role

__all__ = ["FrameWriter", "build_frame", "make_mask_key"]


cdef object encode(c.wsf_header *header, object payload):
    """Return a frame with the given header, whose payload_size is set here."""
    cdef Py_ssize_t size = 0
    cdef Py_buffer view
    cdef const char *text
    if PyUnicode_Check(payload):
        text = PyUnicode_AsUTF8AndSize(payload, &size)
        return encode_bytes(header, <const uint8_t *>text, size)
    PyObject_GetBuffer(payload, &view, PyBUF_SIMPLE)
    try:
        return encode_bytes(header, <const uint8_t *>view.buf, view.len)
    finally:
        PyBuffer_Release(&view)


cdef object encode_bytes(c.wsf_header *header, const uint8_t *payload, Py_ssize_t size):
    header.payload_size = <size_t>size
    if header.opcode >= c.WSF_OP_CLOSE:
        if size > c.WSF_MAX_CONTROL_SIZE:
            raise frame_error(c.WSF_ERR_CONTROL_TOO_LONG)
        if not header.fin:
            raise frame_error(c.WSF_ERR_CONTROL_FRAGMENTED)
    cdef size_t total = c.wsf_header_size(header.payload_size, header.masked) + <size_t>size
    frame = PyBytes_FromStringAndSize(NULL, <Py_ssize_t>total)
    c.wsf_frame_encode(<uint8_t *>PyBytes_AS_STRING(frame), header, payload)
    return frame


cdef int fill(c.wsf_header *header, int opcode, bint fin, int rsv) except -1:
    """Set the fields of a header's first byte, and reject reserved values."""
    if not 0 <= opcode <= 15 or not (0x0707 >> opcode) & 1:
        raise frame_error(c.WSF_ERR_OPCODE)
    if not 0 <= rsv <= 7:
        raise ValueError(f"rsv must be from 0 to 7, not {rsv}")
    header.opcode = <uint8_t>opcode
    header.fin = fin
    header.rsv = <uint8_t>rsv
    header.masked = 0
    return 0


cdef int fresh_key(c.wsf_header *header) except -1:
    """Mask the frame with an unpredictable key."""
    cdef int error = c.wsf_mask_key(header.mask_key)
    if error:
        raise frame_error(error)
    header.masked = 1
    return 0


cdef int given_key(c.wsf_header *header, object mask) except -1:
    """Mask the frame with a key chosen by the caller."""
    cdef Py_buffer view
    PyObject_GetBuffer(mask, &view, PyBUF_SIMPLE)
    try:
        if view.len != 4:
            raise ValueError(f"a masking key must have 4 bytes, not {view.len}")
        memcpy(header.mask_key, view.buf, 4)
    finally:
        PyBuffer_Release(&view)
    header.masked = 1
    return 0


def make_mask_key() -> bytes:
    """Return a fresh masking key that a peer cannot predict (RFC 6455, section 10.3).

    Returns:
        Four random bytes, from the kernel.

    Raises:
        InternalError: the kernel provides no random bytes.
    """
    cdef uint8_t key[4]
    cdef int error = c.wsf_mask_key(key)
    if error:
        raise frame_error(error)
    return (<const char *>key)[:4]


def build_frame(opcode: int, payload=b"", *, fin: bool = True, rsv: int = 0, mask=None) -> bytes:
    """Build one frame, without checking the order of fragments or the role.

    Args:
        opcode: an `Opcode` or its number.
        payload: any bytes-like object, or a `str`, which is encoded as UTF-8.
        fin: whether this is the last frame of its message.
        rsv: the reserved bits: 4 for RSV1, 2 for RSV2, 1 for RSV3.
        mask: `None` for an unmasked frame (servers), `True` for a fresh random key (clients), or
            the four bytes of the key.

    Returns:
        The encoded frame.

    Raises:
        ProtocolError: reserved opcode, or a control frame that is fragmented or over 125 bytes.
        InternalError: the kernel provides no random bytes.
        ValueError: `rsv` or `mask` is out of range.
        UnicodeEncodeError: the text contains lone surrogates.
    """
    cdef c.wsf_header header
    fill(&header, opcode, fin, rsv)
    if mask is True:
        fresh_key(&header)
    elif mask is not None and mask is not False:
        given_key(&header, mask)
    return encode(&header, payload)


@cython.final
@cython.auto_pickle(False)  # the generated `__setstate__` would accept invalid state
cdef class FrameWriter:
    """Builds the frames of one endpoint of a connection, and keeps them in order.

    A client's frames are masked, each with a fresh key. Fragments of a message must be consecutive,
    except for control frames in between, and nothing may follow a CLOSE frame.

    Args:
        role: our endpoint.
    """

    cdef bint masks
    cdef bint in_message
    cdef bint ended

    def __init__(self, role: Role):
        self.masks = Role(role) is Role.CLIENT
        self.in_message = False
        self.ended = False

    @property
    def closed(self) -> bool:
        """Whether a CLOSE frame was built; then no other frame can be built."""
        return self.ended

    def frame(self, opcode: int, payload=b"", *, fin: bool = True, rsv: int = 0) -> bytes:
        """Build any frame.

        Args:
            opcode: an `Opcode` or its number. The first frame of a message is TEXT or BINARY, its
                further frames are CONTINUATION.
            payload: any bytes-like object, or a `str`, which is encoded as UTF-8.
            fin: whether this is the last frame of its message.
            rsv: the reserved bits: 4 for RSV1, 2 for RSV2, 1 for RSV3.

        Returns:
            The encoded frame.

        Raises:
            ProtocolError: the frame is not allowed here, or not at all, or the payload of a CLOSE
                frame is malformed.
            InvalidDataError: a CLOSE frame's reason is not UTF-8.
            InternalError: the kernel provides no random bytes.
            ValueError: `rsv` is out of range.
            UnicodeEncodeError: the text contains lone surrogates.
        """
        cdef c.wsf_header header
        cdef int op = opcode
        fill(&header, op, fin, rsv)
        if self.ended:
            raise frame_error(c.WSF_ERR_AFTER_CLOSE)
        if op == c.WSF_OP_CONTINUATION:
            if not self.in_message:
                raise frame_error(c.WSF_ERR_NO_MESSAGE)
        elif op < c.WSF_OP_CLOSE and self.in_message:
            raise frame_error(c.WSF_ERR_INSIDE_MESSAGE)
        elif op == c.WSF_OP_CLOSE:
            decode_close(payload.encode() if PyUnicode_Check(payload) else payload)
        if self.masks:
            fresh_key(&header)
        result = encode(&header, payload)
        if op < c.WSF_OP_CLOSE:
            self.in_message = not fin
        elif op == c.WSF_OP_CLOSE:
            self.ended = True
        return result

    def text(self, text, *, fin: bool = True, rsv: int = 0) -> bytes:
        """Build a TEXT frame; see `frame`. `text` is a `str`, or UTF-8 bytes."""
        return self.frame(c.WSF_OP_TEXT, text, fin=fin, rsv=rsv)

    def binary(self, data, *, fin: bool = True, rsv: int = 0) -> bytes:
        """Build a BINARY frame; see `frame`."""
        return self.frame(c.WSF_OP_BINARY, data, fin=fin, rsv=rsv)

    def continuation(self, data, *, fin: bool = True, rsv: int = 0) -> bytes:
        """Build a CONTINUATION frame; see `frame`."""
        return self.frame(c.WSF_OP_CONTINUATION, data, fin=fin, rsv=rsv)

    def ping(self, data=b"") -> bytes:
        """Build a PING frame, with at most 125 bytes; see `frame`."""
        return self.frame(c.WSF_OP_PING, data)

    def pong(self, data=b"") -> bytes:
        """Build a PONG frame, with at most 125 bytes; see `frame`."""
        return self.frame(c.WSF_OP_PONG, data)

    def close(self, code: int = 1000, reason: str = "") -> bytes:
        """Build a CLOSE frame, after which no other can be built.

        Args:
            code: the close code, or 1005 for a frame without one.
            reason: at most 123 bytes of UTF-8; none with 1005.

        Returns:
            The encoded frame.

        Raises:
            ProtocolError: the code must not be sent, the reason is too long, or a CLOSE frame was
                already built.
            InternalError: the kernel provides no random bytes.
            UnicodeEncodeError: the reason contains lone surrogates.
        """
        return self.frame(c.WSF_OP_CLOSE, encode_close(code, reason))
