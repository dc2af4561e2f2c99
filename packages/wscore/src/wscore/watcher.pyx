"""Waiting for the sockets of many connections at once, below the event loop.

A loop's own `add_reader` costs an object, entries in several tables and, for each event, a turn
through the loop's bookkeeping, which in asyncio is interpreted. So the connections of a loop are
watched by one descriptor of epoll, and only that one is watched by the loop. What is ready is told
in one go, from here.

A connection that is the only one with something to say is better watched by the loop itself, since
it would pay for being asked about twice. That is for the connection to see: it is told.

Where there is no epoll there is no watcher, and the loop watches everything.
"""

import weakref

from cpython.contextvars cimport PyContext_CopyCurrent, PyContext_Enter, PyContext_Exit
from cpython.exc cimport PyErr_SetFromErrno

cdef extern from *:
    """
    #ifdef __linux__
    #include <sys/epoll.h>
    #include <unistd.h>
    enum { HAS_EPOLL = 1 };
    static int wscore_epoll_create(void) { return epoll_create1(EPOLL_CLOEXEC); }
    static int wscore_epoll_change(int epoll_fd, int operation, int fd) {
        struct epoll_event event = {.events = EPOLLIN};
        event.data.fd = fd;
        return epoll_ctl(epoll_fd, operation, fd, &event);
    }
    static int wscore_epoll_ready(int epoll_fd, int* fds, int size) {
        struct epoll_event events[128];
        int count = epoll_wait(epoll_fd, events, size < 128 ? size : 128, 0);
        for (int index = 0; index < count; ++index)
            fds[index] = events[index].data.fd;
        return count;
    }
    static void wscore_epoll_close(int epoll_fd) { close(epoll_fd); }
    #else
    #include <errno.h>
    enum { HAS_EPOLL = 0, EPOLL_CTL_ADD, EPOLL_CTL_DEL };
    static int wscore_epoll_create(void) { errno = ENOSYS; return -1; }
    static int wscore_epoll_change(int a, int b, int c) { errno = ENOSYS; return -1; }
    static int wscore_epoll_ready(int a, int* b, int c) { return 0; }
    static void wscore_epoll_close(int a) {}
    #endif
    """
    bint HAS_EPOLL
    int EPOLL_CTL_ADD
    int EPOLL_CTL_DEL
    int wscore_epoll_create() nogil
    int wscore_epoll_change(int epoll_fd, int operation, int fd) nogil
    int wscore_epoll_ready(int epoll_fd, int* fds, int size) nogil
    void wscore_epoll_close(int epoll_fd) nogil

__all__ = ["Watcher"]

cdef enum:
    AT_ONCE = 128  # descriptors that are told before the loop gets its turn


cdef Watcher watcher_of(LoopIO io, object loop):
    """The watcher of a loop, or None where there is no epoll."""
    cdef Watcher watcher = None if io.watcher is None else io.watcher()
    if watcher is None and HAS_EPOLL:
        watcher = Watcher(loop)
        # The loop holds it, with all that it watches, and lets go of it when it is closed.
        io.watcher = weakref.ref(watcher)
    return watcher


cdef int unwatch(Watcher watcher, object loop, int fd) except -1:
    """Have a descriptor watched no more, by its watcher, or by the loop if that is None."""
    if watcher is None:
        loop.remove_reader(fd)
        return 0
    return watcher.remove(fd)


cdef class Watcher:
    """One descriptor that becomes readable when one of many does.

    Args:
        loop: the running loop, which watches it from now on.
    """

    def __cinit__(self, loop):
        self._fd = -1
        self._fd = wscore_epoll_create()
        if self._fd < 0:
            PyErr_SetFromErrno(OSError)
        self._loop = loop
        self._watched = {}
        loop.add_reader(self._fd, self._ready)

    def __dealloc__(self):
        if self._fd >= 0:
            wscore_epoll_close(self._fd)

    cdef int add(self, int fd, Endpoint endpoint) except -1:
        """Tell when a descriptor is readable, is at its end, or has an error.

        Args:
            fd: it must be taken away before it is closed.
            endpoint: whom to tell, in the context of this call.
        """
        if wscore_epoll_change(self._fd, EPOLL_CTL_ADD, fd) < 0:
            PyErr_SetFromErrno(OSError)
        endpoint.context = PyContext_CopyCurrent()
        self._watched[fd] = endpoint
        self._has_new = True
        return 0

    cdef int remove(self, int fd) except -1:
        """Tell no more."""
        del self._watched[fd]
        wscore_epoll_change(self._fd, EPOLL_CTL_DEL, fd)  # fails if somebody else has closed it
        return 0

    def _ready(self):
        cdef int[AT_ONCE] fds
        cdef int index
        cdef int count
        self._has_new = False
        count = wscore_epoll_ready(self._fd, fds, AT_ONCE)
        for index in range(count):
            self._tell(fds[index], count == 1)
        if self._has_new:  # what was accepted just now has often something to say already
            count = wscore_epoll_ready(self._fd, fds, AT_ONCE)
            for index in range(count):
                self._tell(fds[index], False)

    cdef int _tell(self, int fd, bint alone) except -1:
        cdef Endpoint endpoint = self._watched.get(fd)
        if endpoint is None:  # taken away by one that was told before
            return 0
        context = endpoint.context
        PyContext_Enter(context)
        try:
            endpoint.ready(alone)
        except Exception as exc:
            self._loop.call_exception_handler(
                {"message": f"exception in {endpoint!r}", "exception": exc}
            )
        finally:
            PyContext_Exit(context)
        return 0
