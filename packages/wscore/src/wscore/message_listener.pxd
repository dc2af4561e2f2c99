# Messages to a callback.

from .enums cimport WSMsgType
from .message_base cimport WSMessageBase
from .transport cimport WSTransport


cdef class WSMessageListener(WSMessageBase):
    cdef list _fragments

    cpdef on_ws_message(self, WSTransport transport, WSMsgType msg_type, object message)
