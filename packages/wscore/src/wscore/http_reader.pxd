# Reading the heads of HTTP messages.


cdef class HeadReader:
    cdef bytearray _received  # the head, as far as it has come, and at most one read more
    cdef object _headers  # a CIMultiDict
    cdef object _parser  # of httptools
    cdef Py_ssize_t _header_count
    cdef bint _headers_complete
    cdef bint _done  # what follows is not ours to read

    cdef object _feed_head(self, bytes data)
    cdef object _end(self, object message, Py_ssize_t consumed)
    cdef bytes _version(self)


cdef class RequestReader(HeadReader):
    cdef bytes _target


cdef class ResponseReader(HeadReader):
    cdef bytearray _body

    cdef object _response(self)
