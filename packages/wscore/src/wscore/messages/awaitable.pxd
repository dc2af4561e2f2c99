# Coroutines without a frame.

from cpython.object cimport PyObject

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject* object)
    void Py_INCREF(object item)
    void Py_XDECREF(PyObject* object)

cdef extern from *:
    """
    #define wscore_steal(item) (item)  /* a new reference, as Cython takes results of calls */
    """
    object wscore_steal(PyObject* item)


cdef class Step:
    cdef str name  # of what was called; None for a step of a coroutine's own
    cdef bint has_begun
    cdef bint has_ended
    cdef object inner  # a coroutine that does the rest, or None
    cdef object origin  # the stack that it was made by, if Python keeps track of that; or None

    cdef int begin(self, str name) except -1

    # what a subclass provides
    cdef object go_on(self)
    cdef int let_go(self) except -1

    # what it uses
    cdef object wait_on(self, object future)
    cdef object hand_over(self, object coroutine)

    cdef inline object _advance(self)


# A place for one that has ended, to be used again. It holds a reference that the garbage collector
# does not see, so what is kept must refer to nothing.

cdef inline bint is_unshared(PyObject* kept) noexcept:
    """Whether there is one that nobody else refers to."""
    return kept != NULL and Py_REFCNT(kept) == 1


cdef inline object take(PyObject** place):
    """Take what is kept."""
    cdef PyObject* kept = place[0]
    place[0] = NULL
    return wscore_steal(kept)


cdef inline int keep(PyObject** place, Step step) except -1:
    """Keep one that has ended, in the place of what is there."""
    Py_XDECREF(place[0])
    Py_INCREF(step)
    place[0] = <PyObject*>step
    return 0
