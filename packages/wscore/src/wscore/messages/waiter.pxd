# Resuming a waiting task within a callback.

from ..loop.loop_io cimport LoopIO


cdef class Waiter:
    cdef object _loop
    cdef LoopIO _io
    cdef object _future  # None before the first wait, and after one that `_resume` did not end
    cdef bint _at_once  # resume tasks within the callback
    cdef bint is_waiting  # a task has the future, and was not woken up

    cdef object begin(self)
    cdef bint is_busy(self) except -1
    cdef int wake(self) except -1
    cdef int give_up(self) except -1

    cdef bint _no_task_runs(self) except -1
    cdef int _resume(self, object callback, object context) except -1
