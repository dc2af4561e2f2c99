# A first-in, first-out queue of Python objects.

from cpython.object cimport PyObject


cdef class ItemQueue:
    cdef readonly Py_ssize_t size  # items that are queued

    cdef PyObject** _ring
    cdef Py_ssize_t _capacity  # a power of two, or 0
    cdef Py_ssize_t _begin     # where the first item is

    cpdef int append(self, object item) except -1
    cpdef int appendleft(self, object item) except -1
    cpdef object popleft(self)

    cdef int _grow(self) except -1
