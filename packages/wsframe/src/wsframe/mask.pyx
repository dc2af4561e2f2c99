# cython: annotation_typing=False
"""Masking of payloads (RFC 6455, section 5.3), on libwsframe.

The result is a copy: the arguments are never changed.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t

from wsframe cimport cwsframe as c

__all__ = ["apply_mask", "mask_variant"]


def apply_mask(data, mask) -> bytes:
    """Mask or unmask a payload.

    Args:
        data: the payload, any bytes-like object.
        mask: the four bytes of the masking key, any bytes-like object.

    Returns:
        The payload, with each byte XORed with the corresponding byte of the key.

    Raises:
        ValueError: `mask` is not four bytes long.
        TypeError: an argument is not bytes-like.
    """
    cdef Py_buffer source
    cdef Py_buffer key
    cdef bytes result
    PyObject_GetBuffer(mask, &key, PyBUF_SIMPLE)
    try:
        if key.len != 4:
            raise ValueError(f"a masking key must have 4 bytes, not {key.len}")
        PyObject_GetBuffer(data, &source, PyBUF_SIMPLE)
        try:
            result = PyBytes_FromStringAndSize(NULL, source.len)
            c.wsf_mask_copy(
                <uint8_t *>PyBytes_AS_STRING(result), <const uint8_t *>source.buf,
                <size_t>source.len, <const uint8_t *>key.buf, 0,
            )
        finally:
            PyBuffer_Release(&source)
    finally:
        PyBuffer_Release(&key)
    return result


def mask_variant() -> str:
    """Return the name of the masking implementation in use on this processor.

    Returns:
        ``"scalar"``, ``"sse2"``, ``"avx2"``, ``"avx512"`` or ``"neon"``.
    """
    return c.wsf_mask_variant_name(c.wsf_mask_variant_in_use()).decode("ascii")
