# System calls of the transports, without Python objects or exceptions.

from libc.errno cimport EAGAIN, EINTR, errno
from libc.string cimport memset
from posix.time cimport CLOCK_MONOTONIC, clock_gettime, timespec

from .branch_hints cimport unlikely

cdef extern from "<sys/uio.h>" nogil:
    struct iovec:
        void *iov_base
        size_t iov_len

cdef extern from "<sys/socket.h>" nogil:
    ctypedef unsigned int socklen_t
    struct msghdr:
        iovec *msg_iov
        size_t msg_iovlen
    Py_ssize_t recv(int fd, void *data, size_t size, int flags)
    Py_ssize_t send(int fd, const void *data, size_t size, int flags)
    Py_ssize_t sendmsg(int fd, const msghdr *message, int flags)
    int getsockopt(int fd, int level, int name, void *value, socklen_t *size)
    int shutdown(int fd, int how)
    enum:
        SHUT_WR
        SOL_SOCKET
        SO_ERROR

cdef extern from "<unistd.h>" nogil:
    int close(int fd)

cdef extern from "<poll.h>" nogil:
    struct pollfd:
        int fd
        short events
        short revents
    enum:
        POLLIN
    int poll(pollfd *fds, unsigned int count, int timeout)

cdef extern from *:
    """
    #include <sys/ioctl.h>
    #include <sys/socket.h>
    #ifdef __linux__
    #include <linux/sockios.h>
    #endif
    #ifndef MSG_NOSIGNAL  /* macOS, which has the socket option SO_NOSIGPIPE instead */
    #define MSG_NOSIGNAL 0
    #endif
    /* Make a write to a closed connection return an error instead of raising SIGPIPE. */
    static inline void wscore_make_quiet(int fd) {
    #ifdef SO_NOSIGPIPE
        int on = 1;
        setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof(on));
    #endif
    }
    """
    enum:
        MSG_NOSIGNAL
    void make_quiet "wscore_make_quiet"(int fd) nogil

cdef enum:
    NOTHING = -0x10000  # EAGAIN or EINTR; not the negative of any error number


cdef inline long long now() noexcept nogil:
    """Return the nanoseconds of the monotonic clock."""
    cdef timespec time
    clock_gettime(CLOCK_MONOTONIC, &time)
    return <long long>time.tv_sec * 1000000000 + time.tv_nsec


cdef inline bint becomes_readable(int fd, long long deadline) noexcept nogil:
    """Poll a descriptor until the deadline, without sleeping."""
    cdef pollfd watched
    watched.fd = fd
    watched.events = POLLIN
    while True:
        if poll(&watched, 1, 0) != 0:
            return True  # also for an error, which the next read reports
        if now() >= deadline:
            return False


cdef inline int pending_error(int fd) noexcept:
    """Return and clear the pending error number of a socket; 0 if there is none."""
    cdef int error = 0
    cdef socklen_t size = sizeof(error)
    return error if getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 else 0


cdef inline Py_ssize_t receive_into(int fd, void *data, size_t size) noexcept:
    """Receive once; return the number of bytes, 0 at EOF, `NOTHING`, or a negative error number."""
    cdef Py_ssize_t received = recv(fd, data, size, 0)
    if not unlikely(received < 0):
        return received
    while received < 0 and errno == EINTR:
        received = recv(fd, data, size, 0)
    if received >= 0:
        return received
    return NOTHING if errno == EAGAIN else -errno


cdef inline Py_ssize_t send_parts(int fd, iovec *parts, int count) noexcept:
    """Send once; return the number of bytes, `NOTHING`, or a negative error number."""
    cdef msghdr message
    cdef Py_ssize_t sent
    if count == 1:
        sent = send(fd, parts.iov_base, parts.iov_len, MSG_NOSIGNAL)
    else:
        memset(&message, 0, sizeof(message))
        message.msg_iov = parts
        message.msg_iovlen = count
        sent = sendmsg(fd, &message, MSG_NOSIGNAL)
    if sent >= 0:
        return sent
    return NOTHING if errno == EAGAIN or errno == EINTR else -errno
