"""Serialising the headers of HTTP/1.1 messages.

No name or value can inject another field, or end the headers early.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_Resize
from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdint cimport uint8_t
from libc.string cimport memcpy

from .token import TOKEN

cdef extern from "Python.h":
    int PyUnicode_KIND(object text)
    void *PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    int PyUnicode_1BYTE_KIND

__all__ = ["serialise_head"]

cdef bint[256] _in_tokens  # by the character's code
for _code in range(256):
    _in_tokens[_code] = TOKEN.fullmatch(chr(_code)) is not None


def serialise_head(bytes first_line not None, headers):
    """Serialise the start line and headers of a message, including the empty line after them.

    Args:
        first_line: without its line end.
        headers: the header fields, a mapping with `items`.

    Raises:
        TypeError: if a name or a value is not a string.
        ValueError: if a name is not a token, or a value has control characters or characters
            outside Latin-1.
    """
    cdef bytearray head = bytearray(first_line)
    for name, value in headers.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise TypeError(f"a header field must be two strings, not {name!r} and {value!r}")
        if not _is_token(name):
            raise ValueError(f"invalid header field name: {name!r}")
        if PyUnicode_KIND(value) != PyUnicode_1BYTE_KIND:
            value.encode("latin-1")  # raises an error that names the character
        if not _is_field_value(value):
            raise ValueError(f"header field {name!r} has control characters: {value!r}")
        _append(head, b"\r\n", name)
        _append(head, b": ", value)
    _append(head, b"\r\n\r\n", "")
    return head


cdef bint _is_token(object text):
    cdef const uint8_t *data = <const uint8_t *>PyUnicode_DATA(text)
    cdef Py_ssize_t size = PyUnicode_GET_LENGTH(text), index
    if size == 0 or PyUnicode_KIND(text) != PyUnicode_1BYTE_KIND:
        return False
    for index in range(size):
        if not _in_tokens[data[index]]:
            return False
    return True


cdef bint _is_field_value(object text):
    """Return whether text of one byte per character has no control characters except tab."""
    cdef const uint8_t *data = <const uint8_t *>PyUnicode_DATA(text)
    cdef Py_ssize_t index
    for index in range(PyUnicode_GET_LENGTH(text)):
        if (data[index] < 0x20 and data[index] != c"\t") or data[index] == 0x7F:
            return False
    return True


cdef int _append(bytearray head, bytes separator, object text) except -1:
    """Append a separator, and text of one byte per character."""
    cdef Py_ssize_t size = len(head), separator_size = len(separator)
    cdef Py_ssize_t text_size = PyUnicode_GET_LENGTH(text)
    PyByteArray_Resize(head, size + separator_size + text_size)
    memcpy(PyByteArray_AS_STRING(head) + size, PyBytes_AS_STRING(separator), separator_size)
    memcpy(PyByteArray_AS_STRING(head) + size + separator_size, PyUnicode_DATA(text), text_size)
    return 0
