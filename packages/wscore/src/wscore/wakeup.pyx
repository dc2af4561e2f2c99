"""Resuming the task that waits, without a trip through the event loop.

A task waits by yielding something like a future, which keeps the task's wake-up call. A future
schedules that call; a `Waiter` makes it at once, if no other task is running. So a message that was
just received is handled within the callback that received it, and what the handler sends leaves
with that callback.

A `Waiter` is awaited inside a coroutine and nowhere else: given to `gather` or `shield` it would
not behave like a future.
"""

import asyncio
import sys

cimport cython

#: Tasks of later versions have not been tried.
cdef bint SYNCHRONOUS = sys.version_info < (3, 14)

cdef object current_task = asyncio.current_task


@cython.final
@cython.freelist(64)
cdef class Waiter:
    """What one task waits on, once.

    Args:
        loop: the running loop.
    """

    def __cinit__(self, loop):
        self._loop = loop

    cdef int wake(self) except -1:
        """Resume the task, now if that is possible. What it raises is the task's own affair."""
        callback, context = self._callback, self._context
        if self._done:
            return 0
        self._done = True
        if callback is None:  # nobody has begun to wait: the next step finds it done
            return 0
        self._callback = None
        if SYNCHRONOUS and current_task(self._loop) is None:
            context.run(callback, self)
        else:
            self._loop.call_soon(callback, self, context=context)
        return 0

    # -- awaited by a coroutine

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        if not self._yielded and not self._done:
            self._yielded = True
            self._asyncio_future_blocking = True
            return self
        self.result()
        raise StopIteration

    # -- used by a task

    def get_loop(self):
        """The loop whose task waits."""
        return self._loop

    def add_done_callback(self, callback, *, context=None):
        """Keep the task's wake-up call."""
        self._callback = callback
        self._context = context

    def remove_done_callback(self, callback):
        """Forget it."""
        self._callback = None
        return 1

    def cancel(self, msg=None):
        """Resume the task with `asyncio.CancelledError`; False if it was resumed already."""
        if self._done:
            return False
        self._done = self._cancelled = True
        self._cancel_message = msg
        if self._callback is not None:
            self._loop.call_soon(self._callback, self, context=self._context)
            self._callback = None
        return True

    def done(self):
        """Whether the wait is over."""
        return self._done

    def cancelled(self):
        """Whether it was cancelled."""
        return self._cancelled

    def result(self):
        """None; `asyncio.CancelledError` if the wait was cancelled."""
        if self._cancelled:
            if self._cancel_message is None:
                raise asyncio.CancelledError
            raise asyncio.CancelledError(self._cancel_message)
        if not self._done:
            raise asyncio.InvalidStateError("still waiting")

    def exception(self):
        """None; `asyncio.CancelledError` if the wait was cancelled."""
        self.result()
