# One descriptor that stands for all of a loop's connections.

from .loop_io cimport Endpoint, LoopIO


cdef enum:
    AT_ONCE = 128  # descriptors that are asked for at once
    CLOCKED = 4  # of them are called between two looks at the clock


cdef class Watcher:
    cdef object __weakref__
    cdef object _loop
    cdef int _fd
    cdef dict _watched  # endpoints by descriptor
    cdef LoopIO _io
    cdef bint _has_new  # since it was last asked who is ready
    cdef int[AT_ONCE] _ready_fds
    cdef int _ready_count
    cdef int _next_ready  # the first of them that was not called

    cdef int add(self, int fd, Endpoint endpoint) except -1
    cdef int remove(self, int fd) except -1
    cdef int _look(self) except -1
    cdef bint _call_ready(self) except -1


cdef Watcher watcher_of(LoopIO io, object loop)
cdef int unwatch(Watcher watcher, object loop, int fd) except -1
