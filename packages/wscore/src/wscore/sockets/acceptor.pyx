"""Accepting connections on a listening socket.

Each connection is passed to a function. An error in it must not keep later connections from being
accepted. An error of the system must not be retried without a pause, nor fill the log.
"""

import errno as errors
import os

cimport cython

from libc.errno cimport EAGAIN, errno

from ..loop.loop_io cimport Endpoint, loop_io
from ..loop.sealed_types cimport seal_type
from ..loop.watcher cimport Watcher, unwatch, watcher_of

cdef extern from *:
    """
    #include <fcntl.h>
    #include <sys/socket.h>
    /* Accepts a connection that child programs do not inherit, and that does not block. */
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

ACCEPT_PAUSE = 1.0  # seconds without accepting, after an error of the system
REPORT_INTERVAL = 60.0  # seconds in which the same error is reported once
ACCEPTED_AT_ONCE = 32  # connections in one iteration of the loop
MAX_FAILURES = 32  # consecutive connections that failed, before a pause

# The peer closed before its connection was accepted, or a signal came: not worth a report.
cdef set _USUAL = {errors.ECONNABORTED, errors.EINTR}

# Linux returns errors that are pending on the new connection, and EPERM for a firewall's verdict;
# accept(2) recommends to go on. Not all systems have all of them.
cdef set _OF_THE_CONNECTION = {
    getattr(errors, name)
    for name in (
        "ENETDOWN", "EPROTO", "ENOPROTOOPT", "EHOSTDOWN", "ENONET", "EHOSTUNREACH", "EOPNOTSUPP",
        "ENETUNREACH", "ECONNRESET", "ETIMEDOUT", "EPERM",
    )
    if hasattr(errors, name)
}


@cython.final
cdef class Acceptor(Endpoint):
    """Accepts connections while it is started.

    Args:
        loop: the running loop.
        fd: the descriptor of a non-blocking listening socket.
        backlog: how many connections are accepted in one iteration of the loop, at most
            `ACCEPTED_AT_ONCE`.
        attach: called with the descriptor of each connection, which is non-blocking, and which it
            owns, even if it raises.
    """

    cdef object _loop
    cdef object _attach
    cdef object _timer
    cdef Watcher _watcher
    cdef int _fd
    cdef int _at_once
    cdef int _failures  # consecutive
    cdef bint _started
    cdef dict _reported  # by message and error: when it may be reported again

    def __init__(self, loop, int fd, int backlog, attach):
        self._loop = loop
        self._fd = fd
        self._at_once = min(max(1, backlog), ACCEPTED_AT_ONCE)
        self._attach = attach
        self._failures = 0
        self._reported = {}

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
                self._failures = 0
                self._give(fd)
            elif errno == EAGAIN:
                self._failures = 0
                return
            else:
                self._failed(errno)
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

    cdef int _failed(self, int error) except -1:
        """Skip a connection that failed; pause if the next one would fail, too."""
        self._failures += 1
        is_of_one = error in _OF_THE_CONNECTION
        if is_of_one:
            self._report("a connection failed before it was accepted", error)
        if not (is_of_one or error in _USUAL) or self._failures >= MAX_FAILURES:
            self._failures = 0
            self._report("accepting connections failed, trying again", error)
            if self._started:  # the exception handler may have stopped it
                self.stop()
                self._timer = self._loop.call_later(ACCEPT_PAUSE, self.start)
        return 0

    cdef int _report(self, message, int error) except -1:
        """Report an error, unless it was reported within the last `REPORT_INTERVAL`."""
        now = self._loop.time()
        if now < self._reported.get((message, error), now):
            return 0
        self._reported[message, error] = now + REPORT_INTERVAL
        self._loop.call_exception_handler(
            {"message": message, "exception": OSError(error, os.strerror(error))}
        )
        return 0


seal_type(Acceptor)
