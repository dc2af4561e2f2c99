# A first-in, first-out queue of Python objects, with the number of bytes that they hold.
#
# Every message passes through the functions with bodies here, so that Cython inlines them into the
# reader.

cimport cython
from cpython.object cimport PyObject

from ..loop.branch_hints cimport unlikely
from .awaitable cimport wscore_steal

cdef extern from "Python.h":
    void Py_INCREF(object item)


cdef enum:
    KEPT_CAPACITY = 64  # when a queue larger than this becomes empty its memory is freed


@cython.final
cdef class Fragment:
    cdef bytes data
    cdef bint is_text
    cdef bint fin


# The number of queued bytes is needed with each put, but rarely with a take. So each place records
# how many bytes were put before its item, and taking an item updates no count.
cdef struct Place:
    PyObject *item
    size_t before  # bytes of all items put before; like `_sum`, it may wrap around


cdef class ItemQueue:
    cdef readonly Py_ssize_t size  # number of queued items

    cdef Place *_ring
    cdef Py_ssize_t _capacity  # a power of two, or 0
    cdef Py_ssize_t _begin     # index of the first item
    cdef size_t _sum           # bytes of all items ever put

    cdef inline int put(self, object item, Py_ssize_t size) except -1:
        """Put an item of `size` bytes at the end."""
        cdef Place *place
        if unlikely(self.size == self._capacity):
            self._grow()
        place = &self._ring[(self._begin + self.size) & (self._capacity - 1)]
        Py_INCREF(item)
        place.item = <PyObject *>item
        place.before = self._sum
        self._sum += size
        self.size += 1
        return 0

    cdef inline object take(self):
        """Take the first item; the queue must not be empty."""
        cdef PyObject *item = self._ring[self._begin].item
        self._begin = (self._begin + 1) & (self._capacity - 1)
        self.size -= 1
        if unlikely((self.size == 0) & (self._capacity > KEPT_CAPACITY)):
            self._shrink()
        return wscore_steal(item)

    cdef inline Py_ssize_t held(self) noexcept:
        """Return how many bytes the items hold."""
        return self._sum - self._ring[self._begin].before if self.size else 0

    cdef int put_first(self, object item, Py_ssize_t size) except -1

    cdef int _grow(self) except -1
    cdef int _shrink(self) noexcept
