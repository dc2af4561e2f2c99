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

from cpython.contextvars cimport PyContext_CopyCurrent
from cpython.exc cimport PyErr_SetFromErrno

from .loop_io cimport READY, READY_ALONE, SHARE, loop_io
from .sealed_types cimport seal_type
from .syscalls cimport now

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


cdef Watcher watcher_of(LoopIO io, object loop):
    """The watcher of a loop, or None where there is no epoll."""
    cdef Watcher watcher = None if io.watcher is None else io.watcher()
    if watcher is None and HAS_EPOLL:
        watcher = Watcher.__new__(Watcher, loop)
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
        self._io = loop_io(loop)
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
        if self._io.is_disowned:  # what a forked child changes is changed for the parent
            return 0
        wscore_epoll_change(self._fd, EPOLL_CTL_DEL, fd)  # fails if somebody else has closed it
        return 0

    def _ready(self):
        """Call those that are ready, each once, as far as the loop's time allows.

        Those that are left are called first when the loop has iterated: they are still readable, so
        the loop comes back at once.
        """
        if self._next_ready == self._ready_count:
            self._has_new = False
            self._look()
        if self._call_ready() and self._has_new:
            # What was accepted just now has often something to say already.
            self._look()
            self._call_ready()

    cdef int _look(self) except -1:
        self._next_ready = 0
        self._ready_count = wscore_epoll_ready(self._fd, self._ready_fds, AT_ONCE)
        if self._ready_count < 0:
            self._ready_count = 0
        return 0

    cdef bint _call_ready(self) except -1:
        """Whether there was time for all."""
        cdef Endpoint endpoint
        cdef bint is_clocked = self._ready_count > CLOCKED
        cdef long long began = now() if is_clocked else 0
        while self._next_ready < self._ready_count:
            if is_clocked and self._next_ready % CLOCKED == 0 and now() - began > SHARE:
                self._io.has_unserved = True
                return False
            endpoint = self._watched.get(self._ready_fds[self._next_ready])
            self._next_ready += 1
            if endpoint is not None:  # else it was taken away by one that was called before
                self._io.run(endpoint, READY_ALONE if self._ready_count == 1 else READY)
        self._io.has_unserved = False
        return True


seal_type(Watcher)
