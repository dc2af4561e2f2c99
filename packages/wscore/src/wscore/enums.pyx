"""The enumerations of the API: frame types, close codes, strategies of auto ping."""

from enum import Enum

__all__ = ["WSAutoPingStrategy", "WSCloseCode", "WSMsgType", "WSSlowPeer"]


class WSSlowPeer(Enum):
    """How `ws_broadcast` treats a connection whose write buffer is full."""

    WAIT = "wait"
    SKIP = "skip"
    CLOSE = "close"


cdef dict REGISTERED = {int(code): code for code in WSCloseCode}


cdef object close_code_to_python(unsigned int code):
    """Return the code as a WSCloseCode, which has no name unless it is registered.

    Codes 3000 to 4999 belong to libraries and applications (RFC 6455, 7.4.2).
    """
    member = REGISTERED.get(code)
    return WSCloseCode(<WSCloseCode>code) if member is None else member


cdef object msg_type_to_python(WSMsgType msg_type):
    return WSMsgType(msg_type)
