# Coroutines without a frame.


cdef class Step:
    cdef str name  # of what was called
    cdef bint has_begun
    cdef bint has_ended
    cdef object inner  # a coroutine that does the rest, or None

    # what a subclass provides
    cdef object go_on(self)
    cdef int let_go(self) except -1

    # what it uses
    cdef object wait_on(self, object future)
    cdef object hand_over(self, object coroutine)

    cdef object _advance(self)
