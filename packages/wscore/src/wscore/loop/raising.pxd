# Raising the exception that a C API function has set, where its declaration has no `except`.

cdef extern from *:
    """
    static inline int wscore_raise(void) { return -1; }
    """
    int raise_pending "wscore_raise"() except -1
