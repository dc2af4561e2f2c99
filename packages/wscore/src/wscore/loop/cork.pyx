"""Explicit corking: several sends outside a callback share one system call.

A block that suspends must not hold bytes back while other tasks run. So the cork ends with the
block or with the current iteration of the event loop, whichever comes first.
"""

from .sealed_types cimport seal_type


cdef class Cork:
    """The context manager that `WSTransport.cork` returns."""

    def __init__(self, loop, LoopIO io not None):
        self.loop = loop
        self.io = io

    def __enter__(self):
        if self._open:
            raise RuntimeError("a cork can be entered only once")
        self._open = True
        self.io.enter()
        self._handle = self.loop.call_soon(self._turn_ended)
        return self

    def __exit__(self, exc_type, exc, traceback):
        self._handle.cancel()
        self._handle = None
        self._end()

    def _turn_ended(self):
        """Send the held bytes: the block has suspended, and its rest is not corked."""
        self._end()

    cdef int _end(self) except -1:
        if self._open:
            self._open = False
            return self.io.leave()
        return 0


seal_type(Cork)
