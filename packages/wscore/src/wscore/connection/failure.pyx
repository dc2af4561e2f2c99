"""Failing a connection: for an exception in user code, or for a protocol error of the peer.

Both are turned here, and nowhere else, into a log record, a CLOSE frame, and the exception that
`WSTransport.wait_disconnected` raises. Exceptions that end the program are always raised again.
"""

from wsframe cimport cwsframe as wsf

from ..enums cimport INTERNAL_ERROR, close_code_to_python

from ..errors import WSProtocolError, is_ordinary


cdef int fail_for_exception(WSTransport transport, object exc, str where,
                            object listener=None) except -1:
    """Fail a connection because of an exception in user code.

    Args:
        transport: the connection's.
        exc: the exception; one that concerns the whole program is raised again.
        where: the name of the callback that raised it.
        listener: the listener whose `fault_reason` words the close reason, or None.
    """
    cdef unsigned int code = INTERNAL_ERROR
    cdef str reason = None
    if isinstance(exc, WSProtocolError) and _may_be_sent(exc.code):
        code, reason = exc.code, _as_reason(exc.message)
        transport.logger.info("the connection is closed: %r in %s", exc, where)
        if listener is not None:
            reason = _in_words_of(listener, transport, code, reason, None)
    else:
        transport.logger.error("the connection is closed: exception in %s", where, exc_info=exc)
    transport.set_failure(exc)
    transport.fail(code, reason)
    return pass_on(exc)


cdef int fail_for_violation(WSTransport transport, int error, size_t offset,
                            object listener) except -1:
    """Fail a connection because of a protocol error of the peer.

    Args:
        transport: the connection's.
        error: wsframe's error number.
        offset: its position in the bytes of the peer's frames.
        listener: the listener whose `fault_reason` words the close reason.
    """
    cdef unsigned int code = wsf.wsf_error_close_code(error)
    cdef str text = wsf.wsf_error_text(error).decode()
    transport.logger.info(
        "protocol error by the peer, at byte %d of its frames: %s", offset, text
    )
    transport.set_failure(WSProtocolError(close_code_to_python(code), text))
    text = _in_words_of(listener, transport, code, text, wsf.wsf_error_name(error).decode())
    transport.fail(code, text)
    return 0


cdef int pass_on(object exc) except -1:
    """Raise an exception again if it concerns more than its connection."""
    if not is_ordinary(exc):
        raise exc
    return 0


cdef str _in_words_of(object listener, WSTransport transport, unsigned int code, str text,
                      str name):
    """Return the close reason that the listener chooses for a fault of the peer."""
    try:
        return _as_reason(listener.fault_reason(code, text, name))
    except Exception:
        transport.logger.exception("exception in fault_reason")
        return text


cdef bint _may_be_sent(object code) except -1:
    return isinstance(code, int) and 1000 <= code < 5000 and wsf.wsf_close_code_valid(code)


cdef str _as_reason(object message):
    """Return the message as a close reason: text, cut to the size of a CLOSE frame."""
    cdef bytes encoded
    if isinstance(message, bytes):
        encoded = message
    else:
        encoded = str(message).encode("utf-8", "backslashreplace")
    return encoded[:wsf.WSF_MAX_CLOSE_REASON_SIZE].decode("utf-8", "ignore")
