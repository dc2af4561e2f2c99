"""What becomes of an exception in user code, or of a violation by the peer: the connection's end.

Both turn here, and nowhere else, into a line of the log, the CLOSE that tells the peer, and what
`WSTransport.wait_disconnected` raises. What must end the program is never kept from doing so.
"""

from wsframe cimport cwsframe as wsf

from .enums cimport INTERNAL_ERROR, close_code_to_python

from .errors import WSProtocolError, is_ordinary


cdef int fail_for_exception(WSTransport transport, object exc, str where) except -1:
    """End a connection because of an exception in user code.

    Args:
        transport: the connection's.
        exc: the exception; if it concerns the whole program it is raised again.
        where: the callback that raised it.
    """
    cdef unsigned int code = INTERNAL_ERROR
    cdef str reason = None
    if isinstance(exc, WSProtocolError) and _may_be_sent(exc.code):
        code, reason = exc.code, _as_reason(exc.message)
        transport.logger.info("the connection is closed: %r in %s", exc, where)
    else:
        transport.logger.error("the connection is closed: exception in %s", where, exc_info=exc)
    transport.set_failure(exc)
    transport.fail(code, reason)
    return pass_on(exc)


cdef int fail_for_violation(WSTransport transport, int error, size_t offset) except -1:
    """End a connection because the peer has broken the protocol.

    Args:
        transport: the connection's.
        error: what wsframe says.
        offset: where among the bytes of the peer's frames.
    """
    cdef unsigned int code = wsf.wsf_error_close_code(error)
    cdef str text = wsf.wsf_error_text(error).decode()
    transport.logger.info(
        "protocol error by the peer, at byte %d of its frames: %s", offset, text
    )
    transport.set_failure(WSProtocolError(close_code_to_python(code), text))
    transport.fail(code, text)
    return 0


cdef int pass_on(object exc) except -1:
    """Raise an exception again if it concerns more than its connection."""
    if not is_ordinary(exc):
        raise exc
    return 0


cdef bint _may_be_sent(object code) except -1:
    return isinstance(code, int) and 1000 <= code < 5000 and wsf.wsf_close_code_valid(code)


cdef str _as_reason(object message):
    """The message as a close reason: text, cut to what a CLOSE frame can hold."""
    cdef bytes encoded
    if isinstance(message, bytes):
        encoded = message
    else:
        encoded = str(message).encode("utf-8", "backslashreplace")
    return encoded[:wsf.WSF_MAX_CLOSE_REASON_SIZE].decode("utf-8", "ignore")
