# A first-in, first-out queue of Python objects, and how many bytes they hold.
#
# What every message passes through stands here in full, to be compiled into the reader.

cimport cython
from cpython.object cimport PyObject

from ..loop.branch_hints cimport unlikely
from .awaitable cimport wscore_steal

cdef extern from "Python.h":
    void Py_INCREF(object item)


cdef enum:
    KEPT_CAPACITY = 64  # an empty queue that has grown larger gives its memory back


@cython.final
cdef class Fragment:
    cdef bytes data
    cdef bint is_text
    cdef bint fin


# How many bytes are queued is asked with each item that is put, and seldom when one is taken. So
# each place says how many were put before its item, and taking one has nothing to count.
cdef struct Place:
    PyObject* item
    size_t before  # bytes, of all that have ever been put; like the sum, it may overflow


cdef class ItemQueue:
    cdef readonly Py_ssize_t size  # items that are queued

    cdef Place* _ring
    cdef Py_ssize_t _capacity  # a power of two, or 0
    cdef Py_ssize_t _begin     # where the first item is
    cdef size_t _sum           # bytes of all that have ever been put

    cdef inline int put(self, object item, Py_ssize_t size) except -1:
        """Put an item that holds so many bytes at the end."""
        cdef Place* place
        if unlikely(self.size == self._capacity):
            self._grow()
        place = &self._ring[(self._begin + self.size) & (self._capacity - 1)]
        Py_INCREF(item)
        place.item = <PyObject*>item
        place.before = self._sum
        self._sum += size
        self.size += 1
        return 0

    cdef inline object take(self):
        """Take the item at the front; there must be one."""
        cdef PyObject* item = self._ring[self._begin].item
        self._begin = (self._begin + 1) & (self._capacity - 1)
        self.size -= 1
        if unlikely((self.size == 0) & (self._capacity > KEPT_CAPACITY)):
            self._shrink()
        return wscore_steal(item)

    cdef inline Py_ssize_t held(self) noexcept:
        """How many bytes the items hold."""
        return self._sum - self._ring[self._begin].before if self.size else 0

    cdef int put_first(self, object item, Py_ssize_t size) except -1

    cdef int _grow(self) except -1
    cdef int _shrink(self) noexcept
