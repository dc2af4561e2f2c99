# Raising an exception that a function of the C API has set and Cython was not told of.

cdef extern from *:
    """
    static inline int wscore_raise(void) { return -1; }
    """
    int raise_pending "wscore_raise"() except -1
