# The progress of sent data, as far as the system knows; -1 if unknown.

cdef extern from *:
    """
    #include <string.h>
    #ifndef _WIN32
    #include <netinet/in.h>
    #include <poll.h>
    #include <sys/ioctl.h>
    #include <sys/socket.h>
    #endif
    /* Return how many bytes can be received now. */
    static inline int wscore_unread(int fd) {
        int size = 0;
    #ifdef FIONREAD
        if (ioctl(fd, FIONREAD, &size) != 0)
            size = 0;
    #endif
        (void)fd;
        return size;
    }
    /* Return whether the peer has sent EOF or RST, even after data that was not received yet. */
    static inline int wscore_has_hung_up(int fd) {
    #if defined(__linux__)
        struct pollfd watched = {.fd = fd, .events = POLLRDHUP};
        return poll(&watched, 1, 0) == 1;
    #elif defined(MSG_DONTWAIT)  /* detected only once all data is received */
        char byte;
        return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    #else
        (void)fd;
        return 0;
    #endif
    }
    /* Return how many bytes the peer has not acknowledged; of a unix socket, bytes of memory. */
    static inline long long wscore_unacknowledged(int fd) {
        int size = -1;
    #if defined(__linux__)
        if (ioctl(fd, TIOCOUTQ, &size) != 0)  /* also named SIOCOUTQ */
            size = -1;
    #elif defined(SO_NWRITE)
        socklen_t length = sizeof(size);
        if (getsockopt(fd, SOL_SOCKET, SO_NWRITE, &size, &length) != 0)
            size = -1;
    #elif defined(FIONWRITE)
        if (ioctl(fd, FIONWRITE, &size) != 0)
            size = -1;
    #endif
        (void)fd;
        return size;
    }
    /* Return how many bytes a TCP peer has acknowledged in all; `age` is set to the milliseconds
       since its last ACK. */
    static inline long long wscore_acknowledged(int fd, unsigned int *age) {
    #if defined(__linux__)
        /* Offsets in `struct tcp_info` since Linux 4.1: the system's headers may be older. */
        enum { TCP_INFO_OPTION = 11, LAST_ACK_RECV = 56, BYTES_ACKED = 120 };
        unsigned char info[BYTES_ACKED + 8];
        socklen_t length = sizeof(info);
        long long bytes;
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO_OPTION, info, &length) == 0 &&
            length == sizeof(info)) {
            memcpy(age, info + LAST_ACK_RECV, sizeof(*age));
            memcpy(&bytes, info + BYTES_ACKED, sizeof(bytes));
            return bytes;
        }
    #endif
        (void)fd;
        *age = 0;
        return -1;
    }
    """
    int unread_by_us "wscore_unread"(int fd) noexcept nogil
    bint has_hung_up "wscore_has_hung_up"(int fd) noexcept nogil
    long long unacknowledged "wscore_unacknowledged"(int fd) noexcept nogil
    long long acknowledged "wscore_acknowledged"(int fd, unsigned int *age) noexcept nogil


cdef struct Outflow:
    size_t waiting  # bytes not yet accepted by our system
    unsigned long long late_sends  # how often it accepted bytes after EAGAIN
    long long unacknowledged  # bytes accepted by our system, but not by the peer's
    long long acknowledged  # bytes that the peer's system has acknowledged in all
    double acknowledged_before  # seconds since its last ACK, at most


cdef inline void ask_system(Outflow *flow, int fd) noexcept:
    """Fill in the system's data about a socket, which may be -1."""
    cdef unsigned int milliseconds = 0
    flow.unacknowledged = unacknowledged(fd)
    flow.acknowledged = acknowledged(fd, &milliseconds)
    flow.acknowledged_before = milliseconds / 1000.0
