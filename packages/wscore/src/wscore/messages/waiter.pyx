"""Resuming a waiting task without another iteration of the event loop.

A task waits by yielding a future, and adds its wake-up as a done callback. A future that is done
would schedule the wake-up for the next iteration. A `Waiter` removes it from the future instead and
calls it directly, if no other task is running. So a message is handled within the callback that
received it, and replies are sent when that callback ends. The future stays pending, and is reused
for the next wait. Resuming a task, and letting it wait again, takes 2,300 instructions.
"""

import asyncio
import sys

cimport cython
from cpython.contextvars cimport PyContext_Enter, PyContext_Exit

from ..loop.loop_io cimport loop_io
from ..loop.sealed_types cimport seal_type

#: Only tested with the tasks of these versions, on whose wake-up callback it relies.
cdef bint SYNCHRONOUS = sys.version_info < (3, 14)

cdef object current_task = asyncio.current_task
cdef object Future = asyncio.Future


class _NoLoop:
    """Takes the place of the loop in a future that is never awaited."""

    def get_debug(self):
        return False


# Passed to a task's wake-up, which only checks whether the future has an exception.
cdef object DONE = Future(loop=_NoLoop())
DONE.set_result(None)


@cython.final
cdef class Waiter:
    """Lets one task at a time wait for data of a connection.

    Args:
        loop: the running loop.
    """

    def __cinit__(self, loop):
        self._loop = loop
        self._io = loop_io(loop)
        # In debug mode the loop reports slow tasks; it only measures those that it calls itself.
        self._at_once = SYNCHRONOUS and not loop.get_debug()

    cdef object begin(self):
        """Return the future that the task must yield in order to wait."""
        if self._future is None or self.is_waiting:  # the previous wait was cancelled
            self._future = Future(loop=self._loop)
        self.is_waiting = True
        self._future._asyncio_future_blocking = True  # tasks require it; `Future.__await__` sets it
        return self._future

    cdef bint is_busy(self) except -1:
        """Return whether a task waits that was neither woken up nor cancelled."""
        return self.is_waiting and not self._future.done()

    cdef int wake(self) except -1:
        """Resume the task, immediately if possible. Its exceptions stay in the task."""
        cdef list callbacks
        if not self.is_waiting:
            return 0
        self.is_waiting = False
        future = self._future
        if self._at_once and self._no_task_runs():
            callbacks = future._callbacks
            if callbacks is not None and len(callbacks) == 1:
                callback, context = callbacks[0]
                future.remove_done_callback(callback)
                return self._resume(callback, context)
        self._future = None
        if not future.done():  # otherwise it was cancelled
            future.set_result(None)
        return 0

    cdef int give_up(self) except -1:
        """End a wait that was closed or thrown into, without the future being done."""
        self.is_waiting = False
        self._future = None
        return 0

    cdef bint _no_task_runs(self) except -1:
        return self._io.no_task_runs or current_task(self._loop) is None

    cdef int _resume(self, object callback, object context) except -1:
        cdef bint no_task_runs = self._io.no_task_runs
        self._io.no_task_runs = False
        PyContext_Enter(context)
        try:
            callback(DONE)
        finally:
            PyContext_Exit(context)
            self._io.no_task_runs = no_task_runs
        return 0


seal_type(Waiter)
