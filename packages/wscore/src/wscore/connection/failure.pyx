"""What becomes of an exception in user code, or of a violation by the peer: the connection's end.

Both turn here, and nowhere else, into a line of the log, the CLOSE that tells the peer, and what
`WSTransport.wait_disconnected` raises. What must end the program is never kept from doing so.
"""

from wsframe cimport cwsframe as wsf

from ..enums cimport INTERNAL_ERROR, close_code_to_python

from ..errors import WSProtocolError, is_ordinary


cdef int fail_for_exception(WSTransport transport, object exc, str where,
                            object listener=None) except -1:
    """End a connection because of an exception in user code.

    Args:
        transport: the connection's.
        exc: the exception; if it concerns the whole program it is raised again.
        where: the callback that raised it.
        listener: what a fault of the peer is told in the words of, or None.
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
    """End a connection because the peer has broken the protocol.

    Args:
        transport: the connection's.
        error: what wsframe says.
        offset: where among the bytes of the peer's frames.
        listener: what chooses the words for the peer.
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
    """What the peer is told of its fault."""
    try:
        return _as_reason(listener.fault_reason(code, text, name))
    except Exception:
        transport.logger.exception("exception in fault_reason")
        return text


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
