"""Accepting connections on a listening socket.

What is done with a connection is left to a function; an error there must not keep the next ones
from being accepted.
"""

import errno as errors
import os

cimport cython

from libc.errno cimport EAGAIN, ECONNABORTED, EINTR, errno

from .loop_io cimport Endpoint, loop_io
from .watcher cimport Watcher, unwatch, watcher_of

cdef extern from *:
    """
    #include <fcntl.h>
    #include <sys/socket.h>
    /* A connection that is not inherited by programs and never blocks. */
    static int wscore_accept(int listener) {
    #ifdef __linux__
        return accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    #else
        int fd = accept(listener, NULL, NULL);
        if (fd >= 0) {
            fcntl(fd, F_SETFD, FD_CLOEXEC);
            fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
        }
        return fd;
    #endif
    }
    """
    int wscore_accept(int listener)

__all__ = ["Acceptor"]

ACCEPT_PAUSE = 1.0  # seconds, when the system is out of descriptors or memory
cdef set _OUT_OF_RESOURCES = {errors.EMFILE, errors.ENFILE, errors.ENOBUFS, errors.ENOMEM}


@cython.final
cdef class Acceptor(Endpoint):
    """Accepts connections while it is started.

    Args:
        loop: the running loop.
        fd: the descriptor of a listening socket that does not block.
        backlog: how many connections are accepted before the loop does anything else.
        attach: called with the descriptor of each connection, which does not block, and which
            belongs to it, also if it raises.
    """

    cdef object _loop
    cdef object _attach
    cdef object _timer
    cdef Watcher _watcher
    cdef int _fd
    cdef int _at_once
    cdef bint _started

    def __init__(self, loop, int fd, int backlog, attach):
        self._loop = loop
        self._fd = fd
        self._at_once = max(1, backlog)
        self._attach = attach

    def start(self):
        """Accept from now on."""
        self._timer = None
        self._started = True
        self._watcher = watcher_of(loop_io(self._loop), self._loop)
        if self._watcher is None:
            self._loop.add_reader(self._fd, self._accept)
        else:
            self._watcher.add(self._fd, self)

    def stop(self):
        """Accept no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._started:
            return
        self._started = False
        unwatch(self._watcher, self._loop, self._fd)
        self._watcher = None

    cdef int ready(self, bint alone) except -1:
        self._accept()
        return 0

    def _accept(self):
        cdef int fd
        for _ in range(self._at_once):
            fd = wscore_accept(self._fd)
            if fd >= 0:
                self._give(fd)
            elif errno != ECONNABORTED and errno != EINTR:
                if errno != EAGAIN:
                    self._refused(OSError(errno, os.strerror(errno)))
                return
            if not self._started:
                return

    cdef int _give(self, int fd) except -1:
        try:
            self._attach(fd)
        except Exception as exc:
            self._loop.call_exception_handler(
                {"message": "an accepted connection could not be used", "exception": exc}
            )
        return 0

    cdef int _refused(self, error) except -1:
        """Say so if the system is out of descriptors or memory, and give it time to recover."""
        if error.errno not in _OUT_OF_RESOURCES:
            raise error
        self._loop.call_exception_handler(
            {"message": "accepting connections failed, trying again", "exception": error}
        )
        self.stop()
        self._timer = self._loop.call_later(ACCEPT_PAUSE, self.start)
        return 0
