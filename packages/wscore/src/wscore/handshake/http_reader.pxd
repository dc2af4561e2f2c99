# Reading the heads of HTTP messages.


cdef class HeadReader:
    cdef bytearray _received  # the head, as far as it has come, and at most one read more
    cdef object _headers  # a CIMultiDict
    cdef object _parser  # of httptools
    cdef object _refusal  # what a callback has raised, until httptools is left
    cdef Py_ssize_t _ahead  # bytes of empty lines and interim responses ahead of the head
    cdef Py_ssize_t _fed  # bytes of `_received` that llhttp was given
    cdef Py_ssize_t _line_size  # bytes that llhttp was given of a line that has not ended
    cdef Py_ssize_t _header_count
    cdef int _interim_responses  # that lie in `_received`
    cdef bint _awaits_lf  # which ends the empty line ahead that has come so far
    cdef bint _headers_complete
    cdef bint _done  # what follows is not ours to read

    cdef object _feed_head(self, bytes data)
    cdef Py_ssize_t _size_of_empty_lines(self, bytes data)
    cdef int _check_start(self) except -1
    cdef bint _is_due(self, bytes data)
    cdef object _feed_received(self, bytes data)
    cdef int _drop_interim(self) except -1
    cdef int _check_size(self) except -1
    cdef object _noted(self, object refusal)
    cdef object _taken(self, object exc)
    cdef object _end(self, object message, Py_ssize_t consumed)
    cdef bytes _version(self)


cdef class RequestReader(HeadReader):
    cdef bytearray _target
    cdef tuple _line  # method, target and version where llhttp does not know them, or None
    cdef bint _awaits_line  # the end of such a line

    cdef bint _names_version(self) except -1
    cdef object _feed_otherwise(self, bytes data, object refusal)
    cdef object _feed_line(self, bytes data)
    cdef object _feed_substitute(self, bytes data, object refusal)
    cdef int _check_target(self, Py_ssize_t size) except -1


cdef class ResponseReader(HeadReader):
    cdef bytearray _body
    cdef Py_ssize_t _since_body  # bytes after the head, since the last piece of the body

    cdef object _feed_rest(self, bytes data)
    cdef object _response(self)
