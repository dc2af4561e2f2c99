"""Resuming the task that waits, without a trip through the event loop.

A task waits by yielding a future, which keeps the task's wake-up call. When the future is done it
schedules that call. A `Waiter` takes the call back from the future and makes it at once, if no
other task is running. So a message that was just received is handled within the callback that
received it, and what the handler sends leaves with that callback. The future stays pending, for the
next wait.
"""

import asyncio
import sys

cimport cython
from cpython.contextvars cimport PyContext_Enter, PyContext_Exit

from ..loop.loop_io cimport loop_io
from ..loop.sealed_types cimport seal_type

#: Tasks of later versions have not been tried.
cdef bint SYNCHRONOUS = sys.version_info < (3, 14)

cdef object current_task = asyncio.current_task
cdef object Future = asyncio.Future


class _NoLoop:
    """Stands for the loop of a future that nobody waits for."""

    def get_debug(self):
        return False


# What a task is resumed with: it asks no more than whether the future raises.
cdef object DONE = Future(loop=_NoLoop())
DONE.set_result(None)


@cython.final
cdef class Waiter:
    """What those wait on who read from one connection; one task at a time.

    Args:
        loop: the running loop.
    """

    def __cinit__(self, loop):
        self._loop = loop
        self._io = loop_io(loop)
        # In debug mode the loop is to name the task that takes long, which it has to call itself.
        self._at_once = SYNCHRONOUS and not loop.get_debug()

    cdef object begin(self):
        """What the task has to yield in order to wait."""
        if self._future is None or self.is_waiting:  # the one before has been cancelled
            self._future = Future(loop=self._loop)
        self.is_waiting = True
        self._future._asyncio_future_blocking = True
        return self._future

    cdef bint is_busy(self) except -1:
        """Whether a task waits that was neither woken up nor cancelled."""
        return self.is_waiting and not self._future.done()

    cdef int wake(self) except -1:
        """Resume the task, now if that is possible. What it raises is the task's own affair."""
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
        if not future.done():  # else it was cancelled
            future.set_result(None)
        return 0

    cdef int give_up(self) except -1:
        """Nobody waits any more: the wait was ended from outside, not through the future."""
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
