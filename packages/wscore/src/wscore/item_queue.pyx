"""The queue of a message reader: a ring of references.

It does what `collections.deque` does, but is called from C without a look-up, and takes no memory
while it is empty for the first time. Its items must not refer back to it: it is invisible to the
garbage collector.
"""

cimport cython
from cpython.mem cimport PyMem_RawFree, PyMem_RawMalloc
from cpython.ref cimport Py_DECREF, Py_INCREF

from .sealing cimport seal_type

__all__ = ["ItemQueue"]

cdef enum:
    FIRST_CAPACITY = 16
    KEPT_CAPACITY = 64  # an empty queue that has grown larger gives its memory back


cdef class Fragment:
    """One frame of a message that came in several."""


@cython.final
@cython.no_gc
cdef class ItemQueue:
    """Items in the order in which they are to be taken.

    Attributes:
        size: how many there are.
        bytes: of the content of those that are messages or fragments.
    """

    def __dealloc__(self):
        while self.size:
            self.popleft()
        PyMem_RawFree(self._ring)

    cpdef int append(self, object item) except -1:
        """Put an item at the end.

        Args:
            item: the item.
        """
        if self.size == self._capacity:
            self._grow()
        Py_INCREF(item)
        self._ring[(self._begin + self.size) & (self._capacity - 1)] = <PyObject*>item
        self.size += 1
        self.bytes += bytes_of(item)
        return 0

    cpdef int appendleft(self, object item) except -1:
        """Put an item at the front.

        Args:
            item: the item.
        """
        if self.size == self._capacity:
            self._grow()
        Py_INCREF(item)
        self._begin = (self._begin - 1) & (self._capacity - 1)
        self._ring[self._begin] = <PyObject*>item
        self.size += 1
        self.bytes += bytes_of(item)
        return 0

    cpdef object popleft(self):
        """Take the item at the front.

        Raises:
            IndexError: if there is none.
        """
        if self.size == 0:
            raise IndexError("the queue is empty")
        item = <object>self._ring[self._begin]
        Py_DECREF(item)  # the queue's own reference
        self._begin = (self._begin + 1) & (self._capacity - 1)
        self.size -= 1
        self.bytes -= bytes_of(item)
        if self.size == 0 and self._capacity > KEPT_CAPACITY:
            PyMem_RawFree(self._ring)
            self._ring = NULL
            self._capacity = 0
        return item

    cdef int _grow(self) except -1:
        cdef Py_ssize_t capacity = 2 * self._capacity or FIRST_CAPACITY
        cdef PyObject** ring = <PyObject**>PyMem_RawMalloc(capacity * sizeof(PyObject*))
        cdef Py_ssize_t i
        if ring == NULL:
            raise MemoryError(f"a queue of {capacity} items")
        for i in range(self.size):
            ring[i] = self._ring[(self._begin + i) & (self._capacity - 1)]
        PyMem_RawFree(self._ring)
        self._ring = ring
        self._capacity = capacity
        self._begin = 0
        return 0


seal_type(Fragment)
