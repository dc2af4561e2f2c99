# A listener that is called with whole messages.

from ..enums cimport WSMsgType
from ..connection.message_base cimport WSMessageBase
from ..connection.transport cimport WSTransport


cdef class WSMessageListener(WSMessageBase):
    cdef list _fragments

    cpdef on_ws_message(self, WSTransport transport, WSMsgType msg_type, object message)
