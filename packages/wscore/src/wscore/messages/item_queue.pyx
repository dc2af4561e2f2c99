"""The queue of a message reader: a ring buffer of references.

Like `collections.deque`, but called from C without attribute look-ups, and without memory before
its first item. The garbage collector does not see it, so its items must not refer back to it.
"""

cimport cython
from cpython.bytes cimport PyBytes_CheckExact, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc

from ..loop.sealed_types cimport seal_type

cdef extern from "Python.h":
    bint PyUnicode_CheckExact(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    int PyUnicode_KIND(object text)

__all__ = ["ItemQueue"]

cdef enum:
    FIRST_CAPACITY = 8


cdef class Fragment:
    """One frame of a fragmented message."""


@cython.final
@cython.no_gc
cdef class ItemQueue:
    """Items in first-in, first-out order.

    Attributes:
        size: the number of items.
    """

    def __dealloc__(self):
        while self.size:
            self.take()
        PyMem_RawFree(self._ring)

    @property
    def bytes(self):
        """The bytes of memory that the contents of the items take."""
        return self.held()

    def append(self, item):
        """Put an item at the end.

        Args:
            item: the item.
        """
        self.put(item, bytes_of(item))

    def appendleft(self, item):
        """Put an item at the front.

        Args:
            item: the item.
        """
        self.put_first(item, bytes_of(item))

    def popleft(self):
        """Take the item at the front.

        Raises:
            IndexError: if the queue is empty.
        """
        if self.size == 0:
            raise IndexError("the queue is empty")
        return self.take()

    cdef int put_first(self, object item, Py_ssize_t size) except -1:
        """Put an item of `size` bytes at the front."""
        cdef size_t before = self._sum - self.held() - size
        if self.size == self._capacity:
            self._grow()
        Py_INCREF(item)
        self._begin = (self._begin - 1) & (self._capacity - 1)
        self._ring[self._begin].item = <PyObject *>item
        self._ring[self._begin].before = before
        self.size += 1
        return 0

    cdef int _grow(self) except -1:
        cdef Py_ssize_t capacity = 2 * self._capacity or FIRST_CAPACITY
        cdef Place *ring = <Place *>PyMem_RawMalloc(capacity * sizeof(Place))
        cdef Py_ssize_t i
        if ring == NULL:
            raise MemoryError(f"cannot allocate a queue of {capacity} items")
        for i in range(self.size):
            ring[i] = self._ring[(self._begin + i) & (self._capacity - 1)]
        PyMem_RawFree(self._ring)
        self._ring = ring
        self._capacity = capacity
        self._begin = 0
        return 0

    cdef int _shrink(self) noexcept:
        PyMem_RawFree(self._ring)
        self._ring = NULL
        self._capacity = 0
        return 0


cdef Py_ssize_t bytes_of(object item) noexcept:
    """Return how many bytes of memory the content of a message takes."""
    if PyUnicode_CheckExact(item):
        return PyUnicode_GET_LENGTH(item) * PyUnicode_KIND(item)
    if PyBytes_CheckExact(item):
        return PyBytes_GET_SIZE(item)
    return 0


seal_type(Fragment)
