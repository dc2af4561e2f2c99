# The two addresses of a connected socket.

cdef bytes address_of_socket(int fd)
cdef bytes address_of_peer(int fd)
cdef object to_python(bytes address)
