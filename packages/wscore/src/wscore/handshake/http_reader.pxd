# Parsing the headers of HTTP messages. "Head" is the request or status line with the headers.


cdef class HeadReader:
    cdef bytearray _received  # the head received so far, and at most one more read
    cdef object _headers  # a CIMultiDict
    cdef object _parser  # of httptools
    cdef object _refusal  # the exception raised in a callback, until httptools returns
    cdef Py_ssize_t _ahead  # bytes of empty lines and interim responses before the head
    cdef Py_ssize_t _fed  # bytes of `_received` passed to llhttp
    cdef Py_ssize_t _line_size  # bytes of the last, incomplete line passed to llhttp
    cdef Py_ssize_t _header_count
    cdef int _interim_responses  # still in `_received`
    cdef bint _awaits_lf  # a CR of an empty line before the head was received, its LF was not
    cdef bint _headers_complete
    cdef bint _done  # further bytes are not part of the message

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
    cdef tuple _line  # method, target and version of a line that llhttp rejects, or None
    cdef bint _awaits_line  # such a line is incomplete

    cdef bint _names_version(self) except -1
    cdef object _feed_otherwise(self, bytes data, object refusal)
    cdef object _feed_line(self, bytes data)
    cdef object _feed_substitute(self, bytes data, object refusal)
    cdef int _check_target(self, Py_ssize_t size) except -1


cdef class ResponseReader(HeadReader):
    cdef bytearray _body
    cdef Py_ssize_t _since_body  # bytes since the last piece of the body, or since the head

    cdef object _feed_rest(self, bytes data)
    cdef object _response(self)
