# Memory of connections that is released while they are idle.
#
# Each message only sets `was_used`, a single store; the timer does everything else.

cimport cython


cdef struct Link:
    Link *next  # NULL if this link is in no list
    Link *previous
    void *holder  # a borrowed reference: a holder leaves the list when it is deallocated


cdef class MemoryHolder:
    cdef bint was_used  # since the last check
    cdef Link _link

    cdef int hold(self, object loop) except -1
    cdef bint release(self) except -1


@cython.final
cdef class IdleMemory:
    cdef Link _listed  # to be checked in this round
    cdef Link _seen  # checked in this round, or added since it began
    cdef bint _is_looking  # a round is in progress, or its timer is pending

    cdef int add(self, MemoryHolder holder, object loop) except -1
