# Memory of connections that is given back while they are idle.
#
# A message costs one store: it sets `was_used`. Everything else is the timer's.

cimport cython


cdef struct Link:
    Link* next  # NULL in one that is in no list
    Link* previous
    void* holder  # not counted as a reference: whoever ends leaves the list


cdef class MemoryHolder:
    cdef bint was_used  # since the last look
    cdef Link _link

    cdef int hold(self, object loop) except -1
    cdef bint release(self) except -1


@cython.final
cdef class IdleMemory:
    cdef Link _listed  # to be looked at
    cdef Link _seen  # those that this round has looked at, and those that came since
    cdef bint _is_looking  # a round is under way, or its timer is

    cdef int add(self, MemoryHolder holder, object loop) except -1
