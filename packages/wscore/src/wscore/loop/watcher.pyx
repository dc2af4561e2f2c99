"""Watching the sockets of many connections with one epoll descriptor, below the event loop.

A loop's own `add_reader` costs an object, entries in several tables and, for each event, a pass
through the loop's bookkeeping, which asyncio interprets. So the connections of a loop are watched
by one epoll descriptor, and the loop watches only that. All ready connections are called from here.

A connection that is active alone is better watched by the loop itself, which saves it a second
system call per event. The connection decides on that: `Endpoint.ready` gets `alone`.

On systems without epoll there is no watcher, and the loop watches every connection.
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
    static int wscore_epoll_ready(int epoll_fd, int *fds, int size) {
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
    static int wscore_epoll_ready(int a, int *b, int c) { return 0; }
    static void wscore_epoll_close(int a) {}
    #endif
    """
    bint HAS_EPOLL
    int EPOLL_CTL_ADD
    int EPOLL_CTL_DEL
    int wscore_epoll_create() nogil
    int wscore_epoll_change(int epoll_fd, int operation, int fd) nogil
    int wscore_epoll_ready(int epoll_fd, int *fds, int size) nogil
    void wscore_epoll_close(int epoll_fd) nogil

__all__ = ["Watcher"]


cdef Watcher watcher_of(LoopIO io, object loop):
    """Return the watcher of a loop, or None on systems without epoll."""
    cdef Watcher watcher = None if io.watcher is None else io.watcher()
    if watcher is None and HAS_EPOLL:
        watcher = Watcher.__new__(Watcher, loop)
        # Only the loop refers to the watcher and its endpoints: closing the loop releases them.
        io.watcher = weakref.ref(watcher)
    return watcher


cdef int unwatch(Watcher watcher, object loop, int fd) except -1:
    """Stop watching a descriptor, with its watcher, or with the loop if that is None."""
    if watcher is None:
        loop.remove_reader(fd)
        return 0
    return watcher.remove(fd)


cdef class Watcher:
    """An epoll descriptor that becomes readable when one of many descriptors does.

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
        """Call an endpoint whenever a descriptor is readable, at EOF, or has an error.

        Args:
            fd: the descriptor; it must be removed before it is closed.
            endpoint: its `ready` is called, in a copy of the current context.
        """
        if wscore_epoll_change(self._fd, EPOLL_CTL_ADD, fd) < 0:
            PyErr_SetFromErrno(OSError)
        endpoint.context = PyContext_CopyCurrent()
        self._watched[fd] = endpoint
        self._has_new = True
        return 0

    cdef int remove(self, int fd) except -1:
        """Stop watching a descriptor."""
        del self._watched[fd]
        if self._io.is_disowned:  # a forked child shares the epoll instance with its parent
            return 0
        wscore_epoll_change(self._fd, EPOLL_CTL_DEL, fd)  # fails if fd was closed elsewhere
        return 0

    def _ready(self):
        """Call the ready endpoints, each once, within the time of `SHARE`.

        The remaining ones are called first in the next iteration of the loop, which does not sleep
        since they are still readable.
        """
        if self._next_ready == self._ready_count:
            self._has_new = False
            self._look()
        if self._call_ready() and self._has_new:
            # A connection that was just accepted often has data already.
            self._look()
            self._call_ready()

    cdef int _look(self) except -1:
        self._next_ready = 0
        self._ready_count = wscore_epoll_ready(self._fd, self._ready_fds, AT_ONCE)
        if self._ready_count < 0:
            self._ready_count = 0
        return 0

    cdef bint _call_ready(self) except -1:
        """Call the ready endpoints; return whether there was time for all of them."""
        cdef Endpoint endpoint
        cdef bint is_clocked = self._ready_count > CLOCKED
        cdef long long began = now() if is_clocked else 0
        while self._next_ready < self._ready_count:
            if is_clocked and self._next_ready % CLOCKED == 0 and now() - began > SHARE:
                self._io.has_unserved = True
                return False
            endpoint = self._watched.get(self._ready_fds[self._next_ready])
            self._next_ready += 1
            if endpoint is not None:  # else one that was called before has removed it
                self._io.run(endpoint, READY_ALONE if self._ready_count == 1 else READY)
        self._io.has_unserved = False
        return True


seal_type(Watcher)
