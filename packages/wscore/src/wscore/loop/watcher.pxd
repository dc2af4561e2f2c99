# One epoll descriptor for all connections of a loop.

from .loop_io cimport Endpoint, LoopIO


cdef enum:
    AT_ONCE = 128  # maximum descriptors returned by one epoll_wait()
    CLOCKED = 4  # endpoints called between two readings of the clock


cdef class Watcher:
    cdef object __weakref__
    cdef object _loop
    cdef int _fd
    cdef dict _watched  # endpoints by descriptor
    cdef LoopIO _io
    cdef bint _has_new  # endpoints were added since the last epoll_wait()
    cdef int[AT_ONCE] _ready_fds
    cdef int _ready_count
    cdef int _next_ready  # index of the first one that was not called

    cdef int add(self, int fd, Endpoint endpoint) except -1
    cdef int remove(self, int fd) except -1
    cdef int _look(self) except -1
    cdef bint _call_ready(self) except -1


cdef Watcher watcher_of(LoopIO io, object loop)
cdef int unwatch(Watcher watcher, object loop, int fd) except -1
