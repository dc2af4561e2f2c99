"""Awaitables without a frame, returned by `recv` and `send`.

A coroutine of Python or Cython has a frame in which it is resumed. A call that is awaited once per
message mostly has its result at once, and needs none: `recv` and `send` together take only 500
instructions more than the transport. A `Step` has just the interface that tasks, `await` and
`asyncio.gather` require of a coroutine; waits that it cannot do are left to an ordinary coroutine.

It must not do anything before it is awaited.
"""

import sys
import traceback
import warnings

from cpython.object cimport PyObject

from ..loop.sealed_types cimport seal_type

cdef extern from "Python.h":
    ctypedef enum PySendResult:
        PYGEN_RETURN
        PYGEN_ERROR
        PYGEN_NEXT
    ctypedef PySendResult (*sendfunc)(PyObject *step, PyObject *value, PyObject **result)
    ctypedef struct PyAsyncMethods:
        sendfunc am_send
    ctypedef struct PyTypeObject:
        PyAsyncMethods *tp_as_async
    PySendResult PyIter_Send(object iterator, object value, PyObject **result) except PYGEN_ERROR
    void Py_INCREF(object item)


cdef class Step:
    """One call that can be awaited; it satisfies `collections.abc.Coroutine`.

    It has ended when `go_on` returns or raises, unless `wait_on` or `hand_over` was called in that
    and the call still waits.
    """

    def __cinit__(self):
        self.has_begun = self.has_ended = True  # not awaitable before `begin`

    cdef int begin(self, str name) except -1:
        """Make the call awaitable; warn if it never is awaited.

        Args:
            name: of the called function.
        """
        cdef int depth = sys.get_coroutine_origin_tracking_depth()
        self.name = name
        self.has_begun = self.has_ended = False
        if depth:
            self.origin = traceback.extract_stack(sys._getframe(), depth)
        return 0

    cdef object go_on(self):
        """Begin, or continue after a wait; return the result."""
        raise NotImplementedError

    cdef int let_go(self) except -1:
        """Release what the call refers to, when it is closed or thrown into."""
        return 0

    cdef object wait_on(self, object future):
        """Return a future for the task to wait on; `go_on` is called again after that."""
        self.has_ended = False
        return future

    cdef object hand_over(self, object coroutine):
        """Delegate the rest of the call, and its result, to a coroutine."""
        cdef PyObject *result = NULL
        self.inner = coroutine
        if PyIter_Send(coroutine, None, &result) == PYGEN_NEXT:
            self.has_ended = False
        return wscore_steal(result)

    def __del__(self):
        if not self.has_begun and self.name is not None:
            text = f"coroutine '{self.name}' was never awaited"
            if self.origin is not None:
                text += "\nCoroutine created at (most recent call last)\n"
                text += "".join(traceback.format_list(self.origin)).rstrip("\n")
            warnings.warn(text, RuntimeWarning, source=self)
        elif not self.has_ended:
            self.let_go()

    @property
    def __name__(self):
        """The name of the called function."""
        return self.name

    @property
    def __qualname__(self):
        """The name of the called function, for the descriptions of tasks."""
        return self.name

    # -- the interface of coroutines

    def __await__(self):
        return self

    def __iter__(self):
        return self

    def __next__(self):
        result = self._advance()
        if not self.has_ended:
            return result
        if result is None:
            raise StopIteration
        raise StopIteration(result)

    def send(self, value):
        """Continue the call; the value is ignored."""
        return self.__next__()

    def throw(self, typ, val=None, tb=None):
        """Raise an exception at the point where the call waits."""
        self._check_use()
        self.has_begun = self.has_ended = True
        if self.inner is not None:
            arguments = (typ,) if val is None and tb is None else (typ, val, tb)
            result = self.inner.throw(*arguments)
            self.has_ended = False
            return result
        self.let_go()
        if not isinstance(typ, BaseException):
            typ = val if isinstance(val, BaseException) else typ() if val is None else typ(val)
        raise typ if tb is None else typ.with_traceback(tb)

    def close(self):
        """End the call at the point where it waits."""
        self.has_begun = self.has_ended = True
        self.let_go()
        if self.inner is not None:
            self.inner.close()

    # -- private

    def _check_use(self):
        if self.has_ended:
            raise RuntimeError("cannot reuse already awaited coroutine")

    cdef inline object _advance(self):
        if self.has_ended:
            self._check_use()
        self.has_begun = self.has_ended = True  # so that an exception ends it without a try block
        return self.go_on() if self.inner is None else self.hand_over(self.inner)


cdef PySendResult _send(object step, object value, PyObject **result) except PYGEN_ERROR:
    """Implement `PyIter_Send`, which returns the result without raising a StopIteration."""
    result[0] = NULL
    found = (<Step>step)._advance()
    Py_INCREF(found)
    result[0] = <PyObject *>found
    return PYGEN_RETURN if (<Step>step).has_ended else PYGEN_NEXT


# Cython has no special method for this slot. Subclasses in other modules inherit it.
(<PyTypeObject *>Step).tp_as_async.am_send = <sendfunc>_send


seal_type(Step)
