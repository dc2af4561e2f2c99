# cython: annotation_typing=False
"""Close codes and the payload of CLOSE frames (RFC 6455, sections 5.5.1 and 7.4), on libwsframe."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.unicode cimport PyUnicode_AsUTF8AndSize, PyUnicode_DecodeUTF8
from libc.stdint cimport uint8_t

from wsframe cimport cwsframe as c
from wsframe.errors cimport frame_error

__all__ = ["close_code_is_valid", "decode_close", "encode_close"]


def close_code_is_valid(code: int, /) -> bool:
    """Return whether a code may be sent in a CLOSE frame.

    Args:
        code: any integer.

    Returns:
        True for 1000 to 1003, 1007 to 1014 and 3000 to 4999.
    """
    return 0 <= code <= 0xFFFF and c.wsf_close_code_valid(code)


def encode_close(code: int = 1005, reason: str = "", /) -> bytes:
    """Encode the payload of a CLOSE frame.

    Args:
        code: the close code, or 1005 for a payload without one.
        reason: at most 123 bytes of UTF-8; none with 1005.

    Returns:
        The payload, which is empty or has 2 to 125 bytes.

    Raises:
        ProtocolError: the code must not be sent, or the reason is too long.
        UnicodeEncodeError: the reason contains lone surrogates.
    """
    cdef uint8_t out[125]
    cdef Py_ssize_t size = 0
    cdef const char *text = PyUnicode_AsUTF8AndSize(reason, &size)
    if not 0 <= code <= 0xFFFF:
        raise frame_error(c.WSF_ERR_CLOSE_CODE)
    cdef int result = c.wsf_close_encode(out, code, <const uint8_t *>text, <size_t>size)
    if result < 0:
        raise frame_error(result)
    return (<const char *>out)[:result]


def decode_close(payload, /) -> tuple[int, str]:
    """Decode the payload of a CLOSE frame.

    Args:
        payload: the unmasked payload, any bytes-like object.

    Returns:
        The code, 1005 if the payload is empty, and the reason.

    Raises:
        ProtocolError: a single byte, more than 125, or a code that must not be sent.
        InvalidDataError: the reason is not UTF-8.
    """
    cdef Py_buffer view
    cdef c.wsf_close close
    cdef int error
    PyObject_GetBuffer(payload, &view, PyBUF_SIMPLE)
    try:
        error = c.wsf_close_decode(&close, <const uint8_t *>view.buf, <size_t>view.len)
        if error:
            raise frame_error(error)
        if close.reason_size == 0:
            return close.code, ""
        return close.code, PyUnicode_DecodeUTF8(
            <char *>close.reason, <Py_ssize_t>close.reason_size, NULL
        )
    finally:
        PyBuffer_Release(&view)
