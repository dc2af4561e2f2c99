# Awaitables without a frame.

from cpython.object cimport PyObject

cdef extern from "Python.h":
    Py_ssize_t Py_REFCNT(PyObject *object)
    void Py_INCREF(object item)
    void Py_XDECREF(PyObject *object)

cdef extern from *:
    """
    #define wscore_steal(item) (item)  /* Cython takes a call's result as a new reference */
    """
    object wscore_steal(PyObject *item)


cdef class Step:
    cdef str name  # of the called function; None for a step within another call
    cdef bint has_begun
    cdef bint has_ended
    cdef object inner  # a coroutine that does the rest, or None
    cdef object origin  # the creating stack if Python tracks coroutine origins, or None

    cdef int begin(self, str name) except -1

    # -- provided by subclasses

    cdef object go_on(self)
    cdef int let_go(self) except -1

    # -- used by subclasses

    cdef object wait_on(self, object future)
    cdef object hand_over(self, object coroutine)

    cdef inline object _advance(self)


# -- keeping an ended step for reuse, which saves an allocation per message
#
# The place is a C pointer, which the garbage collector does not traverse: a kept step must not
# refer to anything, or a reference cycle through it would never be collected.

cdef inline bint is_unshared(PyObject *kept) noexcept:
    """Return whether a step is kept to which nothing else refers."""
    return kept != NULL and Py_REFCNT(kept) == 1


cdef inline object take(PyObject **place):
    """Take the kept step."""
    cdef PyObject *kept = place[0]
    place[0] = NULL
    return wscore_steal(kept)


cdef inline int keep(PyObject **place, Step step) except -1:
    """Keep an ended step instead of the one kept so far."""
    Py_XDECREF(place[0])
    Py_INCREF(step)
    place[0] = <PyObject *>step
    return 0
