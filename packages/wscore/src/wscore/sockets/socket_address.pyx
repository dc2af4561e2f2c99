"""The two addresses of a connected socket, read while the system knows them.

They are kept as the system's structures, and converted for Python when they are asked for, which
is never for most connections.
"""

import os
import socket

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stddef cimport size_t
from libc.stdint cimport uint16_t, uint32_t
from libc.string cimport memcpy

cdef extern from *:
    """
    #include <arpa/inet.h>
    #include <netinet/in.h>
    #include <stddef.h>
    #include <sys/socket.h>
    #include <sys/un.h>
    """
    ctypedef unsigned int socklen_t
    struct sockaddr:
        unsigned short sa_family
    struct sockaddr_storage:
        pass
    struct in_addr:
        pass
    struct sockaddr_in:
        uint16_t sin_port
        in_addr sin_addr
    struct in6_addr:
        pass
    struct sockaddr_in6:
        uint16_t sin6_port
        uint32_t sin6_flowinfo
        in6_addr sin6_addr
        uint32_t sin6_scope_id
    int AF_INET
    int AF_INET6
    int AF_UNIX
    size_t UNIX_PATH "offsetof(struct sockaddr_un, sun_path)"
    uint16_t ntohs(uint16_t)
    uint32_t ntohl(uint32_t)
    int getsockname(int fd, sockaddr *address, socklen_t *size)
    int getpeername(int fd, sockaddr *address, socklen_t *size)

__all__ = []


cdef bytes address_of_socket(int fd):
    """Return our address, or None if the system does not know it."""
    return _query(getsockname, fd)


cdef bytes address_of_peer(int fd):
    """Return the peer's address, or None if the connection is closed already."""
    return _query(getpeername, fd)


cdef bytes _query(int (*ask)(int, sockaddr*, socklen_t*) noexcept, int fd):
    cdef sockaddr_storage space
    cdef socklen_t size = sizeof(space)
    if ask(fd, <sockaddr *>&space, &size) < 0:
        return None
    return PyBytes_FromStringAndSize(<const char *>&space, min(size, <socklen_t>sizeof(space)))


cdef object to_python(bytes address):
    """Return the address in the form that the methods of `socket.socket` use."""
    cdef sockaddr_storage space
    cdef sockaddr *common = <sockaddr *>&space
    cdef sockaddr_in *v4 = <sockaddr_in *>&space
    cdef sockaddr_in6 *v6 = <sockaddr_in6 *>&space
    cdef bytes path
    memcpy(&space, PyBytes_AS_STRING(address), PyBytes_GET_SIZE(address))
    if common.sa_family == AF_INET:
        host = (<char *>&v4.sin_addr)[:sizeof(v4.sin_addr)]
        return socket.inet_ntop(AF_INET, host), ntohs(v4.sin_port)
    if common.sa_family == AF_INET6:
        host = (<char *>&v6.sin6_addr)[:sizeof(v6.sin6_addr)]
        return (
            socket.inet_ntop(AF_INET6, host), ntohs(v6.sin6_port), ntohl(v6.sin6_flowinfo),
            v6.sin6_scope_id,
        )
    if common.sa_family == AF_UNIX:
        path = address[UNIX_PATH:]
        if path.startswith(b"\0"):  # Linux: an abstract address, which has no file
            return path if path.strip(b"\0") else ""
        return os.fsdecode(path.partition(b"\0")[0])
    return common.sa_family, address
