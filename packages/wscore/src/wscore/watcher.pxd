# One descriptor that stands for all of a loop's connections.

from .loop_io cimport Endpoint, LoopIO


cdef class Watcher:
    cdef object __weakref__
    cdef object _loop
    cdef int _fd
    cdef dict _watched  # endpoints by descriptor
    cdef bint _has_new  # since it was last asked who is ready

    cdef int add(self, int fd, Endpoint endpoint) except -1
    cdef int remove(self, int fd) except -1
    cdef int _tell(self, int fd, bint alone) except -1


cdef Watcher watcher_of(LoopIO io, object loop)
cdef int unwatch(Watcher watcher, object loop, int fd) except -1
