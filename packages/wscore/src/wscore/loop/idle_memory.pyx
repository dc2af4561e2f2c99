"""Memory of connections that is released while they are idle.

One timer per loop checks all holders of such memory. A holder that was not used between two checks
releases it, so after `IDLE_SECONDS` at the earliest and twice as many at the latest. Each iteration
of the loop checks only a few, so that many idle connections do not delay the active ones.
"""

import weakref

cdef enum:
    IDLE_SECONDS = 60
    AT_ONCE = 16  # holders checked in one iteration of the loop

_loops = weakref.WeakKeyDictionary()


cdef class MemoryHolder:
    """Base class of objects with memory that they do not need while idle."""

    def __dealloc__(self):
        unlink(&self._link)

    cdef int hold(self, object loop) except -1:
        """Register this holder: it has memory from now on.

        Args:
            loop: the loop of the connection.
        """
        cdef IdleMemory idle
        self.was_used = True
        if self._link.next == NULL:
            idle = _loops.get(loop)
            if idle is None:
                idle = _loops[loop] = IdleMemory.__new__(IdleMemory)
            idle.add(self, loop)
        return 0

    cdef bint release(self) except -1:
        """Release the memory; return False if that is not possible at the moment."""
        raise NotImplementedError


cdef class IdleMemory:
    """All the holders of one loop."""

    def __cinit__(self):
        empty(&self._listed)
        empty(&self._seen)

    def __dealloc__(self):
        unlink_all(&self._listed)
        unlink_all(&self._seen)

    cdef int add(self, MemoryHolder holder, object loop) except -1:
        holder._link.holder = <void *>holder
        append(&self._seen, &holder._link)
        if not self._is_looking:
            self._is_looking = True
            loop.call_later(IDLE_SECONDS, self._begin, loop)
        return 0

    def _begin(self, loop):
        """Begin a round over all current holders."""
        move_all(&self._listed, &self._seen)
        self._look(loop)

    def _look(self, loop):
        """Check a few holders, and continue in the next iteration of the loop."""
        cdef MemoryHolder holder
        for _ in range(AT_ONCE):
            if is_empty(&self._listed):
                break
            holder = <MemoryHolder>self._listed.next.holder
            unlink(&holder._link)
            if holder.was_used or not holder.release():
                holder.was_used = False
                append(&self._seen, &holder._link)
        if not is_empty(&self._listed):
            loop.call_soon(self._look, loop)
        elif not is_empty(&self._seen):
            loop.call_later(IDLE_SECONDS, self._begin, loop)
        else:
            self._is_looking = False


# -- circular lists, each with a sentinel link

cdef inline void empty(Link *links) noexcept:
    links.next = links.previous = links


cdef inline bint is_empty(Link *links) noexcept:
    return links.next == links


cdef inline void append(Link *links, Link *link) noexcept:
    link.next = links
    link.previous = links.previous
    link.previous.next = link
    links.previous = link


cdef inline void unlink(Link *link) noexcept:
    if link.next == NULL:
        return
    link.next.previous = link.previous
    link.previous.next = link.next
    link.next = link.previous = NULL


cdef inline void unlink_all(Link *links) noexcept:
    while not is_empty(links):
        unlink(links.next)


cdef inline void move_all(Link *to, Link *links) noexcept:
    """Move all links from one list to another, which is empty."""
    if is_empty(links):
        return
    to[0] = links[0]
    to.next.previous = to.previous.next = to
    empty(links)
