# Failing a connection.

from .transport cimport WSTransport

cdef int fail_for_exception(WSTransport transport, object exc, str where,
                            object listener=*) except -1
cdef int fail_for_violation(WSTransport transport, int error, size_t offset,
                            object listener) except -1
cdef int pass_on(object exc) except -1
