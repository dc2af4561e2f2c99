# A first-in, first-out queue of Python objects, and how many bytes they hold.

cimport cython
from cpython.bytes cimport PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.object cimport PyObject

cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    int PyUnicode_KIND(object text)


@cython.final
cdef class Fragment:
    cdef bytes data
    cdef bint is_text
    cdef bint fin


cdef inline Py_ssize_t bytes_of(object item):
    """How many bytes of memory the content of a message takes, or of a fragment."""
    if PyUnicode_CheckExact(item):
        return PyUnicode_GET_LENGTH(item) * PyUnicode_KIND(item)
    if PyBytes_CheckExact(item):
        return PyBytes_GET_SIZE(item)
    if isinstance(item, Fragment):
        return PyBytes_GET_SIZE((<Fragment>item).data)
    return 0


cdef class ItemQueue:
    cdef readonly Py_ssize_t size   # items that are queued
    cdef readonly Py_ssize_t bytes  # of their content

    cdef PyObject** _ring
    cdef Py_ssize_t _capacity  # a power of two, or 0
    cdef Py_ssize_t _begin     # where the first item is

    cpdef int append(self, object item) except -1
    cpdef int appendleft(self, object item) except -1
    cpdef object popleft(self)

    cdef int _grow(self) except -1
