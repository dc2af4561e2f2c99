# cython: annotation_typing=False
"""Incremental UTF-8 validation (RFC 3629), on libwsframe.

It does not decode: it only determines whether and where bytes stop being UTF-8.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdint cimport uint8_t, uint64_t

import cython

from wsframe cimport cwsframe as c

__all__ = ["Utf8Validator"]


@cython.final
cdef class Utf8Validator:
    """Validates a text that arrives in pieces, which may end inside a character."""

    cdef c.wsf_utf8 validator
    cdef uint64_t accepted
    cdef bint bad

    def __cinit__(self):
        self.reset()

    def reset(self) -> None:
        """Begin a new text."""
        c.wsf_utf8_init(&self.validator)
        self.accepted = 0
        self.bad = False

    def feed(self, data, /) -> bool:
        """Validate the next piece of the text.

        Args:
            data: any bytes-like object.

        Returns:
            True if everything so far can be the beginning of a UTF-8 text; False from the first
            invalid byte on, until `reset`.

        Raises:
            TypeError: `data` is not bytes-like.
        """
        cdef Py_buffer view
        cdef size_t good
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            good = c.wsf_utf8_feed(
                &self.validator, <const uint8_t *>view.buf, <size_t>view.len
            )
            self.accepted += good
            if good != <size_t>view.len:
                self.bad = True
        finally:
            PyBuffer_Release(&view)
        return not self.bad

    @property
    def valid(self) -> bool:
        """Whether no invalid byte was found."""
        return not self.bad

    @property
    def complete(self) -> bool:
        """Whether the text may end here: no invalid byte, and not inside a character."""
        return not self.bad and c.wsf_utf8_finish(&self.validator)

    @property
    def position(self) -> int:
        """How many bytes were accepted; after an invalid byte, its position in the text."""
        return self.accepted
