# Resuming a waiting task from within a callback.


cdef class Waiter:
    cdef public bint _asyncio_future_blocking
    cdef readonly object _loop

    cdef object _callback  # the task's wake-up; None once it was called or scheduled
    cdef object _context
    cdef object _cancel_message
    cdef bint _done
    cdef bint _cancelled
    cdef bint _yielded

    cdef int wake(self) except -1
