# The enumerations of the API. Their names are those of picows; their values are the protocol's.

cpdef enum WSMsgType:
    """Opcodes of frames (RFC 6455, 5.2)."""
    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10

cpdef enum WSCloseCode:
    """Registered close codes (RFC 6455, 7.4.1).

    NO_INFO stands for a CLOSE without a code. ABNORMAL_CLOSURE stands for a connection that ended
    without a CLOSE; it is never sent.
    """
    NO_INFO = 0
    OK = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    UNSUPPORTED_DATA = 1003
    ABNORMAL_CLOSURE = 1006
    INVALID_TEXT = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    MANDATORY_EXTENSION = 1010
    INTERNAL_ERROR = 1011
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    BAD_GATEWAY = 1014

cpdef enum WSAutoPingStrategy:
    """When to send automatic pings: after a time without received data, or at intervals."""
    PING_WHEN_IDLE = 1
    PING_PERIODICALLY = 2

cdef object msg_type_to_python(WSMsgType msg_type)
cdef object close_code_to_python(unsigned int code)
